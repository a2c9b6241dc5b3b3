// Command direct_average writes the functions that sum windows of float32 in
// float64, multiply by the divisor's reciprocal and round. They add in the order of
// the separable kernel, cells to rows, rows to planes, planes to the window, so that
// both agree to the bit. Sums begin at -0, the one number that changes nothing it is
// added to.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

func main() {
	vec.Main("pool/direct_average", func() {
		window.MinusZero(minusZero)
		for _, v := range vec.ISAs {
			wide(v)
			band(v)
			band3x3(v)
		}
		quad()
		even()
		narrow()
	})
}

const minusZero = "negativeZero"

var parameters = window.Float32s.Parameters() + ", nx, ny int, reciprocal float64"

const (
	does = "in rows of nx taps and planes of ny rows, in float64, rounded once."
	loop = `
for o := range outputs {
	for i := range n {
		window, t := minusZero, 0
		for t < ntaps {
			plane := minusZero
			for range ny {
				row := minusZero
				for range nx {
					row += float64(src[o*step/4+i+taps[t]/4])
					t++
				}
				plane += row
			}
			window += plane
		}
		dst[o*n+i] = float32(window * reciprocal)
	}
}`
	whole = "ntaps is a multiple of nx*ny, which are at least 1, as outputs is; reciprocal is 1 divided by the divisor."
)

// totals are a block's sums at the three depths.
type totals struct{ window, plane, row []VecVirtual }

func newTotals(v vec.ISA, vectors int) totals {
	t := totals{v.Vectors(vectors), v.Vectors(vectors), v.Vectors(vectors)}
	vec.Note("Sums of windows in %, of planes in %, of rows in %.", t.window, t.plane, t.row)
	return t
}

// walk holds the registers of the loops over a window.
type walk struct{ tap, end, x, y, offset Register }

func newWalk() walk { return walk{GP64(), GP64(), GP64(), GP64(), GP64()} }

// sum adds up all taps and returns the averages in float64. load converts vector i
// of the tap at an offset to float64.
func (s totals) sum(v vec.ISA, f window.Frame, w walk, label string, load window.Loader) []VecVirtual {
	begin := func(list []VecVirtual) {
		for _, r := range list {
			VBROADCASTSD(window.MinusZero(minusZero), r)
		}
	}
	add := func(from, to []VecVirtual) {
		for i := range from {
			VADDPD(from[i], to[i], to[i])
		}
	}
	MOVQ(f.Taps, w.tap)
	LEAQ(Mem{Base: f.Taps, Index: f.NTaps, Scale: 8}, w.end)
	begin(s.window)
	vec.Label(label+"Plane", "A plane, of the taps from % to %.", w.tap, w.end)
	begin(s.plane)
	MOVQ(vec.Slot("ny"), w.y)
	vec.Label(label+"Row", "A row; % of the plane are left.", w.y)
	begin(s.row)
	MOVQ(vec.Slot("nx"), w.x)
	vec.Label(label+"Cell", "A cell at offset %; % of the row are left.", w.offset, w.x)
	MOVQ(Mem{Base: w.tap}, w.offset)
	for i := range s.row {
		cell := v.Vector()
		load(w.offset, i, cell)
		VADDPD(cell, s.row[i], s.row[i])
	}
	ADDQ(U8(8), w.tap)
	DECQ(w.x)
	JNZ(LabelRef(label + "Cell"))
	add(s.row, s.plane)
	DECQ(w.y)
	JNZ(LabelRef(label + "Row"))
	add(s.plane, s.window)
	CMPQ(w.tap, w.end)
	JNE(LabelRef(label + "Plane"))
	window.Scale(window.Reciprocal(v), s.window)
	return s.window
}

func wide(v vec.ISA) {
	half := v.Bytes / 2
	vec.Func{
		Name:      "averageWide" + v.Name,
		Signature: "func(" + parameters + ", stream, fetches int)",
		Does:      "averages windows over cells of half a vector of numbers or more, " + does,
		Loop:      loop,
		Rules:     []string{window.Units(window.Float32s), window.AtLeast(half / 4), whole, window.Streams(half, half/4), window.Fetches},
	}.Begin()
	f, w := window.NewFrame(window.Float32s), newWalk()
	row := vec.NewRow("", f.N, half, 4)
	base := GP64()
	f.EachOutput(func() {
		row.Each(func(vectors int, label string) {
			s := newTotals(v, vectors)
			vec.Note("% is this block of the first cell; taps are offsets from it.", base)
			LEAQ(Mem{Base: f.Src, Index: row.At, Scale: 1}, base)
			if vectors > 1 {
				window.Prefetch(f, base, vectors*half, label)
			}
			averages := s.sum(v, f, w, label, func(offset Register, i int, to VecVirtual) {
				VCVTPS2PD(Mem{Base: base, Index: offset, Scale: 1, Disp: i * half}, to)
			})
			var results []VecVirtual
			for _, r := range averages {
				results = append(results, window.Rounded(v, r))
			}
			vec.Store(vec.Slot("stream"), label, Mem{Base: f.Dst, Index: row.At, Scale: 1}, half, results)
		})
		f.NextOutput()
	})
}

