package ops_test

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestLinearLight holds averages and resizing in linear light to what NumPy
// computes in float64 (tools/golden/light.py): samples of 8 bits are equal,
// those of 16 bits are off by one level at most.
func TestLinearLight(t *testing.T) {
	families := testutil.Families(t, "testdata/golden/light")
	if len(families) != 1 || len(families[0].Cases) < 90 {
		t.Fatal("no golden data")
	}
	for _, c := range families[0].Cases {
		x, want := families[0].Arrays[c.In["x"]], families[0].Arrays[c.Out["y"]]
		most := 0.0
		if x.DType == tensor.Uint16 {
			most = 1
		}
		op := lightOp(t, c.Op, c.Params)
		for _, threads := range []int{1, 3} {
			y, clipped, err := ops.Run(plan(t, op, []*tensor.Tensor{x}), threads, x)
			if err != nil {
				t.Fatal(err)
			}
			if !y[0].Equal(want.Spec) {
				t.Errorf("%s: got %s, want %s", c.Name, y[0].Spec, want.Spec)
				continue
			}
			for i := range want.Len() {
				if got := y[0].At(i); math.Abs(got-want.At(i)) > most {
					t.Errorf("%s: at %v: got %v, want %v", c.Name, want.Shape.Index(i), got, want.At(i))
					break
				}
			}
			if overshoots := c.Params["method"] == "bicubic"; clipped > 0 != overshoots {
				t.Errorf("%s: %d samples were clipped", c.Name, clipped)
			}
		}
	}
}

func lightOp(t *testing.T, name string, params map[string]string) ops.Differentiable {
	t.Helper()
	var words []string
	for key, value := range params {
		words = append(words, key+"="+value)
	}
	return differentiable(t, name, strings.Join(words, " "))
}

// lightCalls are calls of every operation that has --linear-light.
var lightCalls = []struct{ op, params string }{
	{"pool", "type=avg window=3,2 strides=2 padding=SAME"},
	{"pool", "type=avg window=2 strides=1 padding=1:1 count-include-pad=true"},
	{"pool", "type=avg output-size=4,3"},
	{"pool", "type=avg fractional=1.5 seed=3"},
	{"resize", "size=5,7"},
	{"resize", "size=5,7 method=area"},
	{"resize", "size=20 method=bicubic coordinates=align-corners"},
	{"resize", "size=9,8"},
}

func lightSamples(d tensor.DType, shape ...int) *tensor.Tensor {
	x := tensor.New(tensor.Spec{DType: tensor.Int64, Shape: shape})
	for i := range x.Len() {
		tensor.Of[int64](x)[i] = int64(i*7919+i*i*31) % (1 << (8 * d.Size()))
	}
	x, _ = tensor.Converted(x, d)
	return x
}

// TestLinearLightInEveryLayout gives the same samples: channels first, without
// a batch, and of arrays of a type that --dtype converts.
func TestLinearLightInEveryLayout(t *testing.T) {
	for _, c := range lightCalls {
		for _, d := range []tensor.DType{tensor.Uint8, tensor.Uint16} {
			for channels := 1; channels <= 5; channels++ {
				params := c.params + " linear-light=true"
				x := lightSamples(d, 1, 9, 8, channels)
				want := run(t, differentiable(t, c.op, params), x)[0]
				if want.DType != d {
					t.Fatalf("%s of %s gives %s", params, d, want.DType)
				}
				check := func(how string, got *tensor.Tensor) {
					t.Helper()
					if err := testutil.Equal(got, want, 0); err != nil {
						t.Errorf("%s %s of %s, %d channels, %s: %v", c.op, params, d, channels, how, err)
					}
				}
				there, back := tensor.Permutation("NHWC", "NCHW"), tensor.Permutation("NCHW", "NHWC")
				first := run(t, differentiable(t, c.op, params+" data-format=NCHW"), tensor.Permuted(x, there))[0]
				check("NCHW", tensor.Permuted(first, back))
				check("HWC", run(t, differentiable(t, c.op, params+" data-format=HWC"), x.Reshaped(x.Shape[1:]))[0].Reshaped(want.Shape))
				if channels == 1 {
					check("HW", run(t, differentiable(t, c.op, params+" data-format=HW"), x.Reshaped(x.Shape[1:3]))[0].Reshaped(want.Shape))
				}
				wide, _ := tensor.Converted(x, tensor.Float64)
				check("float64 by --dtype", run(t, differentiable(t, c.op, params+" dtype="+d.String()), wide)[0])
				none := run(t, differentiable(t, c.op, params), tensor.New(tensor.Spec{DType: d, Shape: tensor.Shape{0, 9, 8, channels}}))[0]
				if shape := slices.Concat(tensor.Shape{0}, want.Shape[1:]); none.DType != d || !none.Shape.Equal(shape) {
					t.Errorf("%s %s of no images: got %s, want shape %s", c.op, params, none.Spec, shape)
				}
			}
		}
	}
}

