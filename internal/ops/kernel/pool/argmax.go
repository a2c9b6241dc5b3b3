package pool

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// argmaxCandidates find maxima or minima and where they are. Strips merge keys
// where the numbers are small enough, see keys; all others merge pairs of a value
// and its place.
func argmaxCandidates[T tensor.Real](spec *Spec) []candidate {
	elements := spec.Index.Plane()
	if !spec.ChannelsFirst {
		elements *= spec.Geometry.C
	}
	kind := kernel.KindOf(spec.Reduction == Min, spec.IgnoreNaN)
	merge := [...]kernel.Merger[located[T]]{mergeArgMax[T], mergeArgMaxIgnoreNaN[T], mergeArgMin[T], mergeArgMinIgnoreNaN[T]}[kind]
	fold, isa := locatedFolder(spec.Level, kind, merge)
	pairs := method[T, located[T], T]{load: loadLocated[T], merge: merge, fold: fold, finish: finishLocated[T], overlap: true, ordered: true, isa: isa}
	if !key32(spec.DType) || elements > keysUpTo {
		return pairs.candidates(spec)
	}
	keys := method[T, int64, T]{load: keyLoader[T](spec), merge: mergeKeys, fold: keyFolder(spec.Level), finish: finishKeys[T], overlap: true,
		isa: kernel.ISA(spec.Level, foldTables[spec.Level].keys != nil)}
	return []candidate{stripsCandidate(spec, keys), separableCandidate(spec, pairs)}
}
