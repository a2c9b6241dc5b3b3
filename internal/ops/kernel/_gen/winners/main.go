// Command winners writes the functions that say which tap of a window won, in a
// byte: what the gradient of a maximum needs to know; and, where they run instead of
// the maximum, what won.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

func main() {
	vec.Main("poolgrad/winners", func() {
		singles, doubles := window.Extrema(vec.Float32), window.Extrema(vec.Float64)
		for i := range singles {
			for _, v := range vec.ISAs {
				extremum{singles[i]}.wide(v)
			}
			extremum{singles[i]}.narrow()
			extremum{singles[i]}.quad()
			for _, v := range vec.ISAs {
				extremum{doubles[i]}.wide(v)
			}
			extremum{doubles[i]}.narrow()
		}
	})
}

// extremum is a maximum or minimum whose functions are written.
type extremum struct{ window.Extremum }

// function is what all of them have in common.
func (e extremum) function(how string, v vec.ISA, cells, more string, rules ...string) vec.Func {
	element := e.Element()
	return vec.Func{
		Name:      e.Name(how, v),
		Signature: "func(dst *uint8, src *" + element.Go + ", taps *int, ntaps, n, outputs, step int, codes *int32, values *" + element.Go + more + ")",
		Does: "writes the code of the tap that is the " + e.Word() + "imum of each window over cells of " + cells +
			", and its value unless values is nil. " + e.Rule(),
		Loop: e.WinnerLoop(`		dst[o*n+i] = uint8(codes[won])
		if values != nil {
			values[o*n+i] = v
		}`),
		Rules: append([]string{window.Units(element), "codes are 0 to 255."}, rules...),
	}
}

// begin loads the parameters.
func (e extremum) begin() (f window.Frame, codes Register, shift uint8) {
	element := e.Element()
	return window.NewFrame(element), vec.Param("codes"), element.Shift
}

// storeValues writes what won, too, unless values is nil.
func (e extremum) storeValues(label string, store func(to Register)) {
	to := GP64()
	vec.Note("% is where values go, if anywhere.", to)
	MOVQ(vec.Slot("values"), to)
	TESTQ(to, to)
	JZ(LabelRef(label + "Valued"))
	store(to)
	vec.Label(label+"Valued", "Values are stored, if they are wanted.")
}

// packed packs the codes of one or two vectors into bytes.
func (e extremum) packed(v vec.ISA, at []VecVirtual) VecVirtual {
	if v.Wide() {
		packed := XMM()
		if e.Float.Double() {
			VPMOVQB(at[0], packed)
		} else {
			VPMOVDB(at[0], packed)
		}
		return packed
	}
	if e.Float.Double() { // a code fills both halves of its lane: take one of each
		joined := YMM()
		VSHUFPS(Imm(0x88), at[len(at)-1], at[0], joined)
		VPERMQ(Imm(0xd8), joined, joined)
		at = []VecVirtual{joined}
	}
	words := make([]VecVirtual, len(at))
	for i := range at {
		words[i] = XMM()
		VEXTRACTI128(Imm(1), at[i], words[i])
		VPACKSSDW(words[i], at[i].AsX(), words[i])
	}
	packed := XMM()
	VPACKUSWB(words[len(at)-1], words[0], packed)
	return packed
}

// storeCodes writes the codes of one or two vectors.
func (e extremum) storeCodes(v vec.ISA, where []VecVirtual, to Mem) {
	lanes := v.Bytes / e.Float.Bytes
	step := len(where) // vectors that are packed together
	if v.Wide() {
		step = 1
	}
	vec.Note("The codes in % become bytes.", where)
	for i := 0; i < len(where); i += step {
		codes := e.packed(v, where[i:i+step])
		switch to := to.Offset(i * lanes); step * lanes {
		case 16:
			VMOVDQU(codes, to)
		case 8:
			VMOVQ(codes, to)
		default:
			VMOVD(codes, to)
		}
	}
}

