package ops_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// named returns the filter that a name stands for, for an operation and its
// input.
func named(t *testing.T, opName, filter string, x tensor.Spec) (ops.Op, *tensor.Tensor) {
	t.Helper()
	spec, err := ops.Lookup(opName)
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New()
	if err := ops.Set(op, "filter", filter); err != nil {
		t.Fatal(err)
	}
	in, err := op.Inputs(x)
	if err != nil {
		t.Fatal(err)
	}
	f := in[0].Make()
	if !f.Equal(in[0].Spec) {
		t.Fatalf("%s makes %s, and said %s", filter, f.Spec, in[0].Spec)
	}
	return op, f
}

func double(shape ...int) tensor.Spec { return tensor.Spec{DType: tensor.Float64, Shape: shape} }

// TestGaussiansSumToOne and are symmetric and separable, whatever their width.
func TestGaussiansSumToOne(t *testing.T) {
	for _, name := range []string{"gaussian:1:1", "gaussian:5:1", "gaussian:9:2.5", "gaussian:4:0.7", "gaussian:4:1e-5", "gaussian:5:1e-300", "gaussian:6:1e200", "gaussian:3:5e-324", "gaussian:1023:40"} {
		for rank, c := range []struct {
			op string
			x  tensor.Spec
		}{{"conv1d", double(1, 9, 1)}, {"conv2d", double(1, 9, 9, 1)}} {
			_, f := named(t, c.op, name, c.x)
			v, size := tensor.Of[float64](f), f.Shape[0]
			sum := 0.0
			for i, w := range v {
				sum += w
				if !(w >= 0 && w <= 1) || w != v[len(v)-1-i] {
					t.Fatalf("%s: weight %d of %s is %v, its mirror image %v", name, i, f.Shape, w, v[len(v)-1-i])
				}
			}
			if math.Abs(sum-1) > 1e-12 {
				t.Errorf("%s: %s sums to %v", name, f.Shape, sum)
			}
			if rank == 1 {
				for y := range size {
					for x := range size {
						row, col := v[y*size+size/2], v[size/2*size+x]
						if got := v[y*size+x] * v[size/2*size+size/2]; math.Abs(got-row*col) > 1e-15 {
							t.Fatalf("%s is not separable at %d,%d", name, y, x)
						}
					}
				}
			}
		}
	}
}

// TestFiltersByName: sizes, sums and values that the names promise.
func TestFiltersByName(t *testing.T) {
	for _, c := range []struct {
		op, name string
		x        tensor.Spec
		shape    tensor.Shape
		want     []float64
	}{
		{"conv2d", "sobel-x", double(1, 9, 9, 1), tensor.Shape{3, 3, 1, 1}, []float64{-1, 0, 1, -2, 0, 2, -1, 0, 1}},
		{"conv2d", "sobel-y", double(1, 9, 9, 1), tensor.Shape{3, 3, 1, 1}, []float64{-1, -2, -1, 0, 0, 0, 1, 2, 1}},
		{"conv2d", "laplacian", double(1, 9, 9, 1), tensor.Shape{3, 3, 1, 1}, []float64{0, 1, 0, 1, -4, 1, 0, 1, 0}},
		{"conv1d", "laplacian", double(1, 9, 1), tensor.Shape{3, 1, 1}, []float64{1, -2, 1}},
		{"conv2d", "emboss", double(1, 9, 9, 1), tensor.Shape{3, 3, 1, 1}, []float64{-2, -1, 0, -1, 1, 1, 0, 1, 2}},
		{"conv2d", "box:2", double(1, 9, 9, 1), tensor.Shape{2, 2, 1, 1}, []float64{0.25, 0.25, 0.25, 0.25}},
		{"conv2d", "identity", double(1, 9, 9, 3), tensor.Shape{1, 1, 1, 3}, []float64{1, 1, 1}},
		{"depthwise-conv2d", "box:1", double(1, 9, 9, 2), tensor.Shape{1, 1, 2, 1}, []float64{1, 1}},
		{"dilation2d", "box:1", double(1, 9, 9, 2), tensor.Shape{1, 1, 2}, []float64{1, 1}},
	} {
		_, f := named(t, c.op, c.name, c.x)
		if !f.Shape.Equal(c.shape) || !slices.Equal(tensor.Of[float64](f), c.want) {
			t.Errorf("%s %s: %s %v, want %s %v", c.op, c.name, f.Shape, f.Data, c.shape, c.want)
		}
	}
	_, f := named(t, "conv3d", "laplacian", double(1, 4, 4, 4, 1))
	sum := 0.0
	for _, w := range tensor.Of[float64](f) {
		sum += w
	}
	if sum != 0 || tensor.Of[float64](f)[13] != -6 {
		t.Errorf("the 3-D laplacian sums to %v around %v", sum, tensor.Of[float64](f)[13])
	}
}

