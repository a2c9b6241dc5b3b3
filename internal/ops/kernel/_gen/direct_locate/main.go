// Command direct_locate writes the functions that also say where each maximum or
// minimum was. Tap t has the number codes[t] relative to the first one; a vector
// keeps the number of the tap beside each value and becomes 64 bits wide once, when
// the window is done: base, plus what the lane adds, plus the tap's number.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

func main() {
	vec.Main("pool/direct_locate", func() {
		for _, e := range window.Extrema(vec.Float32) {
			for _, v := range vec.ISAs {
				wide(v, e)
			}
			narrow(e)
			quad(e)
		}
	})
}

var parameters = window.Float32s.Parameters() + ", codes *int32, argmax *int64, lanes *int64, base, baseStep, laneStep int"

func does(e window.Extremum, cells string) string {
	return "reduces windows over cells of " + cells + " to their " + e.Word() + "imum, and numbers the cells where it was found. " + e.Rule()
}

func loop(e window.Extremum) string {
	return e.WinnerLoop(`		dst[o*n+i] = v
		argmax[o*n+i] = int64(base + o*baseStep + i*laneStep + int(codes[won]))`)
}

const lanesRule = "lanes has the first 8 multiples of laneStep."

// positions holds the registers of what numbers cells.
type positions struct{ codes, argmax, base Register }

func newPositions() positions {
	p := vec.Params("codes", "argmax", "base")
	return positions{p[0], p[1], p[2]}
}

// origin sets a vector of 64-bit lanes to the numbers of the first tap of the
// cell's numbers from at (in bytes) on.
func origin(v vec.ISA, p positions, at Register) VecVirtual {
	first, pointer, vector := GP64(), GP64(), v.Vector()
	vec.Note("% has the numbers of the first tap of the first lanes.", vector)
	if at == nil {
		VPBROADCASTQ(vec.Lane(p.base), vector)
	} else {
		MOVQ(at, first)
		SHRQ(U8(2), first)
		IMULQ(vec.Slot("laneStep"), first)
		ADDQ(p.base, first)
		VPBROADCASTQ(vec.Lane(first), vector)
	}
	MOVQ(vec.Slot("lanes"), pointer)
	VPADDQ(Mem{Base: pointer}, vector, vector)
	return vector
}

// widened returns the 64-bit numbers of half of a vector's lanes.
func widened(v vec.ISA, at VecVirtual, high bool, from VecVirtual) VecVirtual {
	wide := v.Vector()
	part := at.AsX()
	if v.Wide() {
		part = at.AsY()
	}
	if high {
		upper := v.Half()
		if v.Wide() {
			VEXTRACTI64X4(Imm(1), at, upper)
		} else {
			VEXTRACTI128(Imm(1), at, upper)
		}
		part = upper
	}
	VPMOVSXDQ(part, wide)
	VPADDQ(from, wide, wide)
	return wide
}

// nextNumbers moves on to the numbers of the next output.
func (p positions) nextNumbers(f window.Frame) {
	LEAQ(Mem{Base: p.argmax, Index: f.N, Scale: 2}, p.argmax)
	ADDQ(vec.Slot("baseStep"), p.base)
}

func wide(v vec.ISA, e window.Extremum) {
	lanes := v.Bytes / 4
	vec.Func{
		Name:      e.Name("locateWide", v),
		Signature: "func(" + parameters + ", stream, fetches int)",
		Does:      does(e, "a vector of numbers or more"),
		Loop:      loop(e),
		Rules: []string{
			window.Units(window.Float32s), window.AtLeast(lanes), lanesRule,
			window.Streams(v.Bytes, lanes), "So must argmax be aligned.", window.Fetches,
		},
	}.Begin()
	f, p := window.NewFrame(window.Float32s), newPositions()
	row := vec.NewRow("", f.N, v.Bytes, 2)
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
		e.Winners(v, f, p.codes, label, acc, where, func(offset Register, i int, to VecVirtual) {
			VMOVUPS(Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.Bytes}, to)
		})
		vec.Label(label+"Store", "The values are in %, the codes of their taps in %.", acc, where)
		from, further := origin(v, p, row.At), v.Vector()
		step := GP64()
		vec.Note("% is from the numbers of these lanes to those of the next.", further)
		MOVQ(vec.Slot("laneStep"), step)
		SHLQ(U8(map[bool]uint8{false: 2, true: 3}[v.Wide()]), step)
		VPBROADCASTQ(vec.Lane(step), further)
		first := v.Vector()
		store := func(from VecVirtual, values, numbers func(x, m Op)) {
			for i := range acc {
				values(acc[i], Mem{Base: f.Dst, Index: row.At, Scale: 1, Disp: i * v.Bytes})
				for half, high := range []bool{false, true} {
					wide := widened(v, where[i], high, from)
					numbers(wide, Mem{Base: p.argmax, Index: row.At, Scale: 2, Disp: (2*i + half) * v.Bytes})
					VPADDQ(further, from, from)
				}
			}
		}
		vec.Either(vec.Slot("stream"), label, func() {
			VMOVUPS(from, first)
			store(first, func(x, m Op) { VMOVUPS(x, m) }, func(x, m Op) { VMOVUPS(x, m) })
		}, func() {
			store(from, func(x, m Op) { VMOVNTPS(x, m) }, func(x, m Op) { VMOVNTDQ(x, m) })
		})
	}
	f.EachOutput(func() {
		row.Each(block)
		ADDQ(f.N, f.Dst)
		p.nextNumbers(f)
		ADDQ(f.Step, f.Src)
	})
}