func (e extremum) wide(v vec.ISA) {
	e.function("codeWide", v, "a vector of numbers or more", ", fetches int", window.AtLeast(v.Bytes/e.Float.Bytes), window.Fetches).Begin()
	f, codes, shift := e.begin()
	row := vec.NewRow("", f.N, v.Bytes, 2)
	place := GP64()
	block := func(vectors int, label string) {
		acc, where := make([]VecVirtual, vectors), make([]VecVirtual, vectors)
		for i := range acc {
			acc[i], where[i] = v.Vector(), v.Vector()
		}
		base := GP64()
		vec.Note("% is this block of the first cell; taps are offsets from it.", base)
		LEAQ(Mem{Base: f.Src, Index: row.At, Scale: 1}, base)
		if vectors > 1 {
			window.Prefetch(f, base, vectors*v.Bytes, label)
		}
		e.Winners(v, f, codes, label, acc, where, func(offset Register, i int, to VecVirtual) {
			VMOVUPS(Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.Bytes}, to)
		})
		vec.Label(label+"Store", "The values are in %, the codes of their taps in %.", acc, where)
		e.storeValues(label, func(to Register) {
			for i := range acc {
				VMOVUPS(acc[i], Mem{Base: to, Index: row.At, Scale: 1, Disp: i * v.Bytes})
			}
		})
		MOVQ(row.At, place)
		SHRQ(U8(shift), place)
		e.storeCodes(v, where, Mem{Base: f.Dst, Index: place, Scale: 1})
	}
	f.EachOutput(func() {
		row.Each(block)
		e.storeValues("next", func(to Register) {
			ADDQ(f.N, to)
			MOVQ(to, vec.Slot("values"))
		})
		MOVQ(f.N, row.Left)
		SHRQ(U8(shift), row.Left)
		ADDQ(row.Left, f.Dst)
		ADDQ(f.Step, f.Src)
	})
}

func (e extremum) narrow() {
	v := vec.AVX2
	lanes := v.Bytes / e.Float.Bytes
	e.function("codeNarrow", v, "less than a vector of numbers", ", mask *int32", fmt.Sprintf("n is 1 to %d, ntaps and outputs at least 1.", lanes),
		fmt.Sprintf("mask has eight lanes, of which those of the first n numbers are -1 and the others 0. %d bytes are written from the first code of a cell on.", lanes)).Begin()
	f, codes, shift := e.begin()
	mask := window.LoadMask()
	vec.Note("% counts numbers again.", f.N)
	SHRQ(U8(shift), f.N)
	f.EachOutput(func() {
		acc, at := YMM(), YMM()
		e.Winners(v, f, codes, "output", []VecVirtual{acc}, []VecVirtual{at}, func(offset Register, _ int, to VecVirtual) {
			VMASKMOVPS(Mem{Base: f.Src, Index: offset, Scale: 1}, mask, to)
		})
		vec.Label("outputStore", "The values are in %, the codes of their taps in %.", acc, at)
		bytes := GP64()
		MOVQ(f.N, bytes)
		SHLQ(U8(shift), bytes)
		e.storeValues("output", func(to Register) {
			VMASKMOVPS(acc, mask, Mem{Base: to})
			ADDQ(bytes, to)
			MOVQ(to, vec.Slot("values"))
		})
		e.storeCodes(v, []VecVirtual{at}, Mem{Base: f.Dst})
		f.NextOutput()
	})
}

func (e extremum) quad() {
	v := vec.AVX2
	e.function("codeQuad", v, "up to four numbers", "", window.QuadRule, "So are their codes, as four bytes each.").Begin()
	f, codes, shift := e.begin()
	vec.Note("% counts numbers again.", f.N)
	SHRQ(U8(shift), f.N)
	f.EachQuad(func() {
		acc, at := []VecVirtual{YMM(), YMM()}, []VecVirtual{YMM(), YMM()}
		e.Winners(v, f, codes, "output", acc, at, window.QuadLoader(f))
		vec.Label("outputStore", "The values are in %, the codes of their taps in %, one output in each half.", acc, at)
		e.storeValues("output", func(to Register) {
			for _, x := range acc {
				VMOVUPS(x.AsX(), Mem{Base: to})
				VEXTRACTF128(Imm(1), x, Mem{Base: to, Index: f.N, Scale: 4})
				LEAQ(Mem{Base: to, Index: f.N, Scale: 8}, to)
			}
			MOVQ(to, vec.Slot("values"))
		})
		packed := e.packed(v, at)
		vec.Note("% has four bytes of codes for each output.", packed)
		for i := range 4 {
			if i == 0 {
				VMOVD(packed, Mem{Base: f.Dst})
			} else {
				VPEXTRD(Imm(uint64(i)), packed, Mem{Base: f.Dst})
			}
			ADDQ(f.N, f.Dst)
		}
	})
}
