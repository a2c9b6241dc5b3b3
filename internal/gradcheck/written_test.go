package gradcheck

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestWhatIsWrittenIsChecked: gradients as each type writes them pass, and one
// number that is off by a sixteenth, of the wrong sign, infinite, NaN or missing
// does not, wherever it is.
func TestWhatIsWrittenIsChecked(t *testing.T) {
	filter := signal(3, 3, 2).Reshaped(tensor.Shape{3, 3, 2, 1})
	for _, c := range []struct {
		op     string
		values []string
		rest   []*tensor.Tensor
		dy     *tensor.Tensor
	}{
		{"pool", []string{"type", "max", "window", "2", "strides", "1"}, nil, signal(5, 5, 2)},
		{"pool", []string{"type", "avg", "window", "3"}, nil, signal(2, 2, 2)},
		{"pool", []string{"type", "lp", "p", "7", "window", "3"}, nil, signal(2, 2, 2)},
		{"conv2d", []string{"filter", "f.npy", "bias", "b.npy"}, []*tensor.Tensor{filter, tensor.From([]float32{0.5}, 1)}, signal(4, 4, 1)},
		{"lrn", nil, nil, signal(6, 6, 2)},
		{"softmax", nil, nil, signal(6, 6, 2)},
		{"tanh", nil, nil, signal(6, 6, 2)},
		{"resize", []string{"size", "9,5", "method", "bicubic"}, nil, signal(9, 5, 2)},
	} {
		for _, dtype := range []string{"float64", "float32", "float16", "bfloat16"} {
			check := check(t, c.op, append([]string{"dtype", dtype}, c.values...)...)
			in := append(append([]*tensor.Tensor{signal(6, 6, 2)}, c.rest...), c.dy)
			written := gradients(t, check, in...)
			r, err := check.Run(in, written)
			if err != nil {
				t.Fatal(err)
			}
			if !r.Equal || r.Tensors[0].Written.DType != dtype {
				t.Errorf("%s %v %s: %+v %+v", c.op, c.values, dtype, r, r.Tensors[0].Written)
			}
			for which, good := range written {
				wide, _ := tensor.Converted(good, tensor.Float64)
				largest := 0
				for i, v := range tensor.Of[float64](wide) {
					if math.Abs(v) > math.Abs(tensor.Of[float64](wide)[largest]) {
						largest = i
					}
				}
				before := tensor.Of[float64](wide)[largest]
				for _, bad := range []float64{before * 1.0625, -before, 0, math.Inf(1), math.NaN()} {
					tensor.Of[float64](wide)[largest] = bad
					written[which], _ = tensor.Converted(wide, good.DType)
					r, err := check.Run(in, written)
					if err != nil {
						t.Fatal(err)
					}
					if w := r.Tensors[which].Written; r.Equal || w.Beyond != 1 || !slices.Equal(w.At, good.Shape.Index(largest)) {
						t.Errorf("%s %v %s: output %d: %g in place of %g passes: %+v", c.op, c.values, dtype, which, bad, before, w)
					}
				}
				tensor.Of[float64](wide)[largest] = before
				written[which] = good
			}
		}
	}
}

func TestTheReportNamesWhatIsWrittenWrong(t *testing.T) {
	c := check(t, "pool", "type", "avg", "window", "2")
	x, dy := signal(4, 4, 1), signal(2, 2, 1)
	written := gradients(t, c, x, dy)
	tensor.Of[float32](written[0])[5] = 7
	r, err := c.Run([]*tensor.Tensor{x, dy}, written)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"as written in float32, 1 of 16 numbers DIFFER from float64's by more than rounding, most at [0,1,1,0]: written 7, ", "the gradient DIFFERS"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if _, err := c.Run([]*tensor.Tensor{x, dy}, nil); err == nil {
		t.Error("a check without what is written passes")
	}
}
