package pool

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// lpCandidates add powers and take the root of the sum. Of infinite p the norm is
// the largest magnitude.
func lpCandidates[T tensor.Real, O tensor.Floating](spec *Spec) []candidate {
	power := powers{spec.Power, tensor.SizeOf[O]() == 4}
	root := power.root()
	switch {
	case math.IsInf(spec.Power, 1):
		m := extremumMethod[float64](spec.Level, false, spec.IgnoreNaN)
		return method[T, float64, O]{load: loadPower[T](power), merge: m.merge, fold: m.fold, finish: finishRoot[T, O](root), overlap: true, isa: m.isa}.candidates(spec)
	case spec.IgnoreNaN && power.narrow:
		m := tallyMethod[T, O](spec.Level)
		m.load, m.finish = loadPowerOf[T](power, tallied), finishSkippingRoot[T, tally, O](root, func(a tally) (sum, skipped float64) { return a.sum, a.skipped })
		return m.candidates(spec)
	case spec.IgnoreNaN:
		m := countedMethod[T, O](spec.Level)
		m.load, m.finish = loadPowerOf[T](power, counting), finishSkippingRoot[T, counted, O](root, func(a counted) (sum, skipped float64) { return a.sum.over(1, 1), a.skipped.hi })
		return m.candidates(spec)
	default:
		m := sumMethod[T, O](spec.Level)
		m.load, m.finish = loadPower[T](power), finishRoot[T, O](root)
		return m.candidates(spec)
	}
}
