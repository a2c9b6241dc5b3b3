// Command direct writes the functions that reduce whole windows of float32 in
// registers. Tap t of an output stands taps[t] bytes after its first one, so that
// windows of any size, dilation and border are lists of offsets, in row-major
// order.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

func main() {
	vec.Main("pool/direct", func() {
		for _, e := range window.Extrema(vec.Float32) {
			for _, v := range vec.ISAs {
				wide(v, e)
			}
			narrow(e)
			quad(e)
			even(e)
			permuted(e)
			if e.IgnoreNaN {
				for _, v := range vec.ISAs {
					band3x3(v, window.Extremum{Float: e.Float, Minimum: e.Minimum})
				}
			}
		}
	})
}

// does is what the functions of an extremum do, with its rule.
func does(e window.Extremum, cells string) string {
	return "reduces windows over cells of " + cells + " to their " + e.Word() + "imum. " + e.Rule()
}

// wide writes the function for cells of at least a vector.
func wide(v vec.ISA, e window.Extremum) {
	window.Wide(v, e.Element(), vec.Func{Name: e.Name("wide", v), Does: does(e, "a vector of numbers or more"), Loop: e.Loop()},
		func(f window.Frame, label string, acc []VecVirtual, load window.Loader) {
			e.Window(v, f, label, acc, load)
		})
}

var parameters = window.Float32s.Parameters()

// narrow writes the AVX2 function for cells of less than a vector: one output at
// a time, by masked loads and stores.
func narrow(e window.Extremum) {
	v := vec.AVX2
	vec.Func{
		Name:      e.Name("narrow", v),
		Signature: "func(" + parameters + ", mask *int32)",
		Does:      does(e, "less than a vector of numbers"),
		Loop:      e.Loop(),
		Rules:     []string{window.Units(window.Float32s), "n is 1 to 8, ntaps and outputs at least 1.", window.Masked},
	}.Begin()
	f, mask := window.NewFrame(window.Float32s), window.LoadMask()
	f.EachOutput(func() {
		acc := []VecVirtual{YMM()}
		e.Window(v, f, "output", acc, func(offset Register, _ int, to VecVirtual) {
			VMASKMOVPS(Mem{Base: f.Src, Index: offset, Scale: 1}, mask, to)
		})
		vec.Label("outputStore", "The results are in %.", acc)
		VMASKMOVPS(acc[0], mask, Mem{Base: f.Dst})
		f.NextOutput()
	})
}

// quad writes the AVX2 function for cells of up to four numbers: four outputs in
// two vectors.
func quad(e window.Extremum) {
	v := vec.AVX2
	vec.Func{
		Name:      e.Name("quad", v),
		Signature: "func(" + parameters + ", fetches int)",
		Does:      does(e, "up to four numbers"),
		Loop:      e.Loop(),
		Rules:     []string{window.Units(window.Float32s), window.QuadRule, window.Fetches},
	}.Begin()
	f := window.NewFrame(window.Float32s)
	f.EachQuad(func() {
		window.Prefetch(f, f.Src, window.QuadBytes, "output")
		acc := []VecVirtual{YMM(), YMM()}
		e.Window(v, f, "output", acc, window.QuadLoader(f))
		vec.Label("outputStore", "The results are in %, one output in each half.", acc)
		f.StoreQuad(acc)
	})
}

// even writes the AVX2 function for single numbers at stride 2: a vector of the same
// tap is every other number of two. Halves are then in the order 0 1 4 5, 2 3 6 7.
func even(e window.Extremum) {
	v := vec.AVX2
	vec.Func{
		Name:      e.Name("even", v),
		Signature: "func(" + window.EvenParameters + ", fetches int)",
		Does:      does(e, "one number at stride 2"),
		Loop:      e.EvenLoop(),
		Rules:     []string{window.EvenRule, "outputs is at least 8, ntaps at least 1.", window.Fetches},
	}.Begin()
	f := window.NewEvenFrame()
	f.EachEven(16, 8, func(outputs int, label string) {
		acc := v.Vectors(outputs / 8)
		if outputs > 8 {
			window.Prefetch(f, f.Src, 8*outputs, label)
		}
		e.Window(v, f, label, acc, func(offset Register, i int, to VecVirtual) {
			m := Mem{Base: f.Src, Index: offset, Scale: 1, Disp: 64 * i}
			VMOVUPS(m, to)
			VSHUFPS(U8(window.Evens), m.Offset(28), to, to)
		})
		vec.Label(label+"Store", "The results are in %, in the order 0 1 4 5, 2 3 6 7.", acc)
		for i, a := range acc {
			VPERMPD(U8(window.Evens), a, a)
			VMOVUPS(a, Mem{Base: f.Dst, Disp: 32 * i})
		}
	})
}

