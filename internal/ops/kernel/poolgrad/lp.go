package poolgrad

import (
	"math"

	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// LPNorm is the gradient of y = (Σ|x|^p)^(1/p) of finite p:
//
//	dx = sign(x) Σ dy (|x|/y)^(p-1)
//
// over the windows that see x, and 0 where x is 0. It is computed as |x|^(p-1)
// times a sum of weights dy y^(1-p), which spreading adds up for all windows. A
// weight of extreme magnitude is replaced by NaN. Cells that see such a window are
// computed by the formula above, whose ratios are at most 1.
type LPNorm struct {
	pool.Spec // DType: Float32 or Float64, of all tensors
}

// weightRange bounds weights of ordinary magnitude. Sums of them stay within the
// type's range.
func (k *LPNorm) weightRange() (least, most float64) {
	if k.DType == tensor.Float32 {
		return 1e-25, 1e25
	}
	return 1e-280, 1e280
}

// Weight returns the function that gives the weight of an output y whose upstream
// gradient is dy.
func (k *LPNorm) Weight() func(dy, y float64) float64 {
	least, most := k.weightRange()
	power := 1 - k.Power
	return func(dy, y float64) float64 {
		if y == 0 || dy == 0 && y == y {
			return 0
		}
		w := dy * math.Pow(y, power)
		if size := math.Abs(w); !(size >= least && size <= most) {
			return math.NaN()
		}
		return w
	}
}

// Run computes the gradient of the numbers lo <= i < hi of the input from the sums
// of their weights, the upstream gradient, the norms and the input.
func (k *LPNorm) Run(dst, sums, upstream, norms, src *tensor.Tensor, lo, hi int) {
	if k.DType == tensor.Float32 {
		lpNorms[float32](k, dst, sums, upstream, norms, src, lo, hi)
		return
	}
	lpNorms[float64](k, dst, sums, upstream, norms, src, lo, hi)
}

func lpNorms[F tensor.Floating](k *LPNorm, dstTensor, sumsTensor, upstreamTensor, normsTensor, srcTensor *tensor.Tensor, lo, hi int) {
	dst, sums, src := tensor.Of[F](dstTensor), tensor.Of[F](sumsTensor), tensor.Of[F](srcTensor)
	upstream, norms := tensor.Of[F](upstreamTensor), tensor.Of[F](normsTensor)
	least, most := k.weightRange()
	for i := lo; i < hi; i++ {
		x, sum := float64(src[i]), float64(sums[i])
		if x == 0 || x != x && k.IgnoreNaN {
			dst[i] = 0
			continue
		}
		if raised := math.Pow(math.Abs(x), k.Power-1); sum == sum && raised >= least && raised <= most {
			dst[i] = F(math.Copysign(raised, x) * sum)
			continue
		}
		dst[i] = F(lpCell(k, upstream, norms, src, i))
	}
}

// lpCell computes the gradient of one cell from all windows that see it.
func lpCell[F tensor.Floating](k *LPNorm, upstream, norms, src []F, i int) float64 {
	magnitude, sum := math.Abs(float64(src[i])), 0.0
	v := newViewers(&k.Spec, i)
	image := src[v.image : v.image+v.plane]
	v.each(func(at int, window [3]int) {
		norm := float64(norms[at])
		if math.IsInf(norm, 1) { // beyond the type's range, perhaps
			norm = pool.WindowNorm(&k.Geometry, image, v.inner, v.channel, window, k.Power)
		}
		sum += float64(upstream[at]) * math.Pow(magnitude/norm, k.Power-1)
	})
	return math.Copysign(1, float64(src[i])) * sum
}