// TestNamedFiltersActAsTheySay: identity changes nothing, a box keeps a
// constant, the derivatives of a ramp are constant.
func TestNamedFiltersActAsTheySay(t *testing.T) {
	const h, w, c = 6, 7, 2
	ramp := make([]float64, h*w*c)
	for i := range ramp {
		x, y := i/c%w, i/c/w
		ramp[i] = float64(3*x + 5*y + i%c)
	}
	in := tensor.From(ramp, 1, h, w, c)
	for _, c := range []struct {
		filter string
		want   float64
	}{{"sobel-x", 8 * 3}, {"sobel-y", 8 * 5}, {"laplacian", 0}} {
		op, f := named(t, "conv2d", c.filter, in.Spec)
		for i, v := range tensor.Of[float64](run(t, op, in, f)[0]) {
			if v != c.want {
				t.Fatalf("%s of a ramp is %v at %d, want %v", c.filter, v, i, c.want)
			}
		}
	}
	for _, name := range []string{"conv2d", "depthwise-conv2d"} {
		op, f := named(t, name, "identity", in.Spec)
		if got := run(t, op, in, f)[0]; !got.Equal(in.Spec) || !slices.Equal(tensor.Of[float64](got), ramp) {
			t.Errorf("%s by identity changes the input", name)
		}
		op, f = named(t, name, "box:4", in.Spec)
		flat := tensor.From(slices.Repeat([]float64{3}, h*w*c), 1, h, w, c)
		for i, v := range tensor.Of[float64](run(t, op, flat, f)[0]) {
			if v != 3 {
				t.Fatalf("%s: the box mean of 3 is %v at %d", name, v, i)
			}
		}
	}
}

// TestRandomFiltersAreReproducible: a seed makes the same numbers.
func TestRandomFiltersAreReproducible(t *testing.T) {
	for _, kind := range []string{"uniform", "normal"} {
		_, a := named(t, "conv2d", kind+":7x7x3x64:1", double(1, 9, 9, 3))
		_, b := named(t, "conv2d", kind+":7,7,3,64:1", double(1, 9, 9, 3))
		_, other := named(t, "conv2d", kind+":7x7x3x64:2", double(1, 9, 9, 3))
		x, y, z := tensor.Of[float32](a), tensor.Of[float32](b), tensor.Of[float32](other)
		if !a.Shape.Equal(tensor.Shape{7, 7, 3, 64}) || !slices.Equal(x, y) || slices.Equal(x, z) {
			t.Errorf("%s: equal seeds make %v numbers, other seeds %v", kind, slices.Equal(x, y), slices.Equal(x, z))
		}
		mean, square := 0.0, 0.0
		for _, v := range x {
			if kind == "uniform" && (v < -1 || v >= 1) {
				t.Fatalf("%s makes %v", kind, v)
			}
			mean += float64(v) / float64(len(x))
			square += float64(v) * float64(v) / float64(len(x))
		}
		if want := map[string]float64{"uniform": 1.0 / 3, "normal": 1}[kind]; math.Abs(mean) > 0.05 || math.Abs(square-want) > 0.05 {
			t.Errorf("%s: mean %v, mean square %v, want 0 and %v", kind, mean, square, want)
		}
	}
}