func narrow(e window.Extremum) {
	v := vec.AVX2
	vec.Func{
		Name:      e.Name("locateNarrow", v),
		Signature: "func(" + parameters + ", mask *int32)",
		Does:      does(e, "less than a vector of numbers"),
		Loop:      loop(e),
		Rules:     []string{window.Units(window.Float32s), "n is 1 to 8, ntaps and outputs at least 1.", lanesRule, window.Masked},
	}.Begin()
	f, p := window.NewFrame(window.Float32s), newPositions()
	pointer, mask, masks := vec.Param("mask"), YMM(), []VecVirtual{YMM(), YMM()}
	vec.Note("% has the lanes of a cell, % those of its numbers of 64 bits.", mask, masks)
	VMOVUPS(Mem{Base: pointer}, mask)
	VPMOVSXDQ(Mem{Base: pointer}, masks[0])
	VPMOVSXDQ(Mem{Base: pointer, Disp: 16}, masks[1])
	f.EachOutput(func() {
		acc, at := YMM(), YMM()
		e.Winners(v, f, p.codes, "output", []VecVirtual{acc}, []VecVirtual{at}, func(offset Register, _ int, to VecVirtual) {
			VMASKMOVPS(Mem{Base: f.Src, Index: offset, Scale: 1}, mask, to)
		})
		vec.Label("outputStore", "The values are in %, the codes of their taps in %.", acc, at)
		VMASKMOVPS(acc, mask, Mem{Base: f.Dst})
		lanes, from := GP64(), YMM()
		MOVQ(vec.Slot("lanes"), lanes)
		for half, high := range []bool{false, true} {
			VPBROADCASTQ(vec.Lane(p.base), from)
			VPADDQ(Mem{Base: lanes, Disp: 32 * half}, from, from)
			VPMASKMOVQ(widened(v, at, high, from), masks[half], Mem{Base: p.argmax, Disp: 32 * half})
		}
		ADDQ(f.N, f.Dst)
		p.nextNumbers(f)
		ADDQ(f.Step, f.Src)
	})
}

func quad(e window.Extremum) {
	v := vec.AVX2
	vec.Func{
		Name:      e.Name("locateQuad", v),
		Signature: "func(" + parameters + ")",
		Does:      does(e, "up to four numbers"),
		Loop:      loop(e),
		Rules:     []string{window.Units(window.Float32s), window.QuadRule, "So are their numbers.", lanesRule},
	}.Begin()
	f, p := window.NewFrame(window.Float32s), newPositions()
	f.EachQuad(func() {
		acc, at := []VecVirtual{YMM(), YMM()}, []VecVirtual{YMM(), YMM()}
		e.Winners(v, f, p.codes, "output", acc, at, window.QuadLoader(f))
		vec.Label("outputStore", "The values are in %, the codes of their taps in %, one output in each half.", acc, at)
		from, step := origin(v, p, nil), YMM()
		more := GP64()
		vec.Note("% is from the numbers of an output to those of the next.", step)
		MOVQ(vec.Slot("baseStep"), more)
		VPBROADCASTQ(vec.Lane(more), step)
		LEAQ(Mem{Base: p.base, Index: more, Scale: 4}, p.base)
		for i := range acc {
			f.StoreQuad(acc[i : i+1])
			for _, high := range []bool{false, true} {
				VMOVUPS(widened(v, at[i], high, from), Mem{Base: p.argmax})
				LEAQ(Mem{Base: p.argmax, Index: f.N, Scale: 2}, p.argmax)
				VPADDQ(step, from, from)
			}
		}
	})
}
