package kernel

import "github.com/poolctl/poolctl/internal/tensor"

// NewPermuter plans the reordering of a tensor's axes, as tensor.NewPermuter does,
// with the functions of the level.
func NewPermuter(shape tensor.Shape, perm []int, level Level) *tensor.Permuter {
	p := tensor.NewPermuter(shape, perm)
	if level >= AVX2 {
		p.Single = transposeSingle
	}
	return p
}

// turnChannels is the smallest number of channels for which transposing pays: the
// width of a tile.
const turnChannels = tensor.PermuteTile

// TurningPays reports whether channels-first data should be transposed before and
// after a kernel that walks along rows. Rows of a plane are short.
func TurningPays(d tensor.DType, channels int, level Level) bool {
	return transposeSingle != nil && level >= AVX2 && d == tensor.Float32 && channels >= turnChannels
}