// TestBadFilterNames are usage errors that list the forms.
func TestBadFilterNames(t *testing.T) {
	for _, c := range []struct{ op, filter, want string }{
		{"conv2d", "gaussian:5", "2: one of sobel-x"},
		{"conv2d", "sobel-x:3", `got "sobel-x:3" with 1 parameters, want 0: one of sobel-x`},
		{"conv2d", "box:0", "got size 0, want 1 to 1023"},
		{"conv2d", "box:1024", "got size 1024, want 1 to 1023"},
		{"conv2d", "box:2.5", `got "2.5", want a whole number`},
		{"conv2d", "gaussian:5:0", `got sigma "0", want a number > 0`},
		{"conv2d", "gaussian:5:-1", `got sigma "-1", want a number > 0`},
		{"conv2d", "gaussian:5:inf", `got sigma "inf", want a number > 0`},
		{"conv1d", "sobel-x", "got sobel-x, which has 2 dimensions, for 1"},
		{"conv2d", "uniform:3x3x4611686018427387904x4:1", "does not fit in 63 bits"},
		{"conv2d", "uniform:30000x30000x3x3:1", "want at most 268435456 weights"},
		{"conv2d", "uniform:3x-3x3x3:1", "got -3, want >= 0"},
		{"conv2d", "normal:3x3x3x3:x", `seed: got "x", want a whole number`},
	} {
		spec, err := ops.Lookup(c.op)
		if err != nil {
			t.Fatal(err)
		}
		op := spec.New()
		if err := ops.Set(op, "filter", c.filter); err != nil {
			t.Fatal(err)
		}
		x := double(1, 9, 9, 3)
		if c.op == "conv1d" {
			x = double(1, 9, 3)
		}
		_, err = op.Inputs(x)
		if err == nil || !typed(err) || ops.Field(err) != "filter" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want … %s …", c.filter, err, c.want)
		}
	}
}

// TestInitialisers draw with the spread that their rules promise (Keras's
// VarianceScaling: limits and deviations by fan-in and fan-out), by the
// meaning of the filter's axes.
func TestInitialisers(t *testing.T) {
	x := double(1, 9, 9, 20)
	for _, c := range []struct {
		filter, format   string
		limit, deviation float64 // 0: no limit
	}{
		{"uniform:5x5x20x40:1", "HWIO", 1, 1 / math.Sqrt(3)},
		{"normal:5x5x20x40:1", "HWIO", 0, 1},
		{"glorot-uniform:5x5x20x40:1", "HWIO", math.Sqrt(6. / 1500), math.Sqrt(2. / 1500)},
		{"glorot-normal:5x5x20x40:1", "HWIO", 2 / 0.8796 * math.Sqrt(2./1500), math.Sqrt(2. / 1500)},
		{"he-uniform:5x5x20x40:1", "HWIO", math.Sqrt(6. / 500), math.Sqrt(2. / 500)},
		{"he-normal:5x5x20x40:1", "HWIO", 2 / 0.8796 * math.Sqrt(2./500), math.Sqrt(2. / 500)},
		{"he-normal:40x20x5x5:1", "OIHW", 2 / 0.8796 * math.Sqrt(2./500), math.Sqrt(2. / 500)},
	} {
		spec, err := ops.Lookup("conv2d")
		if err != nil {
			t.Fatal(err)
		}
		op := spec.New()
		for _, p := range [][2]string{{"filter", c.filter}, {"filter-format", c.format}} {
			if err := ops.Set(op, p[0], p[1]); err != nil {
				t.Fatal(err)
			}
		}
		in, err := op.Inputs(x)
		if err != nil {
			t.Fatal(err)
		}
		v := tensor.Of[float32](in[0].Make())
		if !slices.Equal(v, tensor.Of[float32](in[0].Make())) {
			t.Errorf("%s: two draws differ", c.filter)
		}
		sum, squares, most := 0.0, 0.0, 0.0
		for i := range v {
			w := float64(v[i])
			sum, squares, most = sum+w, squares+w*w, max(most, math.Abs(w))
		}
		n := float64(len(v))
		if d := math.Sqrt(squares / n); math.Abs(d/c.deviation-1) > 0.02 {
			t.Errorf("%s as %s: got deviation %.5f, want %.5f", c.filter, c.format, d, c.deviation)
		}
		if math.Abs(sum/n) > 4*c.deviation/math.Sqrt(n) {
			t.Errorf("%s: got mean %v", c.filter, sum/n)
		}
		if c.limit > 0 && (most > c.limit*1.0001 || most < c.limit*0.99) {
			t.Errorf("%s: got largest %v, want just under %v", c.filter, most, c.limit)
		}
	}
	for name, want := range map[string]float32{"zeros:3x3x20x2": 0, "ones:3x3x20x2": 1} {
		_, f := named(t, "conv2d", name, x)
		for _, v := range tensor.Of[float32](f) {
			if v != want {
				t.Fatalf("%s: got %v", name, v)
			}
		}
	}
}
