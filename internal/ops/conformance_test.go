package ops_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// apart are parameters whose tests stand elsewhere, as they refuse most element
// types: the tests of every fixture take all of them.
var apart = map[string]string{"linear-light": "light_test.go"}

// TestFixturesUseEveryParameter keeps the fixtures complete: a new parameter
// comes with a call that sets it.
func TestFixturesUseEveryParameter(t *testing.T) {
	for _, spec := range ops.Table {
		for _, p := range spec.New().Params() {
			used := p.Name == "data-format" || p.Name == "dtype" || apart[p.Name] != "" // every test of layouts and types sets them
			for _, f := range fixtures[spec.Name] {
				_, set := f.values()[p.Name]
				used = used || set
			}
			if !used {
				t.Errorf("%s: no fixture sets %s", spec.Name, p.Name)
			}
		}
	}
}

// TestParametersRoundTrip: what a parameter prints sets it again, on an
// operation as it comes and on one that was told everything.
func TestParametersRoundTrip(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		for _, op := range []ops.Op{spec.New(), f.op(t, spec)} {
			again := spec.New()
			for _, p := range op.Params() {
				if text := p.String(); text != "" {
					if err := ops.Set(again, p.Name, text); err != nil {
						t.Errorf("%s prints %q: %v", p.Name, text, err)
					}
				}
			}
			for i, p := range op.Params() {
				if text := again.Params()[i].String(); text != p.String() {
					t.Errorf("%s is %q, set again %q", p.Name, p, text)
				}
			}
			if (op.Check() == nil) != (again.Check() == nil) {
				t.Errorf("checks %v, set again %v", op.Check(), again.Check())
			}
		}
	})
}

// typed reports whether an error is one of the two kinds that users can cause.
func typed(err error) bool {
	var usage *ops.UsageError
	var data *ops.DataError
	return errors.As(err, &usage) || errors.As(err, &data)
}

// TestBadShapesAreRefused: wrong ranks, negative and immense extents, layouts of
// another rank, for every input; errors name the operation.
func TestBadShapesAreRefused(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		for i := range f.specs(tensor.Float32) {
			for _, shape := range []tensor.Shape{
				{}, {4}, {1, 1, 1, 1, 1, 1}, {-1, 4, 4, 3}, {1, -4, 4}, {1 << 40, 1 << 40, 3, 3}, {1, 1 << 62, 1 << 62, 1},
				{2, 1 << 48, 1, 1 << 40, 3}, {math.MaxInt, math.MaxInt, math.MaxInt},
			} {
				specs := f.specs(tensor.Float32)
				if shape.Equal(specs[i].Shape) {
					continue
				}
				specs[i].Shape = shape
				op := f.op(t, spec)
				_, inputsErr := op.Inputs(specs[0])
				_, err := op.Plan(specs, wantAll(op))
				if err == nil || !typed(err) || inputsErr != nil && !typed(inputsErr) {
					t.Errorf("input %d of shape %s: %v, %v", i, shape, err, inputsErr)
				}
			}
		}
		for _, layout := range tensor.LayoutNames() {
			op := f.op(t, spec)
			if err := ops.Set(op, "data-format", layout); err != nil {
				t.Fatal(err)
			}
			_, err := op.Plan(f.specs(tensor.Float32), wantAll(op))
			if other := len(layout) != len(f.x); other && (err == nil || !typed(err)) {
				t.Errorf("%s for shape %s: %v", layout, f.x, err)
			}
		}
	})
}

