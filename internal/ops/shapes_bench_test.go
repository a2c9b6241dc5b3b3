package ops_test

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// benchChannels are the output channels of the convolutions that are timed.
const benchChannels = 32

// BenchmarkShapes times operations over the shapes of samples/shapes: planned
// once, run on all cores, float32. The sub-benchmarks are called
// OPERATION/NETWORK/LAYER.
func BenchmarkShapes(b *testing.B) {
	for _, s := range testutil.Shapes(b, "../../samples/shapes") {
		if strings.HasPrefix(s.Name, "odd/") {
			continue // for tests of the arithmetic
		}
		_, rest, _ := strings.Cut(s.Text, "_p")
		padding, _, _ := strings.Cut(rest, "_d")
		geometry := fmt.Sprintf("strides=%s dilations=%s padding=%s", tensor.Join(s.Window.Stride, ","), tensor.Join(s.Window.Dilation, ","), padding)
		window := "window=" + tensor.Join(s.Window.Size, ",") + " " + geometry
		x := tensor.Shape(slices.Concat([]int{s.N}, s.Spatial, []int{s.C}))
		if most := slices.Max(s.Window.Size); most <= slices.Min(s.Spatial) || padding == "SAME" {
			for _, kind := range []string{"max", "avg"} {
				benchmarkOp(b, kind+"/"+s.Name, "pool", "type="+kind+" "+window, ops.Want{}, x)
			}
			benchmarkOp(b, "argmax/"+s.Name, "pool", "type=max "+window, ops.Want{Argmax: true}, x)
		}
		filter := tensor.Shape(slices.Concat(s.Window.Size, []int{s.C, benchChannels}))
		benchmarkOp(b, "conv/"+s.Name, fmt.Sprintf("conv%dd", len(s.Spatial)), "filter=f.npy "+geometry, ops.Want{}, x, filter)
		if len(s.Spatial) == 2 {
			filter = tensor.Shape(slices.Concat(s.Window.Size, []int{s.C, 1}))
			benchmarkOp(b, "depthwise/"+s.Name, "depthwise-conv2d", "filter=f.npy "+geometry, ops.Want{}, x, filter)
		}
	}
}

func benchmarkOp(b *testing.B, name, operation, params string, want ops.Want, shapes ...tensor.Shape) {
	b.Run(name, func(b *testing.B) {
		spec, err := ops.Lookup(operation)
		if err != nil {
			b.Fatal(err)
		}
		op := spec.New()
		for _, word := range strings.Fields(params) {
			key, value, _ := strings.Cut(word, "=")
			if err := ops.Set(op, key, value); err != nil {
				b.Fatal(err)
			}
		}
		var in []*tensor.Tensor
		for i, shape := range shapes {
			x, _ := tensor.Converted(uneven(shape, uint64(i)), tensor.Float32)
			in = append(in, x)
		}
		plan, err := op.Plan(specsOf(in), want)
		if err != nil {
			b.Fatal(err)
		}
		var out []*tensor.Tensor
		for _, o := range plan.Outputs {
			out = append(out, tensor.New(o.Spec))
			b.SetBytes(int64(4 * (in[0].Len() + out[0].Len())))
		}
		runner := ops.NewRunner(plan, runtime.GOMAXPROCS(0))
		defer runner.Close()
		for b.Loop() {
			if err := runner.Run(in, out); err != nil {
				b.Fatal(err)
			}
		}
	})
}
