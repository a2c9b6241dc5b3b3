package kernel_test

import (
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestReorderedAxesAtEveryLevel: every level gives what plain Go gives, and writes
// nothing outside its output.
func TestReorderedAxesAtEveryLevel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := tensor.Shape(rapid.SliceOfN(rapid.IntRange(1, 40), 1, 4).Draw(t, "shape"))
		if rapid.IntRange(0, 3).Draw(t, "large") == 0 {
			shape = tensor.Shape{rapid.IntRange(1, 2).Draw(t, "n"), rapid.IntRange(1, 300).Draw(t, "rows"), rapid.IntRange(1, 300).Draw(t, "columns")}
		}
		axes := make([]int, len(shape))
		for i := range axes {
			axes[i] = i
		}
		perm := rapid.Permutation(axes).Draw(t, "perm")
		n, _ := shape.Elements()
		list, intact := kerneltest.Guarded[float32](n)
		for i := range list {
			list[i] = float32(i)
		}
		src := tensor.From(list, shape...)
		want := tensor.Of[float32](tensor.Permuted(src, perm))
		for _, level := range kerneltest.EveryLevel() {
			p := kernel.NewPermuter(shape, perm, level)
			got, clean := kerneltest.Guarded[float32](n)
			dst := tensor.From(got, tensor.PermutedShape(shape, perm)...)
			for u := p.Units() - 1; u >= 0; u-- {
				p.Run(dst, src, u, u+1)
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%v by %v at level %v differs from plain Go", shape, perm, level)
			}
			if !clean() || !intact() {
				t.Fatalf("%v by %v at level %v wrote beside its output", shape, perm, level)
			}
		}
	})
}