// TestEveryTypeIsAcceptedAndAgrees: small whole numbers give the same results
// whatever type the input has, where --dtype says what to compute in.
func TestEveryTypeIsAcceptedAndAgrees(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		want := run(t, f.op(t, spec), f.tensors(tensor.Float32)...)
		for _, d := range tensor.DTypes() {
			op := f.op(t, spec)
			if err := ops.Set(op, "dtype", "float32"); err != nil {
				t.Fatal(err)
			}
			for i, got := range run(t, op, f.tensors(d)...) {
				if err := testutil.Equal(got, want[i], 0); err != nil {
					t.Errorf("%s, output %d: %v", d, i, err)
				}
			}
			// As it stands: exact for a result type that holds the numbers, and the
			// results in float32 rounded once for one that does not.
			plain := run(t, f.op(t, spec), f.tensors(d)...)
			for i, got := range plain {
				if (got.DType.IsInteger() || got.DType.IsNarrow()) && i == 0 {
					rounded, _ := tensor.Converted(want[i], got.DType)
					if err := testutil.Equal(got, rounded, 0); err != nil {
						t.Errorf("%s as it stands: %v", d, err)
					}
					continue
				}
				exact, _ := tensor.Converted(got, want[i].DType)
				if err := testutil.Equal(exact, want[i], 1e-7); err != nil {
					t.Errorf("%s as it stands, output %d: %v", d, i, err)
				}
			}
		}
	})
}

// TestNoImagesGiveNoImages: batch 0 is planned and run.
func TestNoImagesGiveNoImages(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		full := run(t, f.op(t, spec), f.tensors(tensor.Float32)...)
		none := f.batch(0)
		for i, out := range run(t, none.op(t, spec), none.tensors(tensor.Float32)...) {
			want := slices.Clone(full[i].Shape)
			want[0] = 0
			if !out.Shape.Equal(want) || out.DType != full[i].DType {
				t.Errorf("output %d is %s, want shape %s", i, out.Spec, want)
			}
		}
	})
}

// TestChannelsFirstIsTheSameTransposed for every output, positions too: they
// do not depend on the layout.
func TestChannelsFirstIsTheSameTransposed(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		if len(f.x) < 3 || f.memory {
			return // no other order, or one that decides: TestFlattenKeepsTheOrderOfMemory
		}
		last := tensor.ChannelsLast(len(f.x) - 2)
		first := "NC" + string(last[1:len(last)-1])
		there, back := tensor.Permutation(string(last), first), tensor.Permutation(first, string(last))
		in := f.tensors(tensor.Float32)
		want := run(t, f.op(t, spec), in...)

		turned := f
		turned.params = transposed(f.params, there)
		op := turned.op(t, spec)
		if err := ops.Set(op, "data-format", first); err != nil {
			t.Fatal(err)
		}
		for i, x := range in {
			if i <= len(f.more) || x.Shape.Equal(f.x) && x.DType == tensor.Int64 {
				in[i] = tensor.Permuted(x, there)
			}
		}
		p := plan(t, op, in)
		for i, got := range run(t, op, in...) {
			if err := testutil.Equal(tensor.Permuted(got, back), want[i], 0); err != nil {
				t.Errorf("output %d: %v", i, err)
			}
			if p.Outputs[i].Layout != tensor.Layout(first) {
				t.Errorf("output %d has layout %s, want %s", i, p.Outputs[i].Layout, first)
			}
		}
	})
}

// TestThreadsDoNotChangeTheResult: to the bit, with numbers whose sums round.
func TestThreadsDoNotChangeTheResult(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		in := f.tensors(tensor.Float32)
		for i, x := range tensor.Of[float32](in[0]) {
			tensor.Of[float32](in[0])[i] = x / 7 * float32(math.Exp(float64(i%13)))
		}
		p := plan(t, f.op(t, spec), in)
		var want []*tensor.Tensor
		for _, threads := range []int{1, 2, 3, 7, 64} {
			out, _, err := ops.Run(p, threads, in...)
			if err != nil {
				t.Fatal(err)
			}
			if threads == 1 {
				want = out
			}
			for i := range out {
				if err := testutil.Equal(out[i], want[i], 0); err != nil {
					t.Errorf("%d threads, output %d: %v", threads, i, err)
				}
			}
		}
	})
}

