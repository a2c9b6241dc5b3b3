package figure

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/poolctl/poolctl/internal/tensor"
)

func TestReductions(t *testing.T) {
	x := tensor.From([]float32{1, -3, 3, 2, 2, -4, 0, 0, 0, float32(nan), 1, 1}, 1, 2, 2, 3)
	for how, want := range map[Reduction][]float64{
		SumReduction: {1, 0, 0, nan},
		MaxReduction: {-3, -4, 0, nan},
		L2Reduction:  {math.Sqrt(19), math.Sqrt(24), 0, nan},
	} {
		got, layout := Reduce(x, tensor.NHWC, how)
		if layout != tensor.NHWC || !got.Shape.Equal(tensor.Shape{1, 2, 2, 1}) {
			t.Fatalf("reduction %d: got %s %s", how, layout, got.Spec)
		}
		for i, v := range tensor.Of[float64](got) {
			if math.Abs(v-want[i]) > 1e-12 || math.IsNaN(v) != math.IsNaN(want[i]) {
				t.Errorf("reduction %d: value %d is %g, want %g", how, i, v, want[i])
			}
		}
	}
	if got, _ := Reduce(x, tensor.NHWC, NoReduction); got != x {
		t.Error("no reduction is a reduction")
	}
	if got, layout := Reduce(x, tensor.NWC, SumReduction); got != x || layout != tensor.NWC {
		t.Error("a tensor of another layout was reduced")
	}
	large := tensor.From([]float64{3e200, -4e200, 3e-200, 4e-200}, 1, 2, 2)
	got, _ := Reduce(large, tensor.HWC, L2Reduction)
	if data := tensor.Of[float64](got); math.Abs(data[0]/5e200-1) > 1e-15 || math.Abs(data[1]/5e-200-1) > 1e-15 {
		t.Errorf("norms %v, want 5e200 and 5e-200", data)
	}
}

func TestReductionDoesNotDependOnTheLayout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, c, h, w := rapid.IntRange(1, 3).Draw(t, "n"), rapid.IntRange(1, 5).Draw(t, "c"), rapid.IntRange(1, 4).Draw(t, "h"), rapid.IntRange(1, 4).Draw(t, "w")
		last := waves(n, h, w, c)
		first := tensor.Permuted(last, tensor.Permutation(string(tensor.NHWC), string(tensor.NCHW)))
		for _, how := range []Reduction{SumReduction, MaxReduction, L2Reduction} {
			a, _ := Reduce(last, tensor.NHWC, how)
			b, _ := Reduce(first, tensor.NCHW, how)
			if !slices.Equal(tensor.Of[float64](a), tensor.Of[float64](b)) || !b.Shape.Equal(tensor.Shape{n, 1, h, w}) {
				t.Fatalf("reduction %d of (%d,%d,%d,%d): channels first give %v %s, last %v", how, n, h, w, c, b.Data, b.Shape, a.Data)
			}
		}
	})
}
