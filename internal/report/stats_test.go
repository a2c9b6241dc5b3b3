package report

import (
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"

	"github.com/poolctl/poolctl/internal/tensor"
)

func TestInspectCountsAndMeasuresFiniteElementsOnly(t *testing.T) {
	x := tensor.From([]float32{1, 2, 3, 4, float32(nan), float32(inf), float32(-inf), float32(-inf), float32(math.Copysign(0, -1)), 0}, 2, 5)
	s := Inspect(x)
	if s.NaN != 1 || s.PosInf != 1 || s.NegInf != 2 || s.Zeros != 2 || s.Share != 0.2 || s.Elements != 10 || s.Bytes != 40 {
		t.Errorf("counts are wrong: %+v", s)
	}
	// 1, 2, 3, 4, 0, 0: mean 10/6, variance (30 - 100/6) / 6
	if got := s.Mean.Float(); math.Abs(got-10.0/6) > 1e-15 {
		t.Errorf("mean %v, want %v", got, 10.0/6)
	}
	if got, want := s.Std.Float(), math.Sqrt((30-100.0/6)/6); math.Abs(got-want) > 1e-15 {
		t.Errorf("standard deviation %v, want %v", got, want)
	}
	if s.Max != "4" || s.Min.Float() != 0 {
		t.Errorf("range %s to %s, want 0 to 4", s.Min, s.Max)
	}
	h := s.Histogram
	// 32 bins of 1/8: 0 in the first, 1 in the 8th, …, 4 in the last.
	for bin, want := range map[int]int{0: 2, 8: 1, 16: 1, 24: 1, 31: 1} {
		if h.Counts[bin] != want {
			t.Errorf("bin %d holds %d elements, want %d: %v", bin, h.Counts[bin], want, h.Counts)
		}
	}
}

func TestInspectMergesBlocksAsGonumSeesTheWhole(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]float64, 3*block+17)
	for i := range data {
		data[i] = 1e9 + random.NormFloat64() // a naive sum of squares would lose every digit
	}
	mean, variance := stat.PopMeanVariance(data, nil)
	s := Inspect(tensor.From(data, len(data)))
	if got := s.Mean.Float(); math.Abs(got-mean) > 1e-6 {
		t.Errorf("mean %.17g, want %.17g", got, mean)
	}
	if got, want := s.Std.Float(), math.Sqrt(variance); math.Abs(got-want) > 1e-8 {
		t.Errorf("standard deviation %.17g, want %.17g", got, want)
	}
	total := 0
	for _, n := range s.Histogram.Counts {
		total += n
	}
	if total != len(data) || len(s.Histogram.Counts) != Bins {
		t.Errorf("%d bins hold %d elements, want %d holding %d", len(s.Histogram.Counts), total, Bins, len(data))
	}
}

func TestInspectKeepsIntegerExtremesExact(t *testing.T) {
	u := Inspect(tensor.From([]uint64{math.MaxUint64, math.MaxUint64 - 1}, 2))
	if u.Min != "18446744073709551614" || u.Max != "18446744073709551615" {
		t.Errorf("uint64 range %s to %s", string(u.Min), string(u.Max))
	}
	i := Inspect(tensor.From([]int64{math.MinInt64, math.MinInt64 + 1, 1<<53 + 1}, 3))
	if i.Min != "-9223372036854775808" || i.Max != "9007199254740993" {
		t.Errorf("int64 range %s to %s", string(i.Min), string(i.Max))
	}
	if text := textOf(t, u.WriteText); !strings.Contains(text, "18446744073709551614 to 18446744073709551615") {
		t.Errorf("text rounds the range:\n%s", text)
	}
}

func TestInspectNeitherOverflowsNorVanishes(t *testing.T) {
	for _, v := range []float64{math.MaxFloat64, 1e-310, math.SmallestNonzeroFloat64} {
		s := Inspect(tensor.From([]float64{v, -v, v, -v}, 4))
		if s.Mean.Float() != 0 || s.Std.Float() != v {
			t.Errorf("±%g: mean %s, standard deviation %s, want 0 and %g", v, string(s.Mean), string(s.Std), v)
		}
		if s.Histogram.Counts[0] != 2 || s.Histogram.Counts[Bins-1] != 2 {
			t.Errorf("±%g: histogram %v, want 2 at each end", v, s.Histogram.Counts)
		}
	}
	if s := Inspect(tensor.From([]float64{math.MaxFloat64, math.MaxFloat64}, 2)); s.Mean.Float() != math.MaxFloat64 || s.Std != "0" {
		t.Errorf("mean %s, standard deviation %s of two equal numbers", string(s.Mean), string(s.Std))
	}
}

func TestInspectOfEveryType(t *testing.T) {
	for _, d := range tensor.DTypes() {
		x := tensor.New(tensor.Spec{DType: d, Shape: tensor.Shape{2, 2}})
		tensor.Convert(x, tensor.From([]float64{0, 1, 2, 5}, 4))
		s := Inspect(x)
		if s.Min != "0" || s.Max != "5" || s.Mean != "2" || s.Zeros != 1 || s.Std.Float() != math.Sqrt(14.0/4) {
			t.Errorf("%s: %+v", d, s)
		}
	}
}