// TestRunningAllocatesNothing once a runner has booked its memory.
func TestRunningAllocatesNothing(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		for _, d := range []tensor.DType{tensor.Float32, tensor.Uint8, tensor.Float16, tensor.BFloat16} {
			in := f.tensors(d)
			if last := in[len(in)-1]; last.DType == tensor.Int64 && d == tensor.Uint8 {
				in[len(in)-1], _ = tensor.Converted(last, tensor.Int32) // TensorFlow's default
			}
			p := plan(t, f.op(t, spec), in)
			var out []*tensor.Tensor
			for _, o := range p.Outputs {
				out = append(out, tensor.New(o.Spec))
			}
			for _, threads := range []int{1, 3} {
				r := ops.NewRunner(p, threads)
				if n := testing.AllocsPerRun(5, func() {
					if err := r.Run(in, out); err != nil {
						t.Error(err)
					}
				}); n != 0 {
					t.Errorf("%s on %d threads: %v allocations a run", d, threads, n)
				}
				r.Close()
			}
		}
	})
}

// TestLinearOperationsAreLinear: f(ax + by) = a f(x) + b f(y), with numbers that
// are exact in float64. A bias is left out.
func TestLinearOperationsAreLinear(t *testing.T) {
	tested := map[string]bool{}
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		kind := f.values()["type"]
		if !spec.Linear && kind != "avg" && kind != "sum" {
			return
		}
		tested[spec.Name] = true
		in := f.tensors(tensor.Float64)
		if f.bias != nil {
			at := len(in) - 1
			in[at] = tensor.New(in[at].Spec)
		}
		x := tensor.Of[float64](in[0])
		y, mixed := make([]float64, len(x)), make([]float64, len(x))
		for i := range x {
			y[i] = float64(i*i%11) - 5
			mixed[i] = 3*x[i] - 0.5*y[i]
		}
		apply := func(data []float64) []float64 {
			return tensor.Of[float64](run(t, f.op(t, spec), append([]*tensor.Tensor{tensor.From(data, f.x...)}, in[1:]...)...)[0])
		}
		fx, fy := apply(x), apply(y)
		for i, got := range apply(mixed) {
			if want := 3*fx[i] - 0.5*fy[i]; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
				t.Fatalf("output %d of the mixture is %v, the mixture of the outputs %v", i, got, want)
			}
		}
	})
	for _, spec := range ops.Table {
		if spec.Linear && !tested[spec.Name] {
			t.Errorf("%s: linear, and not tested", spec.Name)
		}
	}
}

// TestPlannedMemoryIsWhatIsBooked: the number before anything runs covers the
// buffers, and what a runner allocates beside inputs and outputs.
func TestPlannedMemoryIsWhatIsBooked(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		in := f.tensors(tensor.Float16) // most conversions
		p := plan(t, f.op(t, spec), in)
		buffers, given := 0, 0
		for i, s := range p.Buffers {
			n, err := s.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			buffers += n
			if i < p.Inputs+len(p.Outputs) {
				given += n
			}
		}
		before := buffers
		for _, threads := range []int{1, 2, 3, 7, 64} {
			stated, err := p.Bytes(threads)
			if err != nil || stated < before {
				t.Fatalf("%d threads: %d bytes (%v), before that %d", threads, stated, err, before)
			}
			before = stated
			var start, end runtime.MemStats
			runtime.ReadMemStats(&start)
			r := ops.NewRunner(p, threads)
			runtime.ReadMemStats(&end)
			r.Close()
			// Allocations are rounded up by an eighth at most, and to pages.
			booked, room := int(end.TotalAlloc-start.TotalAlloc), (stated-given)*9/8+threads*16<<10+8192*len(p.Buffers)
			if booked > room {
				t.Errorf("%d threads: %d bytes are booked, %d were stated", threads, booked, stated-given)
			}
		}
	})
	huge := &ops.Plan{Op: "x", Buffers: []tensor.Spec{{DType: tensor.Float64, Shape: tensor.Shape{1 << 59}}, {DType: tensor.Float64, Shape: tensor.Shape{1 << 59}}}}
	if n, err := huge.Bytes(1); err == nil {
		t.Errorf("2^63 bytes fit: %d", n)
	}
}

