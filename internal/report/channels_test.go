package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestMedians: the middle of the finite numbers in order, or the mean of the two in
// the middle, exactly where 64-bit integers have no float64.
func TestMedians(t *testing.T) {
	for _, c := range []struct {
		x    *tensor.Tensor
		want Value
	}{
		{tensor.From([]float64{3, 1, 2}, 3), "2"},
		{tensor.From([]float64{3, 1, 2, 10}, 4), "2.5"},
		{tensor.From([]float32{-1, -5, float32(math.NaN()), float32(math.Inf(1)), -2}, 5), "-2"}, // of the finite ones
		{tensor.From([]float32{float32(math.NaN())}, 1), ""},
		{tensor.From([]uint8{255, 254}, 2), "254.5"},
		{tensor.From([]int8{-128, -127, 5}, 3), "-127"},
		{tensor.From([]int64{1<<53 + 1, -9, math.MaxInt64}, 3), "9007199254740993"},
		{tensor.From([]uint64{math.MaxUint64, math.MaxUint64 - 1, 0}, 3), "18446744073709551614"},
		{tensor.From([]float64{math.MaxFloat64, math.MaxFloat64 / 2}, 2), ValueOf(0.75 * math.MaxFloat64)},
		{tensor.From([]float64{5e-324, -5e-324, 0}, 3), "0"},
		{tensor.From([]float64{}, 0), ""},
	} {
		if got := median(c.x); got != c.want {
			t.Errorf("%s %v: median %q, want %q", c.x.DType, c.x.Data, got, c.want)
		}
	}
}

// TestMediansAreTheMiddleOfASort: over several blocks, of every sign.
func TestMediansAreTheMiddleOfASort(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, block - 1, 3*block + 7, 3*block + 8} {
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(math.Ldexp(random.NormFloat64(), random.IntN(60)-30))
		}
		got := median(tensor.From(data, n)).Float()
		slices.Sort(data)
		if want := (float64(data[(n-1)/2]) + float64(data[n/2])) / 2; got != want {
			t.Errorf("%d numbers: median %g, want %g", n, got, want)
		}
	}
}

// TestChannelsAreMeasuredByThemselves: in both orders of axes, against the
// numbers of numpy's min, max, mean, std and median over the other axes.
func TestChannelsAreMeasuredByThemselves(t *testing.T) {
	last := tensor.From([]float32{1, 10, 2, 20, 6, 60, 3, float32(math.NaN())}, 1, 2, 2, 2)
	first := tensor.From([]float32{1, 2, 6, 3, 10, 20, 60, float32(math.NaN())}, 1, 2, 2, 2)
	for layout, x := range map[tensor.Layout]*tensor.Tensor{tensor.NHWC: last, tensor.NCHW: first} {
		s, err := InspectChannels(x, layout)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Channels) != 2 || s.Median != "6" {
			t.Fatalf("%s: %+v", layout, s)
		}
		a, b := s.Channels[0], s.Channels[1]
		if a.Min != "1" || a.Max != "6" || a.Mean != "3" || a.Median != "2.5" || math.Abs(a.Std.Float()-1.8708286933869707) > 1e-15 || a.NaN != 0 {
			t.Errorf("%s: %+v", layout, a)
		}
		if b.Min != "10" || b.Max != "60" || b.Mean != "30" || b.Median != "20" || b.NaN != 1 {
			t.Errorf("%s: %+v", layout, b)
		}
		var text strings.Builder
		if err := s.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(text.String(), "median     6") || !strings.Contains(text.String(), "1        10   60   30    21.60247   20      0      1    0") {
			t.Errorf("%s\n%s", layout, text.String())
		}
	}
	if _, err := InspectChannels(last, tensor.NWC); err == nil {
		t.Error("a layout of another rank was taken")
	}
	if s, err := InspectChannels(tensor.From([]float32{}, 0, 2, 2, 3), tensor.NHWC); err != nil || len(s.Channels) != 3 || s.Channels[0].Median != "" {
		t.Errorf("no image: %+v, %v", s, err)
	}
}

func TestCountsHaveTheRightGrammar(t *testing.T) {
	for n, want := range map[int]string{0: "0 threads", 1: "1 thread", 2: "2 threads", 1234: "1,234 threads"} {
		if got := Counted(n, "thread"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
