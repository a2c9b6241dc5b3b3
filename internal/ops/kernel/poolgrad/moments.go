package poolgrad

import (
	"math"

	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Moments is the gradient of variances and standard deviations. The sums are over the
// windows that see x; such a window has n cells, the mean m and the standard deviation s:
//
//	variances  dx = Σ dy 2 (x - m) / n
//	deviations dx = Σ dy (x - m) / (n s), 0 where s is 0
//
// Both are x Σw - Σ(w m) of weights w, whose sums spreading computes for all windows.
// Windows of equal cells have the weight 0, so that they add exactly 0.
// A weight of extreme magnitude is replaced by NaN. Cells that see such a window are
// computed by the formulas above, whose ratios (x - m) / s do not overflow.
type Moments struct{ pool.Spec } // DType: Float64, of all tensors

// Weight returns the function that gives the weight of a window: share is dy / n,
// deviation its standard deviation.
func (k *Moments) Weight() func(share, deviation float64) float64 {
	const least, most = 1e-280, 1e280
	return func(share, deviation float64) float64 {
		if deviation == 0 {
			return 0
		}
		w := 2 * share
		if k.Reduction == pool.Deviation {
			w = share / deviation
		}
		if size := math.Abs(w); size != 0 && !(size >= least && size <= most) {
			return math.NaN()
		}
		return w
	}
}

// MomentTensors are what the gradient is computed of.
type MomentTensors struct{ Weights, Centres, Shares, Means, Deviations, Src *tensor.Tensor }

// Run computes the gradient of the numbers lo <= i < hi of the input: Weights are the
// sums of w, and Centres those of w m.
func (k *Moments) Run(dstTensor *tensor.Tensor, t MomentTensors, lo, hi int) {
	dst, src := tensor.Of[float64](dstTensor), tensor.Of[float64](t.Src)
	weights, centres := tensor.Of[float64](t.Weights), tensor.Of[float64](t.Centres)
	for i := lo; i < hi; i++ {
		x := src[i]
		if x != x && k.IgnoreNaN {
			dst[i] = 0
			continue
		}
		if dst[i] = float64(x*weights[i]) - centres[i]; dst[i]-dst[i] != 0 {
			dst[i] = k.cell(t, i)
		}
	}
}

// cell computes the gradient of one cell from all windows that see it.
func (k *Moments) cell(t MomentTensors, i int) (sum float64) {
	x := tensor.Of[float64](t.Src)[i]
	shares, means, deviations := tensor.Of[float64](t.Shares), tensor.Of[float64](t.Means), tensor.Of[float64](t.Deviations)
	v := newViewers(&k.Spec, i)
	v.each(func(at int, _ [3]int) {
		switch {
		case deviations[at] == 0:
		case k.Reduction == pool.Variance:
			sum += 2 * shares[at] * (x - means[at])
		default:
			sum += shares[at] * ((x - means[at]) / deviations[at])
		}
	})
	return sum
}
