package tensor_test

import (
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestCopyRunsMovesRuns of every length and every size of elements, and nothing
// beside them.
func TestCopyRunsMovesRuns(t *testing.T) {
	const step, at, runs = 11, 2, 5
	for _, d := range []tensor.DType{tensor.Uint8, tensor.Int16, tensor.Float32, tensor.Float64} {
		for run := range step - at {
			src := tensor.New(tensor.Spec{DType: d, Shape: tensor.Shape{runs * step}})
			for i, b := 0, tensor.Bytes(src); i < len(b); i++ {
				b[i] = byte(i%251 + 1)
			}
			dst := tensor.New(src.Spec)
			tensor.CopyRuns(dst, src, run, step, at, step-1, 1, 1, runs)
			want := make([]byte, len(tensor.Bytes(dst)))
			for o := 1; o < runs; o++ {
				for i := range run * d.Size() {
					want[(o*step+at)*d.Size()+i] = tensor.Bytes(src)[(o*(step-1)+1)*d.Size()+i]
				}
			}
			if !slices.Equal(tensor.Bytes(dst), want) {
				t.Errorf("%s: runs of %d: got %v, want %v", d, run, tensor.Bytes(dst), want)
			}
		}
	}
}