// TestLinearLightOfOneLevelIsThatLevel: what has no contrast stays as it is,
// for every level.
func TestLinearLightOfOneLevelIsThatLevel(t *testing.T) {
	for _, d := range []tensor.DType{tensor.Uint8, tensor.Uint16} {
		n := 1 << (8 * d.Size())
		levels := tensor.New(tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{n, 3, 3, 1}})
		for i := range levels.Len() {
			tensor.Of[int64](levels)[i] = int64(i / 9)
		}
		x, _ := tensor.Converted(levels, d)
		for _, c := range []struct{ op, params string }{
			{"pool", "type=avg window=2 strides=1"}, {"resize", "size=2"}, {"resize", "size=2 method=area"}, {"resize", "size=5 method=bicubic"},
		} {
			y := run(t, differentiable(t, c.op, c.params+" linear-light=true"), x)[0]
			cells := y.Len() / n
			for i := range y.Len() {
				if got := y.At(i); got != float64(i/cells) {
					t.Fatalf("%s %s of %s: level %d becomes %v", c.op, c.params, d, i/cells, got)
				}
			}
		}
	}
}

// TestLinearLightIsRefused by name, where it has no meaning.
func TestLinearLightIsRefused(t *testing.T) {
	for _, c := range []struct {
		op, params string
		d          tensor.DType
		want       string
	}{
		{"pool", "type=max window=2", tensor.Uint8, "pool: linear-light: only applies with --type avg"},
		{"pool", "type=median window=2", tensor.Uint8, "pool: linear-light: only applies with --type avg"},
		{"resize", "size=2 method=nearest", tensor.Uint8, "resize: linear-light: only applies with --method bilinear, area or bicubic"},
		{"pool", "type=avg window=2", tensor.Float32, "pool: linear-light: got float32, want uint8 or uint16: samples of a picture, from black at 0 to white at the largest number"},
		{"resize", "size=2", tensor.Int16, "resize: linear-light: got int16, want uint8 or uint16: samples of a picture, from black at 0 to white at the largest number"},
		{"resize", "size=2 dtype=float32", tensor.Uint8, "resize: linear-light: got float32, want uint8 or uint16: samples of a picture, from black at 0 to white at the largest number"},
	} {
		op := differentiable(t, c.op, c.params+" linear-light=true")
		x := tensor.Spec{DType: c.d, Shape: tensor.Shape{1, 4, 4, 3}}
		if _, err := op.Plan([]tensor.Spec{x}, ops.Want{}); err == nil || err.Error() != c.want {
			t.Errorf("%s %s of %s: got %v, want %s", c.op, c.params, c.d, err, c.want)
		}
	}
	for _, c := range lightCalls {
		op := differentiable(t, c.op, c.params+" linear-light=true")
		x := tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 9, 8, 3}}
		p, err := op.Plan([]tensor.Spec{x}, ops.Want{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = op.PlanGrad([]tensor.Spec{x, {DType: tensor.Float32, Shape: p.Outputs[0].Shape}}, ops.WantGrad{Input: true})
		if want := c.op + ": linear-light: has no gradient, as its results are rounded to levels; want the operation without it"; err == nil || err.Error() != want {
			t.Errorf("gradient of %s: got %v, want %s", c.op, err, want)
		}
		spec, _ := ops.Lookup(c.op)
		if ops.IsLinear(spec, op) {
			t.Errorf("%s %s in linear light counts as linear", c.op, c.params)
		}
	}
}

// TestLinearLightBooksItsMemory before it runs, and allocates nothing then.
func TestLinearLightBooksItsMemory(t *testing.T) {
	for _, c := range lightCalls {
		x := lightSamples(tensor.Uint16, 2, 9, 8, 4)
		p := plan(t, differentiable(t, c.op, c.params+" linear-light=true"), []*tensor.Tensor{x})
		stated, err := p.Bytes(1)
		if err != nil {
			t.Fatal(err)
		}
		in, out := []*tensor.Tensor{x}, []*tensor.Tensor{tensor.New(p.Outputs[0].Spec)}
		var start, end runtime.MemStats
		runtime.ReadMemStats(&start)
		r := ops.NewRunner(p, 1)
		runtime.ReadMemStats(&end)
		if booked := int(end.TotalAlloc - start.TotalAlloc); booked > stated*9/8+8192*len(p.Buffers) {
			t.Errorf("%s %s: %d bytes are booked, %d were stated", c.op, c.params, booked, stated)
		}
		if n := testing.AllocsPerRun(5, func() {
			if err := r.Run(in, out); err != nil {
				t.Error(err)
			}
		}); n != 0 {
			t.Errorf("%s %s: %v allocations a run", c.op, c.params, n)
		}
		r.Close()
	}
}
