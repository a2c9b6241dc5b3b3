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