// TestPlansNameWhatTheyDo: every plan names its implementation, and every output's
// shape is that of its layout.
func TestPlansNameWhatTheyDo(t *testing.T) {
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		p := plan(t, f.op(t, spec), f.tensors(tensor.Float32))
		if p.Impl == "" {
			t.Error("no implementation is named")
		}
		for _, o := range p.Outputs {
			if _, err := o.Layout.Split(o.Shape); err != nil {
				t.Errorf("%s: %v", o.Name, err)
			}
		}
	})
}

// TestPicturesWithoutChannels: a shape (H,W) is one picture of one channel; what
// makes several channels of it gives (H,W,C).
func TestPicturesWithoutChannels(t *testing.T) {
	for _, spec := range ops.Table {
		for _, f := range fixtures[spec.Name] {
			if len(f.x) != 4 || f.filter == nil {
				continue
			}
			op := spec.New()
			if err := ops.Set(op, "filter", "f.npy"); err != nil {
				t.Fatal(err)
			}
			filter := tensor.Shape{2, 3, 1, 1}[:len(f.filter)]
			for outputs := 1; outputs <= 4; outputs += 3 {
				wide := slices.Clone(filter)
				if len(wide) == 4 && wide[3] == 1 {
					wide[3] = outputs
					if spec.Name != "depthwise-conv2d" && isTransposed(op) {
						wide[2], wide[3] = outputs, 1
					}
				}
				p, err := op.Plan([]tensor.Spec{{DType: tensor.Float32, Shape: tensor.Shape{9, 8}}, {DType: tensor.Float32, Shape: wide}}, ops.Want{})
				if err != nil {
					t.Errorf("%s: %v", spec.Name, err)
					continue
				}
				if o := p.Outputs[0]; len(o.Shape) != len(o.Layout) || outputs > 1 && len(wide) == 4 && o.Layout != tensor.HWC {
					t.Errorf("%s with filter %s: shape %s has layout %s", spec.Name, wide, o.Shape, o.Layout)
				}
			}
			break
		}
	}
}

// isTransposed reports whether a filter's output channels come before its input
// channels.
func isTransposed(op ops.Op) bool {
	for _, p := range op.Params() {
		if p.Name == "filter-format" {
			return p.Default == "HWOI"
		}
	}
	return false
}

// TestEmptyWindows: not one window fits: an error with the numbers, or with
// --empty allow the empty tensor.
func TestEmptyWindows(t *testing.T) {
	for _, c := range []struct{ op, params, filter string }{
		{"pool", "type=max window=4", ""}, {"conv2d", "filter=f", "4,4,1,1"}, {"depthwise-conv2d", "filter=f", "4,4,1,1"}, {"dilation2d", "filter=f", "4,4,1"},
	} {
		spec, err := ops.Lookup(c.op)
		if err != nil {
			t.Fatal(err)
		}
		specs := []tensor.Spec{{DType: tensor.Float32, Shape: tensor.Shape{2, 5, 3, 1}}}
		if c.filter != "" {
			shape, _ := ops.ParseInts(c.filter)
			specs = append(specs, tensor.Spec{DType: tensor.Float32, Shape: shape})
		}
		_, err = fixture{params: c.params}.op(t, spec).Plan(specs, ops.Want{})
		if want := c.op + ": window: got 4 cells (size 4, dilation 1) in width, want <= 3 (input 3, padding 0:0)"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		var field *geom.Error
		if !errors.As(err, &field) || ops.Field(err) != "window" {
			t.Errorf("%s: the field is %q", c.op, ops.Field(err))
		}
		p, err := fixture{params: c.params + " empty=allow"}.op(t, spec).Plan(specs, ops.Want{})
		if err != nil {
			t.Errorf("%s: %v", c.op, err)
			continue
		}
		var in []*tensor.Tensor
		for _, s := range specs {
			in = append(in, tensor.New(s))
		}
		out, _, err := ops.Run(p, 2, in...)
		if err != nil || out[0].Len() != 0 || fmt.Sprint(out[0].Shape[0]) != "2" {
			t.Errorf("%s: %v, %v", c.op, out, err)
		}
	}
}
