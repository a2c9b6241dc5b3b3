package report

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

func compare(t *testing.T, a, b *tensor.Tensor, rtol, atol float64) Difference {
	t.Helper()
	d, err := Compare(a, b, rtol, atol)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// The examples of numpy.allclose and numpy.isclose, and their rules for NaN and
// infinities with equal_nan=True.
func TestCompareFollowsNumpyAllclose(t *testing.T) {
	for _, c := range []struct {
		a, b       []float64
		rtol, atol float64
		differ     int
	}{
		{[]float64{1e10, 1e-7}, []float64{1.00001e10, 1e-8}, 1e-5, 1e-8, 1},
		{[]float64{1e10, 1e-8}, []float64{1.00001e10, 1e-9}, 1e-5, 1e-8, 0},
		{[]float64{1e10, 1e-8}, []float64{1.0001e10, 1e-9}, 1e-5, 1e-8, 1},
		{[]float64{1, nan}, []float64{1, nan}, 1e-5, 1e-8, 0},
		{[]float64{1, nan, 2}, []float64{1, 2, nan}, 1e-5, 1e-8, 2},
		{[]float64{inf, -inf}, []float64{inf, -inf}, 0, 0, 0},
		{[]float64{inf, -inf, inf}, []float64{-inf, inf, nan}, 1e-5, 1e-8, 3},
		{[]float64{1, inf}, []float64{inf, 1}, 1e-5, 1e-8, 2}, // rtol*|inf| must not let it pass
		{[]float64{0}, []float64{math.Copysign(0, -1)}, 0, 0, 0},
		{[]float64{100}, []float64{110}, 0.1, 0, 0}, // relative to b: 10 <= 11
		{[]float64{110}, []float64{99}, 0.1, 0, 1},  // 11 > 9.9
		{[]float64{1e-9}, []float64{0}, 1e-5, 1e-8, 0},
		{nil, nil, 0, 0, 0},
	} {
		d := compare(t, tensor.From(c.a, len(c.a)), tensor.From(c.b, len(c.b)), c.rtol, c.atol)
		if d.Differ != c.differ || d.Equal != (c.differ == 0) {
			t.Errorf("%v and %v, rtol %g, atol %g: %d differ, want %d", c.a, c.b, c.rtol, c.atol, d.Differ, c.differ)
		}
	}
}

func TestComparePlacesTheLargestDifferences(t *testing.T) {
	a := tensor.From([]float32{1, 2, 3, 1000, 5, 6}, 2, 3)
	b := tensor.From([]float32{1, 2, 3, 1010, 4, math.Nextafter32(6, 7)}, 2, 3)
	d := compare(t, a, b, 0, 1e-3)
	if d.Differ != 2 || d.Unequal != 3 {
		t.Errorf("%d differ and %d are unequal, want 2 and 3", d.Differ, d.Unequal)
	}
	want := &Place{"10", []int{1, 0}, "1000", "1010"}
	if !reflect.DeepEqual(d.Absolute, want) || !reflect.DeepEqual(d.First, want) {
		t.Errorf("largest %+v, first %+v, want %+v", d.Absolute, d.First, want)
	}
	if want := (&Place{"0.25", []int{1, 1}, "5", "4"}); !reflect.DeepEqual(d.Relative, want) {
		t.Errorf("largest relative %+v, want %+v", d.Relative, want)
	}
	// From 4 to 5 there is a quarter of an octave: 2^23/4 floats.
	if want := (&Place{"2097152", []int{1, 1}, "5", "4"}); !reflect.DeepEqual(d.ULP, want) || d.ULPType != "float32" {
		t.Errorf("largest in ULP %+v of %s, want %+v", d.ULP, d.ULPType, want)
	}
}

func TestCompareCountsUnitsOfTheNarrowerType(t *testing.T) {
	half := func(v float32) *tensor.Tensor { return tensor.From([]tensor.F16{tensor.ToF16(v)}, 1) }
	single := func(v float32) *tensor.Tensor { return tensor.From([]float32{v}, 1) }
	double := func(v float64) *tensor.Tensor { return tensor.From([]float64{v}, 1) }
	for _, c := range []struct {
		a, b *tensor.Tensor
		ulp  Value
		name string
	}{
		{half(1), single(1 + 1.0/1024), "1", "float16"},
		{double(1), single(1 + 1.0/(1<<23)), "1", "float32"},
		{double(-0x1p-1074), double(0x1p-1074), "2", "float64"}, // across zero
		{single(-1), single(1), "2130706432", "float32"},        // 2 * 127 * 2^23
		{double(-math.MaxFloat64), double(math.MaxFloat64), "18437736874454810622", "float64"},
		{tensor.From([]uint8{2}, 1), single(1), "8388608", "float32"},
	} {
		d := compare(t, c.a, c.b, 0, 0)
		if d.ULP == nil || d.ULP.Value != c.ulp || d.ULPType != c.name {
			t.Errorf("%v and %v: %+v ULP of %s, want %s of %s", c.a.Data, c.b.Data, d.ULP, d.ULPType, c.ulp, c.name)
		}
	}
	if d := compare(t, double(1), double(inf), 0, 0); d.ULP != nil || d.Absolute.Value != "Infinity" || d.Relative.Value != "Infinity" {
		t.Errorf("an infinity has no ULP and is infinitely far: %+v", d)
	}
	if d := compare(t, single(1), double(1e300), 0, 0); d.ULP != nil {
		t.Errorf("1e300 is no float32: %+v", d.ULP)
	}
}

func TestCompareIsExactOnIntegers(t *testing.T) {
	for _, c := range []struct {
		a, b     *tensor.Tensor
		absolute Value
	}{
		{tensor.From([]int64{1<<53 + 1}, 1), tensor.From([]int64{1 << 53}, 1), "1"},
		{tensor.From([]uint64{math.MaxUint64}, 1), tensor.From([]uint64{math.MaxUint64 - 1}, 1), "1"},
		{tensor.From([]int64{math.MinInt64}, 1), tensor.From([]int64{math.MaxInt64}, 1), "18446744073709551615"},
		{tensor.From([]int64{math.MinInt64}, 1), tensor.From([]uint64{math.MaxUint64}, 1), "27670116110564327423"},
		{tensor.From([]uint8{255}, 1), tensor.From([]int8{-1}, 1), "256"},
		{tensor.From([]uint16{65535}, 1), tensor.From([]int32{65535}, 1), ""},
		{tensor.From([]int16{-5}, 1), tensor.From([]uint32{5}, 1), "10"},
	} {
		d := compare(t, c.a, c.b, 0, 0)
		if got := d.Absolute; (got == nil) != (c.absolute == "") || (got != nil && got.Value != c.absolute) {
			t.Errorf("%v and %v: %+v, want %q", c.a.Data, c.b.Data, got, c.absolute)
		}
		if d.Equal != (c.absolute == "") || d.ULP != nil {
			t.Errorf("%v and %v: equal %t, ULP %v", c.a.Data, c.b.Data, d.Equal, d.ULP)
		}
	}
	d := compare(t, tensor.From([]int32{0, 7}, 2), tensor.From([]int32{0, 0}, 2), 0, 7)
	if !d.Equal || d.Relative.Value != "Infinity" || d.Unequal != 1 || d.First != nil {
		t.Errorf("7 and 0 within 7: %+v", d)
	}
}

func TestCompareRefusesWhatCannotBeCompared(t *testing.T) {
	a, b := tensor.From([]float32{1, 2}, 2), tensor.From([]float32{1, 2}, 1, 2)
	d := compare(t, a, b, 0, 0)
	if d.Equal || d.SameSize || !strings.Contains(textOf(t, d.WriteText), "different shapes") {
		t.Errorf("shapes (2) and (1,2): %+v", d)
	}
	for _, tolerance := range []float64{-1, nan, inf} {
		if _, err := Compare(a, a, tolerance, 0); err == nil || !strings.HasPrefix(err.Error(), "rtol: got ") {
			t.Errorf("rtol %g: error %v", tolerance, err)
		}
		if _, err := Compare(a, a, 0, tolerance); err == nil || !strings.HasPrefix(err.Error(), "atol: got ") {
			t.Errorf("atol %g: error %v", tolerance, err)
		}
	}
}

func TestDifferenceAsText(t *testing.T) {
	a := tensor.From([]float32{1, 2, 3, float32(nan)}, 2, 2)
	b := tensor.From([]float64{1, 2.5, 3, 0}, 2, 2)
	d := compare(t, a, b, 1e-5, 1e-8)
	d.A.Name, d.B.Name = "a.npy", "b.npy"
	want := `result            different: 2 of 4 elements (50 %)
a                 float32 (2,2)  a.npy
b                 float64 (2,2)  b.npy
                  different types, compared by value
tolerance         |a-b| <= 1e-08 + 1e-05*|b|
unequal           2
NaN in one        1
first             0.5 at (0,1): 2 and 2.5
largest absolute  0.5 at (0,1): 2 and 2.5
largest relative  0.2 at (0,1): 2 and 2.5
largest in ULP    2097152 of float32 at (0,1): 2 and 2.5
`
	if got := textOf(t, d.WriteText); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestDifferenceAsJSON(t *testing.T) {
	a, b := tensor.From([]float32{1, float32(nan), 3}, 3), tensor.From([]float32{1, 2, float32(-inf)}, 3)
	d := compare(t, a, b, 0, 0)
	if got := strictJSON[Difference](t, d.WriteJSON); !reflect.DeepEqual(got, d) {
		t.Errorf("reads back as %+v, want %+v", got, d)
	}
	text := textOf(t, d.WriteJSON)
	for _, part := range []string{`"schema": "poolctl.compare/v1"`, `"value": "NaN"`, `"b": "-Infinity"`, `"ulp": null`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in\n%s", part, text)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, d := range []tensor.DType{tensor.Float32, tensor.Int64} {
		b.Run(d.String(), func(b *testing.B) {
			x := tensor.New(tensor.Spec{DType: d, Shape: tensor.Shape{10_000_000}})
			y := tensor.New(x.Spec)
			ones := make([]uint8, x.Len())
			for i := range ones {
				ones[i] = uint8(i % 2)
			}
			tensor.Convert(y, tensor.From(ones, len(ones)))
			b.SetBytes(int64(2 * d.Size() * x.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compare(x, y, 1e-5, 1e-8); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestSubtractIsZeroWhereTheNumbersAreTheSame(t *testing.T) {
	a := tensor.From([]float32{1, float32(nan), float32(inf), 2, float32(inf), float32(nan)}, 2, 3)
	b := tensor.From([]float32{1, float32(nan), float32(inf), 3, 1, 1}, 2, 3)
	d, err := Subtract(a, b)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0, 0, 0, -1, inf, nan} {
		if got := d.At(i); got != want && (got == got || want == want) {
			t.Errorf("element %d: got %g, want %g", i, got, want)
		}
	}
	if _, err := Subtract(a, tensor.From([]float32{1}, 1, 1)); err == nil {
		t.Error("different shapes are not refused")
	}
}

func TestSubtractKeepsLargeIntegersApart(t *testing.T) {
	d, err := Subtract(tensor.From([]int64{1<<62 + 1, 5, math.MinInt64}, 3), tensor.From([]uint64{1 << 62, 5, math.MaxUint64}, 3))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1, 0, -0x1.8p64} {
		if got := d.At(i); got != want {
			t.Errorf("element %d: got %g, want %g", i, got, want)
		}
	}
}

// Integers of 64 bits are not rounded before they are compared with floats.
func TestCompareIsExactBetweenIntegersAndFloats(t *testing.T) {
	for _, c := range []struct {
		a, b   *tensor.Tensor
		differ int
		most   Value
	}{
		{tensor.From([]int64{1<<53 + 1, 1 << 53}, 2), tensor.From([]float64{1 << 53, 1 << 53}, 2), 1, "1"},
		{tensor.From([]float64{-1 << 53}, 1), tensor.From([]int64{-1<<53 - 1}, 1), 1, "1"},
		{tensor.From([]int64{1<<63 - 1, -1 << 63}, 2), tensor.From([]float64{1 << 63, -1 << 63}, 2), 1, "1"},
		{tensor.From([]uint64{1<<64 - 1}, 1), tensor.From([]float64{1 << 64}, 1), 1, "1"},
		{tensor.From([]uint64{1 << 63, 3}, 2), tensor.From([]float32{1 << 63, 3}, 2), 0, ""},
		{tensor.From([]int64{1<<53 + 1}, 1), tensor.From([]float64{inf}, 1), 1, "Infinity"},
		{tensor.From([]int64{1<<53 + 1}, 1), tensor.From([]float64{1<<53 - 1}, 1), 1, "2"},
	} {
		d := compare(t, c.a, c.b, 0, 0)
		if d.Differ != c.differ || d.Absolute == nil != (c.most == "") || d.Absolute != nil && d.Absolute.Value != c.most {
			t.Errorf("%s %v and %s %v: %d differ by at most %+v, want %d by %s", c.a.DType, c.a.Data, c.b.DType, c.b.Data, d.Differ, d.Absolute, c.differ, c.most)
		}
		if difference, err := Subtract(c.a, c.b); err != nil || (c.most == "") != (difference.At(0) == 0) {
			t.Errorf("%s %v - %s %v = %v (%v)", c.a.DType, c.a.Data, c.b.DType, c.b.Data, difference.Data, err)
		}
	}
}