func quad() {
	v := vec.AVX2
	vec.Func{
		Name:      "averageQuadAVX2",
		Signature: "func(" + parameters + ", fetches int)",
		Does:      "averages windows over cells of up to four numbers, " + does,
		Loop:      loop,
		Rules:     []string{window.Units(window.Float32s), whole, window.QuadRule, window.Fetches},
	}.Begin()
	f, w := window.NewFrame(window.Float32s), newWalk()
	three, base := GP64(), GP64()
	vec.Note("% is three steps.", three)
	LEAQ(Mem{Base: f.Step, Index: f.Step, Scale: 2}, three)
	f.EachQuad(func() {
		window.Prefetch(f, f.Src, window.QuadBytes, "output")
		s := newTotals(v, 4)
		averages := s.sum(v, f, w, "output", func(offset Register, i int, to VecVirtual) {
			switch i {
			case 0:
				LEAQ(Mem{Base: f.Src, Index: offset, Scale: 1}, base)
				VCVTPS2PD(Mem{Base: base}, to)
			case 3:
				VCVTPS2PD(Mem{Base: base, Index: three, Scale: 1}, to)
			default:
				VCVTPS2PD(Mem{Base: base, Index: f.Step, Scale: uint8(i)}, to)
			}
		})
		for _, r := range averages {
			VMOVUPS(window.Rounded(v, r), Mem{Base: f.Dst})
			ADDQ(f.N, f.Dst)
		}
	})
}

func even() {
	v := vec.AVX2
	vec.Func{
		Name:      "averageEvenAVX2",
		Signature: "func(" + window.EvenParameters + ", nx, ny int, reciprocal float64, fetches int)",
		Does:      "averages windows over cells of one number at stride 2, " + does,
		Loop: `
for o := range outputs {
	window, t := minusZero, 0
	for t < ntaps {
		plane := minusZero
		for range ny {
			row := minusZero
			for range nx {
				row += float64(src[2*o+taps[t]/4])
				t++
			}
			plane += row
		}
		window += plane
	}
	dst[o] = float32(window * reciprocal)
}`,
		Rules: []string{window.EvenRule, "outputs is at least 4;", whole, window.Fetches},
	}.Begin()
	f, w := window.NewEvenFrame(), newWalk()
	f.EachEven(16, 4, func(outputs int, label string) {
		if outputs > 4 {
			window.Prefetch(f, f.Src, 8*outputs, label)
		}
		averages := newTotals(v, outputs/4).sum(v, f, w, label, func(offset Register, i int, to VecVirtual) {
			m := Mem{Base: f.Src, Index: offset, Scale: 1, Disp: 32 * i}
			VMOVUPS(m, to.AsX())
			VSHUFPS(U8(window.Evens), m.Offset(12), to.AsX(), to.AsX())
			VCVTPS2PD(to.AsX(), to)
		})
		for i, r := range averages {
			VMOVUPS(window.Rounded(v, r), Mem{Base: f.Dst, Disp: 16 * i})
		}
	})
}

func narrow() {
	v := vec.AVX2
	vec.Func{
		Name:      "averageNarrowAVX2",
		Signature: "func(" + parameters + ", mask *int32)",
		Does:      "averages windows over cells of up to eight numbers, " + does,
		Loop:      loop,
		Rules:     []string{window.Units(window.Float32s), whole, "n is 1 to 8.", window.Masked},
	}.Begin()
	f, w := window.NewFrame(window.Float32s), newWalk()
	pointer, masks := vec.Param("mask"), []VecVirtual{XMM(), XMM()}
	vec.Note("% have the lanes of a cell.", masks)
	for i, mask := range masks {
		VMOVUPS(Mem{Base: pointer, Disp: 16 * i}, mask)
	}
	f.EachOutput(func() {
		s := newTotals(v, 2)
		averages := s.sum(v, f, w, "output", func(offset Register, i int, to VecVirtual) {
			cell := XMM()
			VMASKMOVPS(Mem{Base: f.Src, Index: offset, Scale: 1, Disp: 16 * i}, masks[i], cell)
			VCVTPS2PD(cell, to)
		})
		for i, r := range averages {
			VMASKMOVPS(window.Rounded(v, r), masks[i], Mem{Base: f.Dst, Disp: 16 * i})
		}
		f.NextOutput()
	})
}