// permuted writes the AVX-512 function for cells of less than a vector: as many
// outputs as 32 numbers of a row hold are gathered by VPERMT2PS.
func permuted(e window.Extremum) {
	v := vec.AVX512
	vec.Func{
		Name:      e.Name("permuted", v),
		Signature: "func(" + parameters + ", lanes *int32, low, high, store int)",
		Does:      does(e, "less than a vector of numbers, several cells at once"),
		Loop:      e.PermutedLoop(),
		Rules: []string{
			"n counts numbers, at most 16, of all cells of a step together; taps and step are bytes, step from the first cell of a step to that of the next; outputs counts steps, at least 1.",
			"lanes has for each of the n numbers which of the 32 from a tap on it is. low, high and store are masks of 16 bits: of the first 16 and the last 16 numbers that are read, and of the n that are written. What the masks leave out is not touched.",
		},
	}.Begin()
	f := window.NewFrame(window.Float32s)
	pointer, index := vec.Param("lanes"), ZMM()
	vec.Note("% says which of 32 numbers each lane takes.", index)
	VMOVUPS(Mem{Base: pointer}, index)
	masks := []Register{K(), K(), K()}
	vec.Note("% are the masks of what is read, low and high, and of what is stored.", masks)
	for i, name := range []string{"low", "high", "store"} {
		KMOVW(vec.Param(name).(GPVirtual).As32(), masks[i])
	}
	f.EachOutput(func() {
		acc := []VecVirtual{ZMM()}
		e.Window(v, f, "output", acc, func(offset Register, _ int, to VecVirtual) {
			high := ZMM()
			VMOVUPS_Z(Mem{Base: f.Src, Index: offset, Scale: 1}, masks[0], to)
			VMOVUPS_Z(Mem{Base: f.Src, Index: offset, Scale: 1, Disp: v.Bytes}, masks[1], high)
			VPERMT2PS(high, index, to)
		})
		vec.Label("outputStore", "The results are in %.", acc)
		VMOVUPS(acc[0], masks[2], Mem{Base: f.Dst})
		f.NextOutput()
	})
}

// band3x3 writes the maxima or minima of 3x3 windows, and whether there was a NaN,
// which they pass over.
func band3x3(v vec.ISA, e window.Extremum) {
	lanes := v.Bytes / 4
	vec.Func{
		Name:      e.BandName(v),
		Signature: "func(" + window.BandParameters + ") (nan int)",
		Does:      "reduces outputs rows of 3x3 windows to their " + e.Word() + "imum. A result of windows with NaN is not to be used: nan is then not 0.",
		Loop:      e.BandLoop(),
		Rules:     window.BandRules(lanes),
	}.Begin()
	nan := v.Mask()
	vec.Note("% notes NaN.", nan)
	e.Clear(v, nan)
	window.Band{
		ISA:   v,
		Bytes: v.Bytes,
		Row: func(h []VecVirtual, cell func(tap, i int) Mem) {
			for tap := range 3 {
				cells := make([]VecVirtual, len(h))
				for i := range h {
					if cells[i] = h[i]; tap > 0 {
						cells[i] = v.Vector()
					}
					VMOVUPS(cell(tap, i), cells[i])
				}
				e.Gather(v, nan, cells[0], cells[len(h)-1])
				for i := range h {
					if tap > 0 {
						e.Strict(h[i], cells[i], h[i])
					}
				}
			}
		},
		Rows: func(h0, h1, h2 []VecVirtual) (results []VecVirtual, bytes int) {
			for _, h := range [][]VecVirtual{h1, h2} {
				for i := range h0 {
					e.Strict(h0[i], h[i], h0[i])
				}
			}
			return h0, v.Bytes
		},
	}.Generate(vec.LineBytes / v.Bytes)
	found := GP64()
	vec.Note("% is not 0 where there was a NaN.", found)
	if v.Wide() {
		KMOVW(nan, found.As32())
	} else {
		VMOVMSKPS(nan, found.As32())
	}
	Store(found, ReturnIndex(0))
	vec.Return()
}
