package ops_test

import (
	"fmt"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// prepared plans a preparation and runs it.
func prepared(t *testing.T, p *ops.Preparation, x *tensor.Tensor, threads int) (*tensor.Tensor, *ops.Plan) {
	t.Helper()
	plan, spec, err := p.Plan(x.Spec)
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := ops.Run(plan, threads, x)
	if err != nil {
		t.Fatal(err)
	}
	if !out[0].Equal(spec) {
		t.Fatalf("got %s, the plan says %s", out[0].Spec, spec)
	}
	return out[0], plan
}

// TestCroppedPartsOfAResizeAreTheSame as the whole, to the bit, for every method,
// layout and place.
func TestCroppedPartsOfAResizeAreTheSame(t *testing.T) {
	for _, method := range ops.ResizeMethods() {
		for _, size := range [][]int{{9, 14}, {40, 61}, {3, 90}, {23, 31}} {
			for _, layout := range []tensor.Layout{tensor.NHWC, tensor.NCHW} {
				x := fixture{x: tensor.Shape{2, 23, 31, 3}}.tensors(tensor.Uint8)[0]
				if layout == tensor.NCHW {
					x = tensor.Permuted(x, tensor.Permutation("NHWC", "NCHW"))
				}
				p := &ops.Preparation{From: layout, To: tensor.NHWC, Resize: ops.NewResize(size, method), DType: tensor.Float64}
				whole, _ := prepared(t, p, x, 1)
				for _, crop := range []ops.Region{
					{At: []int{0, 0}, Size: size}, {At: []int{1, 3}, Size: []int{2, 4}}, {At: []int{size[0] - 1, size[1] - 2}, Size: []int{1, 2}},
				} {
					p.Crop = &crop
					part, _ := prepared(t, p, x, 3)
					if err := testutil.Equal(part, cut(whole, crop), 0); err != nil {
						t.Errorf("%s to %v, %v, %s: %v", method, size, crop, layout, err)
					}
				}
			}
		}
	}
}

// cut returns a part of float64 pictures in NHWC.
func cut(x *tensor.Tensor, r ops.Region) *tensor.Tensor {
	y := tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{x.Shape[0], r.Size[0], r.Size[1], x.Shape[3]}})
	to := tensor.Of[float64](y)
	for n := range x.Shape[0] {
		for i := range r.Size[0] {
			row := r.Size[1] * x.Shape[3]
			at := ((n*x.Shape[1]+r.At[0]+i)*x.Shape[2] + r.At[1]) * x.Shape[3]
			to = to[copy(to, tensor.Of[float64](x)[at:at+row]):]
		}
	}
	return y
}

// TestWhatIsCroppedOffIsNeverComputed: the buffers of a plan grow with what is
// kept, and not with the size that it is cut out of.
func TestWhatIsCroppedOffIsNeverComputed(t *testing.T) {
	x := tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 2000, 3000, 3}}
	for _, method := range ops.ResizeMethods() {
		for _, size := range [][]int{{100, 100}, {2000, 3000}, {200, 9000}, {9000, 200}} {
			p := &ops.Preparation{From: tensor.NHWC, To: tensor.NCHW, Resize: ops.NewResize(size, method), Crop: &ops.Region{At: []int{50, 60}, Size: []int{4, 5}},
				Scale: []float64{2}}
			plan, _, err := p.Plan(x)
			if err != nil {
				t.Fatal(err)
			}
			given, _ := x.Bytes()
			bytes, err := plan.Bytes(1)
			if err != nil {
				t.Fatal(err)
			}
			covered := 4.0 * 5 // cells of the input that area looks at
			if method == "area" {
				covered *= float64(x.Shape[1]) / float64(size[0])
			}
			if limit := int(100*covered) + 20_000; bytes-given > limit {
				t.Errorf("%s to %v: %d bytes beside the input, want at most %d", method, size, bytes-given, limit)
			}
			work := 0
			for _, s := range plan.Stages {
				work += s.Work
			}
			if work > 100_000 {
				t.Errorf("%s to %v: %d steps of work for %s", method, size, work, fmt.Sprint(plan.Outputs[0].Shape))
			}
		}
	}
}