func TestHistogramRanges(t *testing.T) {
	s := Inspect(tensor.From([]uint8{0, 7, 8, 255}, 4))
	if s.Histogram.Lo != "0" || s.Histogram.Hi != "256" || s.Histogram.Counts[0] != 2 || s.Histogram.Counts[1] != 1 || s.Histogram.Counts[31] != 1 {
		t.Errorf("uint8: %+v", s.Histogram)
	}
	if s := Inspect(tensor.From([]float32{3, 3}, 2)); s.Histogram.Lo != "2.5" || s.Histogram.Hi != "3.5" || s.Histogram.Counts[16] != 2 {
		t.Errorf("equal elements: %+v", s.Histogram)
	}
	if s := Inspect(tensor.From([]float64{1e300}, 1)); s.Histogram.Lo.Float() >= 1e300 || s.Histogram.Hi.Float() <= 1e300 {
		t.Errorf("one huge element: %+v", s.Histogram)
	}
}

func TestInspectOfNothing(t *testing.T) {
	for name, x := range map[string]*tensor.Tensor{
		"empty":    tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{0, 3}}),
		"no bytes": tensor.New(tensor.Spec{DType: tensor.Int16, Shape: tensor.Shape{0}}),
		"all NaN":  tensor.From([]float64{nan, nan}, 2),
	} {
		s := Inspect(x)
		if s.Min != "" || s.Max != "" || s.Mean != "" || s.Std != "" || len(s.Histogram.Counts) != 0 {
			t.Errorf("%s: statistics of nothing: %+v", name, s)
		}
		if got := strictJSON[Summary](t, s.WriteJSON); !reflect.DeepEqual(got, s) {
			t.Errorf("%s: JSON reads back as %+v, want %+v", name, got, s)
		}
		if text := textOf(t, s.WriteText); strings.Contains(text, "histogram") {
			t.Errorf("%s: a histogram of nothing:\n%s", name, text)
		}
	}
}

func TestSummaryAsText(t *testing.T) {
	data := make([]uint8, 0, 1024)
	for i := range 256 {
		for range 1 + i/64 {
			data = append(data, uint8(i))
		}
	}
	s := Inspect(tensor.From(data, 1, len(data)))
	s.Name = "ramp.npy"
	want := `name       ramp.npy
type       uint8
shape      (1,640)
elements   640 (640 B)
range      0 to 255
mean       159.5
deviation  66.61269
zeros      1 (0.156 %)
NaN, Inf   none
histogram                  ▂▂▂▂▂▂▂▂████████
                   ▄▄▄▄▄▄▄▄████████████████
           ▆▆▆▆▆▆▆▆████████████████████████
           0                            256
`
	if got := textOf(t, s.WriteText); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestSummaryAsJSON(t *testing.T) {
	s := Inspect(tensor.From([]float64{1, nan, inf}, 3))
	s.Mean, s.Min, s.Max = "NaN", "-Infinity", "Infinity" // not what Inspect gives: what must stay valid JSON
	text := textOf(t, s.WriteJSON)
	for _, part := range []string{`"schema": "poolctl.inspect/v1"`, `"mean": "NaN"`, `"min": "-Infinity"`, `"max": "Infinity"`, `"pos_inf": 1`} {
		if !strings.Contains(text, part) {
			t.Errorf("no %s in\n%s", part, text)
		}
	}
	if got := strictJSON[Summary](t, s.WriteJSON); !reflect.DeepEqual(got, s) {
		t.Errorf("reads back as %+v, want %+v", got, s)
	}
}

func TestInspectNeedsAFixedAmountOfMemory(t *testing.T) {
	one := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{block}})
	many := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{100 * block}})
	small := testing.AllocsPerRun(3, func() { Inspect(one) })
	large := testing.AllocsPerRun(3, func() { Inspect(many) })
	if large > small {
		t.Errorf("%v allocations for 100 blocks, %v for one", large, small)
	}
}

func BenchmarkInspect(b *testing.B) {
	x := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{10_000_000}})
	for i := range tensor.Of[float32](x) {
		tensor.Of[float32](x)[i] = float32(i % 1000)
	}
	b.SetBytes(int64(4 * x.Len()))
	b.ReportAllocs()
	for b.Loop() {
		Inspect(x)
	}
}

// TestInspectCountsSmallIntegersAsIfTheyWereWide: a tally gives what blocks of
// wider integers give.
func TestInspectCountsSmallIntegersAsIfTheyWereWide(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, d := range []tensor.DType{tensor.Uint8, tensor.Int8, tensor.Uint16, tensor.Int16} {
		for _, n := range []int{1, 2, 3, 1000, 2*block + 1} {
			wide := tensor.New(tensor.Spec{DType: tensor.Int32, Shape: tensor.Shape{n}})
			for i := range n {
				tensor.Of[int32](wide)[i] = int32(random.IntN(100)) - 20
			}
			narrow, _ := tensor.Converted(wide, d)
			if d == tensor.Uint8 || d == tensor.Uint16 { // without what was clipped
				wide, _ = tensor.Converted(narrow, tensor.Int32)
			}
			got, want := Inspect(narrow), Inspect(wide)
			if got.Min != want.Min || got.Max != want.Max || got.Zeros != want.Zeros {
				t.Errorf("%s, %d elements: got %s to %s, %d zeros, want %s to %s, %d", d, n, got.Min, got.Max, got.Zeros, want.Min, want.Max, want.Zeros)
			}
			if math.Abs(got.Mean.Float()-want.Mean.Float()) > 1e-12*100 || math.Abs(got.Std.Float()-want.Std.Float()) > 1e-12*100 {
				t.Errorf("%s, %d elements: got mean %s, deviation %s, want %s, %s", d, n, got.Mean, got.Std, want.Mean, want.Std)
			}
			if d != tensor.Uint8 && !reflect.DeepEqual(got.Histogram, want.Histogram) {
				t.Errorf("%s, %d elements: got %v, want %v", d, n, got.Histogram, want.Histogram)
			}
		}
	}
}
