package kernel

import "github.com/poolctl/poolctl/internal/tensor"

// NewPermuter plans the reordering of a tensor's axes (tensor.NewPermuter), with
// the functions of the level.
func NewPermuter(shape tensor.Shape, perm []int, level Level) *tensor.Permuter {
	p := tensor.NewPermuter(shape, perm)
	if level >= AVX2 {
		p.Single = transposeSingle
	}
	return p
}

// turnChannels is from how many channels on transposing pays: tiles are as wide.
const turnChannels = tensor.PermuteTile

// TurningPays reports whether channels-first data had better be transposed before
// and after, where a kernel walks along rows: those of a plane are short.
func TurningPays(d tensor.DType, channels int, level Level) bool {
	return transposeSingle != nil && level >= AVX2 && d == tensor.Float32 && channels >= turnChannels
}
