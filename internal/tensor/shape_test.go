package tensor_test

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// TestProductAgreesWithBigNumbers: a product is exact, or refused where it does
// not fit; a zero hides no overflow.
func TestProductAgreesWithBigNumbers(t *testing.T) {
	factor := rapid.OneOf(
		rapid.IntRange(0, 5),
		rapid.Map(rapid.IntRange(0, 62), func(shift int) int { return 1 << shift }),
		rapid.SampledFrom([]int{math.MaxInt, math.MaxInt - 1, math.MaxInt32, math.MaxUint32, 3037000499, 3037000500}),
		rapid.Int())
	rapid.Check(t, func(t *rapid.T) {
		factors := rapid.SliceOfN(factor, 0, 6).Draw(t, "factors")
		product, zero, negative := big.NewInt(1), false, false
		for _, f := range factors {
			negative = negative || f < 0
			if zero = zero || f == 0; f != 0 {
				product.Mul(product, big.NewInt(int64(f)))
			}
		}
		got, err := tensor.Product(factors...)
		switch {
		case negative || !product.IsInt64():
			if err == nil {
				t.Fatalf("%v: got %d, want an error", factors, got)
			}
		case zero:
			if err != nil || got != 0 {
				t.Fatalf("%v: got %d, %v, want 0", factors, got, err)
			}
		case err != nil || int64(got) != product.Int64():
			t.Fatalf("%v: got %d, %v, want %v", factors, got, err, product)
		}
	})
}

func TestProductErrors(t *testing.T) {
	for _, c := range []struct {
		shape tensor.Shape
		want  string
	}{
		{tensor.Shape{2, -3}, "sizes (2,-3): got -3, want >= 0"},
		{tensor.Shape{1 << 32, 1 << 31}, "sizes (4294967296,2147483648): their product does not fit in 63 bits"},
		{tensor.Shape{0, 1 << 62, 2}, "sizes (0,4611686018427387904,2): their product does not fit in 63 bits"},
	} {
		if _, err := c.shape.Elements(); err == nil || err.Error() != c.want {
			t.Errorf("%v: got %v, want %s", c.shape, err, c.want)
		}
	}
	if _, err := (tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{1 << 60}}).Bytes(); err == nil {
		t.Error("2^63 bytes are accepted")
	}
	if n, err := (tensor.Spec{DType: tensor.Float16, Shape: tensor.Shape{3, 5}}).Bytes(); n != 30 || err != nil {
		t.Errorf("15 halves take %d bytes, %v", n, err)
	}
}

// TestIndexInvertsFlattening: coordinates flatten back to the index they came
// from, and stay within the shape.
func TestIndexInvertsFlattening(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := tensor.Shape(rapid.SliceOfN(rapid.IntRange(1, 5), 0, 5).Draw(t, "shape"))
		n, _ := shape.Elements()
		for i := range n {
			at, flat := shape.Index(i), 0
			for axis, c := range at {
				if c < 0 || c >= shape[axis] {
					t.Fatalf("%v: index %d is at %v", shape, i, at)
				}
				flat = flat*shape[axis] + c
			}
			if flat != i {
				t.Fatalf("%v: index %d is at %v, which is index %d", shape, i, at, flat)
			}
		}
	})
}

func TestSpecsAndShapesPrint(t *testing.T) {
	a := tensor.Spec{DType: tensor.Float16, Shape: tensor.Shape{2, 3}}
	if a.String() != "float16 (2,3)" || (tensor.Shape{}).String() != "()" {
		t.Errorf("%s, %s", a, tensor.Shape{})
	}
	for _, b := range []tensor.Spec{{DType: tensor.Float32, Shape: a.Shape}, {DType: tensor.Float16, Shape: tensor.Shape{3, 2}}, {DType: tensor.Float16, Shape: tensor.Shape{2}}} {
		if a.Equal(b) {
			t.Errorf("%s equals %s", a, b)
		}
	}
	if !a.Equal(tensor.Spec{DType: tensor.Float16, Shape: tensor.Shape{2, 3}}) {
		t.Errorf("%s does not equal itself", a)
	}
}

