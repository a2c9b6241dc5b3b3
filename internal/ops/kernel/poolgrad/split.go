package poolgrad

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TieShares divides the upstream gradient of a maximum or minimum by the number of
// winners of each window: cells that equal the result, or are NaN if it is.
type TieShares struct {
	pool.Spec
	Units int
	rows  outputRows
}

// NewTieShares plans the division; spec.DType is Float32 or Float64.
func NewTieShares(spec pool.Spec) *TieShares {
	k := &TieShares{Spec: spec, rows: newOutputRows(&spec)}
	k.Units = k.rows.units
	return k
}

// Scratch returns the bytes that a worker needs.
func (k *TieShares) Scratch() int {
	n := k.Geometry.Taps()
	return 8 * (kernel.Words[int](n) + kernel.Words[int32](n) + kernel.Words[float64](codeBlock))
}

// Run computes the units lo <= i < hi of dst = upstream / winners of x.
func (k *TieShares) Run(s *kernel.Scratch, dst, upstream, x, top *tensor.Tensor, lo, hi int) {
	if k.DType == tensor.Float32 {
		tieShares[float32](k, s, dst, upstream, x, top, lo, hi)
		return
	}
	tieShares[float64](k, s, dst, upstream, x, top, lo, hi)
}

func tieShares[F tensor.Floating](k *TieShares, s *kernel.Scratch, dstTensor, upstreamTensor, xTensor, topTensor *tensor.Tensor, lo, hi int) {
	s.Reset()
	taps, codes := kernel.Take[int](s, k.Geometry.Taps()), kernel.Take[int32](s, k.Geometry.Taps())
	counts := kernel.Take[F](s, codeBlock)
	dst, upstream := tensor.Of[F](dstTensor), tensor.Of[F](upstreamTensor)
	x, top := tensor.Of[F](xTensor), tensor.Of[F](topTensor)
	k.rows.each(lo, hi, func(w windows) {
		list, _ := k.rows.list(taps, codes, &w, 1)
		n, step := k.rows.inner, k.Geometry.Axes[2].Stride*k.rows.inner
		for o := range w.outputs {
			for c := 0; c < n; c += codeBlock {
				count := counts[:min(codeBlock, n-c)]
				clear(count)
				at := w.dst + o*n + c
				for _, tap := range list {
					countSame(count, top[at:], x[w.src+o*step+c+tap:])
				}
				for i, winners := range count {
					dst[at+i] = upstream[at+i] / winners
				}
			}
		}
	})
}

func countSame[F tensor.Floating](count, top, cell []F) {
	top, cell = top[:len(count)], cell[:len(count)]
	for i, v := range cell {
		if y := top[i]; v == y || v != v && y != y {
			count[i]++
		}
	}
}
