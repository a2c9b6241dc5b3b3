package pool

import (
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// ordinaryExponent is the largest power of 2 of a sum that surely has not
// overflowed; its inverse is the least that no power too small for float64 is
// missing from.
const ordinaryExponent = 900

// exponents returns the largest magnitude of the exponents of numbers other than 0.
func exponents[T tensor.Real]() float64 {
	d := tensor.TypeOf[T]()
	if d.IsInteger() {
		return float64(8 * d.Size())
	}
	if d == tensor.Float32 {
		return 149
	}
	return 1074
}

// rooting turns sums of powers into norms. Norms of sums that are not between least
// and most are WindowNorm's; there are none where least is -Inf.
type rooting[T tensor.Real, O tensor.Floating] struct {
	root        func(float64) float64
	least, most float64
}

// odd reports whether the sum is not to be trusted.
func (r *rooting[T, O]) odd(sum float64) bool { return sum < r.least || sum > r.most }

// again returns the norm of the window of number i, counted from the row's first
// output on.
func (r *rooting[T, O]) again(f *Finishing[T, O], i int) O {
	return O(WindowNorm(&f.Spec.Geometry, f.src, f.inner, i%f.inner, [3]int{f.Z, f.Y, f.x0 + i/f.inner}, f.Spec.Power))
}

// WindowNorm returns (Σ|x|^p)^(1/p) over the numbers of one window and channel of
// an image whose cells have so many numbers. It divides by the largest magnitude
// first, so that no power overflows, and none vanishes that matters. NaN are
// skipped.
func WindowNorm[T tensor.Real](g *geom.Geometry, image []T, inner, channel int, window [3]int, p float64) float64 {
	axes := &g.Axes
	z0, nz := axes[0].Cells(window[0])
	y0, ny := axes[1].Cells(window[1])
	x0, nx := axes[2].Cells(window[2])
	largest, sum := 0.0, 0.0
	for pass := range 2 {
		for i := range nz * ny {
			row := ((z0+i/ny*axes[0].Dilation)*axes[1].In + y0 + i%ny*axes[1].Dilation) * axes[2].In
			for x := range nx {
				v := math.Abs(float64(image[(row+x0+x*axes[2].Dilation)*inner+channel]))
				switch {
				case v != v:
				case pass == 0:
					largest = max(largest, v)
				default:
					sum += math.Pow(v/largest, p)
				}
			}
		}
		if largest == 0 || math.IsInf(largest, 1) {
			return largest
		}
	}
	return largest * math.Pow(sum, 1/p)
}

// lpCandidates add powers and take the root of the sum. Of infinite p the norm is
// the largest magnitude.
func lpCandidates[T tensor.Real, O tensor.Floating](spec *Spec) []candidate {
	power := powers{spec.Power, tensor.SizeOf[O]() == 4}
	root := rooting[T, O]{root: power.root(), least: math.Inf(-1), most: math.Inf(1)}
	if spec.Power*exponents[T]() > ordinaryExponent && !math.IsInf(spec.Power, 1) {
		root.least, root.most = math.Ldexp(1, -ordinaryExponent), math.Ldexp(1, ordinaryExponent)
	}
	switch {
	case math.IsInf(spec.Power, 1):
		m := extremumMethod[float64](spec.Level, false, spec.IgnoreNaN)
		return method[T, float64, O]{load: loadPower[T](power), merge: m.merge, fold: m.fold, finish: finishRoot(root), overlap: true, isa: m.isa}.candidates(spec)
	case spec.IgnoreNaN && power.narrow:
		m := tallyMethod[T, O](spec.Level)
		m.load, m.finish = loadPowerOf[T](power, tallied), finishSkippingRoot(root, func(a tally) (sum, skipped float64) { return a.sum, a.skipped })
		return m.candidates(spec)
	case spec.IgnoreNaN:
		m := countedMethod[T, O](spec.Level)
		m.load, m.finish = loadPowerOf[T](power, counting), finishSkippingRoot(root, func(a counted) (sum, skipped float64) { return a.sum.over(1, 1), a.skipped.hi })
		return m.candidates(spec)
	default:
		m := sumMethod[T, O](spec.Level)
		m.load, m.finish = loadPower[T](power), finishRoot(root)
		return m.candidates(spec)
	}
}
