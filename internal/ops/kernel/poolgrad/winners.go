package poolgrad

import (
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Winners finds which tap won each window of maximum or minimum pooling, and the
// value too if it is wanted. A tap is a byte: its number in row-major order of the
// whole window. That is all that the gradient needs, in an eighth of the memory of
// an argmax.
type Winners struct {
	pool.Spec
	Last  bool // of equal winners the last one instead of the first
	Impl  string
	Units int
	rows  outputRows
}

// mostCodes is the most taps that a byte can tell apart. Larger windows have few
// outputs, or are faster axis by axis.
const mostCodes = 1 << 8

// codeBlock is how many numbers plain Go compares at a time.
const codeBlock = 512

// codeRun is a series of windows that have the same taps: outputs of n numbers
// each, whose first cells stand step numbers apart in src.
type codeRun[T tensor.Real] struct {
	src              []T
	taps             []int   // from the first cell to each tap; bytes for assembly, else numbers
	fetches          int     // offsets behind the taps, of what is worth fetching early
	codes            []int32 // of the taps
	n, outputs, step int
	winners          []uint8
	values           []T     // what won, if that is wanted
	spare            []uint8 // 8 bytes that may be written instead of what follows winners
}

// codeFinder returns the assembly for a type, or nil.
func codeFinder[T tensor.Real](level kernel.Level, kind kernel.ExtremumKind) func(r codeRun[T]) {
	for _, f := range [...]any{codeTables32[level][kind], codeTables64[level][kind]} {
		if f, ok := f.(func(r codeRun[T])); ok {
			return f
		}
	}
	return nil
}

// NewWinners plans the winners of Max or Min, or says why there must be an
// argmax instead.
func NewWinners(spec pool.Spec, last bool) (k *Winners, refusal string) {
	g := &spec.Geometry
	if n := g.Taps(); n > mostCodes {
		return nil, fmt.Sprintf("windows of %d cells, want at most %d", n, mostCodes)
	}
	if n := pool.ReadsPerCell(g); n > pool.DenseTaps {
		return nil, fmt.Sprintf("it would read every cell %d times, which pays up to %d", n, pool.DenseTaps)
	}
	k = &Winners{Spec: spec, Last: last, rows: newOutputRows(&spec)}
	k.Units = k.rows.units
	assembly := spec.DType.IsFloat() && codeTables32[spec.Level][0] != nil
	k.Impl = fmt.Sprintf("winners of %s in bytes, %s", pool.WindowSize(g), kernel.ISA(spec.Level, assembly))
	return k, ""
}

// Scratch returns the bytes that a worker needs.
func (k *Winners) Scratch() int {
	n := k.Geometry.Taps()
	return 8 * (kernel.Words[int](n+pool.MostFetches) + kernel.Words[int32](n) + kernel.Words[float64](codeBlock) + kernel.Words[uint8](8))
}

// Run computes the units lo <= i < hi: dst holds uint8 in the output's shape.
func (k *Winners) Run(s *kernel.Scratch, dst, src *tensor.Tensor, lo, hi int) {
	k.RunValues(s, dst, nil, src, lo, hi)
}

// RunValues is Run that also writes what won, the pooled numbers, unless values is
// nil.
func (k *Winners) RunValues(s *kernel.Scratch, dst, values, src *tensor.Tensor, lo, hi int) {
	winnersOf.For(k.DType)(k, s, dst, values, src, lo, hi)
}

var winnersOf = tensor.PerReal(winners[uint8], winners[int8], winners[uint16], winners[int16],
	winners[uint32], winners[int32], winners[uint64], winners[int64], winners[float32], winners[float64])

func winners[T tensor.Real](k *Winners, s *kernel.Scratch, dstTensor, valuesTensor, srcTensor *tensor.Tensor, lo, hi int) {
	dst, src := tensor.Of[uint8](dstTensor), tensor.Of[T](srcTensor)
	var values []T
	if valuesTensor != nil {
		values = tensor.Of[T](valuesTensor)
	}
	s.Reset()
	n := k.Geometry.Taps()
	taps, codes := kernel.Take[int](s, n+pool.MostFetches), kernel.Take[int32](s, n)
	best, spare := kernel.Take[T](s, codeBlock), kernel.Take[uint8](s, 8)
	kind := kernel.KindOf(k.Reduction == pool.Min, k.IgnoreNaN)
	better := [4]func(best []T, code []uint8, cell []T, tap uint8){codeMax[T], codeMaxIgnoreNaN[T], codeMin[T], codeMinIgnoreNaN[T]}[kind]
	find, scale := codeFinder[T](k.Level, kind), 1
	if find != nil {
		scale = k.DType.Size()
	}
	fetch := find != nil && scale*len(src) >= pool.FetchBytes
	k.rows.each(lo, hi, func(w windows) {
		r := codeRun[T]{src: src[w.src:], n: k.rows.inner, outputs: w.outputs, step: k.Geometry.Axes[2].Stride * k.rows.inner,
			winners: dst[w.dst : w.dst+w.outputs*k.rows.inner], spare: spare}
		if values != nil {
			r.values = values[w.dst : w.dst+w.outputs*k.rows.inner]
		}
		r.taps, r.codes = k.rows.list(taps, codes, &w, scale)
		if fetch {
			r.fetches = pool.AddFetches(&k.rows.axes, scale*k.rows.inner, r.taps, w.count)
		}
		if k.Last { // the first one seen from the other end
			slices.Reverse(r.taps)
			slices.Reverse(r.codes)
		}
		if find != nil {
			find(r)
		} else {
			findCodes(&r, best, better)
		}
	})
}

// findCodes is the plain form: the best numbers of a block so far, and whose
// they are, tap by tap.
func findCodes[T tensor.Real](r *codeRun[T], best []T, better func(best []T, code []uint8, cell []T, tap uint8)) {
	n, outputs := r.n, r.outputs
	if r.step == n { // side by side: one long cell
		n, outputs = n*outputs, 1
	}
	for o := range outputs {
		for at := 0; at < n; at += len(best) {
			size := min(len(best), n-at)
			best, winners := best[:size], r.winners[o*n+at:][:size]
			cell := r.src[o*r.step+at:]
			copy(best, cell[r.taps[0]:])
			for i := range winners {
				winners[i] = uint8(r.codes[0])
			}
			for t := 1; t < len(r.taps); t++ {
				better(best, winners, cell[r.taps[t]:], uint8(r.codes[t]))
			}
			if r.values != nil {
				copy(r.values[o*n+at:], best)
			}
		}
	}
}

// The functions below replace the best of a block where a later tap is better.

func codeMax[T tensor.Real](best []T, code []uint8, cell []T, tap uint8) {
	code, cell = code[:len(best)], cell[:len(best)]
	for i, v := range best {
		if w := cell[i]; w > v || w != w && v == v {
			best[i], code[i] = w, tap
		}
	}
}

func codeMin[T tensor.Real](best []T, code []uint8, cell []T, tap uint8) {
	code, cell = code[:len(best)], cell[:len(best)]
	for i, v := range best {
		if w := cell[i]; w < v || w != w && v == v {
			best[i], code[i] = w, tap
		}
	}
}

func codeMaxIgnoreNaN[T tensor.Real](best []T, code []uint8, cell []T, tap uint8) {
	code, cell = code[:len(best)], cell[:len(best)]
	for i, v := range best {
		if w := cell[i]; w > v || v != v && w == w {
			best[i], code[i] = w, tap
		}
	}
}

func codeMinIgnoreNaN[T tensor.Real](best []T, code []uint8, cell []T, tap uint8) {
	code, cell = code[:len(best)], cell[:len(best)]
	for i, v := range best {
		if w := cell[i]; w < v || v != v && w == w {
			best[i], code[i] = w, tap
		}
	}
}