// TestTensorsHoldTheirShape: New, From, Reshaped and At for every type; wrong
// sizes panic.
func TestTensorsHoldTheirShape(t *testing.T) {
	for _, d := range tensor.DTypes() {
		x := tensor.New(tensor.Spec{DType: d, Shape: tensor.Shape{2, 3}})
		if x.Len() != 6 || x.At(5) != 0 {
			t.Errorf("%s: %d elements, the last is %v", d, x.Len(), x.At(5))
		}
		y := x.Reshaped(tensor.Shape{6})
		tensor.Convert(y, tensor.From([]uint8{0, 1, 2, 3, 4, 5}, 6))
		if x.At(5) != 5 || !x.Shape.Equal(tensor.Shape{2, 3}) {
			t.Errorf("%s: reshaping does not share the data", d)
		}
	}
	if x := tensor.From([]tensor.F16{0x3c00}, 1); x.DType != tensor.Float16 || x.At(0) != 1 {
		t.Errorf("%s %v", x.Spec, x.At(0))
	}
	for name, f := range map[string]func(){
		"From":     func() { tensor.From([]uint8{1, 2}, 3) },
		"Reshaped": func() { tensor.From([]uint8{1, 2}, 2).Reshaped(tensor.Shape{3}) },
		"New":      func() { tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{-1}}) },
		"invalid":  func() { tensor.New(tensor.Spec{Shape: tensor.Shape{1}}) },
		"Of":       func() { tensor.Of[int8](tensor.From([]uint8{1}, 1)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}

// TestDTypes: names parse back whatever their case; sizes, kinds and the types
// of arithmetic are those of the package comment.
func TestDTypes(t *testing.T) {
	wide := map[tensor.DType]tensor.DType{
		tensor.Uint8: tensor.Float32, tensor.Int8: tensor.Float32, tensor.Uint16: tensor.Float32, tensor.Int16: tensor.Float32,
		tensor.Uint32: tensor.Float64, tensor.Int32: tensor.Float64, tensor.Uint64: tensor.Float64, tensor.Int64: tensor.Float64,
		tensor.BFloat16: tensor.Float32, tensor.Float16: tensor.Float32, tensor.Float32: tensor.Float32, tensor.Float64: tensor.Float64,
	}
	for i, d := range tensor.DTypes() {
		for _, name := range []string{d.String(), strings.ToUpper(d.String())} {
			if got, err := tensor.ParseDType(name); got != d || err != nil {
				t.Errorf("%s parses to %s, %v", name, got, err)
			}
		}
		if tensor.DTypeNames()[i] != d.String() || !strings.HasSuffix(d.String(), map[int]string{1: "8", 2: "16", 4: "32", 8: "64"}[d.Size()]) {
			t.Errorf("%s has %d bytes", d, d.Size())
		}
		if isFloat := strings.Contains(d.String(), "float"); d.IsFloat() != isFloat || d.IsInteger() == isFloat {
			t.Errorf("%s: float %v, integer %v", d, d.IsFloat(), d.IsInteger())
		}
		averaged, compared := wide[d], d
		if d.IsFloat() {
			averaged = d
		}
		if d.IsNarrow() {
			compared = wide[d]
		}
		if d.Real() != compared || d.IsNarrow() != (d.Size() == 2 && d.IsFloat()) {
			t.Errorf("%s: compared in %s, narrow %v", d, d.Real(), d.IsNarrow())
		}
		if d.Arithmetic() != wide[d] || d.Averaged() != averaged {
			t.Errorf("%s: arithmetic in %s, averages in %s", d, d.Arithmetic(), d.Averaged())
		}
	}
	const want = `got "float8", want one of uint8, int8, uint16, int16, uint32, int32, uint64, int64, bfloat16, float16, float32, float64`
	if _, err := tensor.ParseDType("float8"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if tensor.Invalid.IsFloat() || tensor.Invalid.IsInteger() {
		t.Error("invalid is a number")
	}
}
