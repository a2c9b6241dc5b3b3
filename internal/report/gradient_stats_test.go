package report

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/poolctl/poolctl/internal/tensor"
)

func TestGradientStats(t *testing.T) {
	dx := tensor.From([]float32{0, 3, -4, 0, 0, 0}, 1, 2, 3, 1)
	s := GradientStats(dx, tensor.From([]float32{-1}, 1, 1, 1, 1))
	want := Stats{
		Elements: 6, Sum: "-1", L1: "7", L2: "5", Largest: "-4", LargestAt: []int{0, 0, 2, 0}, Zeros: 4, ZeroShare: 4.0 / 6, UpstreamSum: "-1", Conserved: true,
	}
	if g, w := mustJSON(t, s), mustJSON(t, want); g != w {
		t.Errorf("got\n%s, want\n%s", g, w)
	}
	if got, want := textOf(t, s.WriteText), strings.TrimPrefix(`
gradient sum  -1
mass          conserved: the upstream gradient sums to -1
norms         L1 7, L2 5
largest       -4 at (0,0,2,0)
zeros         4 of 6 (66.7 %)
NaN, Inf      none
`, "\n"); got != want {
		t.Errorf("got\n%s, want\n%s", got, want)
	}
	back := strictJSON[Stats](t, func(w io.Writer) error { return writeJSON(w, s) })
	if mustJSON(t, back) != mustJSON(t, s) {
		t.Errorf("read back as %+v", back)
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestGradientStatsAreSummedSoundly(t *testing.T) {
	one := tensor.From([]float64{1}, 1)
	for name, c := range map[string]struct {
		dx                *tensor.Tensor
		sum, l1, l2, most Value
		conserved         bool
	}{
		"cancellation": {tensor.From([]float64{1e16, 1, -1e16}, 3), "1", "2e+16", "1.4142135623730952e+16", "1e+16", true},
		"large":        {tensor.From([]float64{3e200, -4e200}, 2), "-1e+200", "7e+200", "5e+200", "-4e+200", false},
		"small":        {tensor.From([]float64{3e-200, -4e-200}, 2), "-1e-200", "7e-200", "5e-200", "-4e-200", false},
		"lost":         {tensor.From([]float64{0.5, 0.499}, 2), "0.999", "0.999", "0.70640003", "0.5", false},
		"rounded":      {tensor.From([]float32{1.0 / 3, 1.0 / 3, 1.0 / 3}, 3), "1", "1", "0.57735029", "0.33333334", true},
		"nothing":      {tensor.From([]float64{}, 0), "0", "0", "0", "", false},
		"NaN":          {tensor.From([]float64{nan, 1}, 2), "1", "1", "1", "1", false},
		"infinity":     {tensor.From([]float64{inf, -inf, 1}, 3), "1", "1", "1", "1", false},
	} {
		s := GradientStats(c.dx, one)
		for what, pair := range map[string][2]Value{"sum": {s.Sum, c.sum}, "L1": {s.L1, c.l1}, "L2": {s.L2, c.l2}, "largest": {s.Largest, c.most}} {
			got, want := pair[0].Float(), pair[1].Float()
			if (math.Abs(got-want) > 1e-7*math.Abs(want) || math.IsNaN(got) != math.IsNaN(want)) && !(got != got && want != want) {
				t.Errorf("%s: %s %s, want %s", name, what, pair[0], pair[1])
			}
		}
		if s.Conserved != c.conserved {
			t.Errorf("%s: conserved %v, want %v", name, s.Conserved, c.conserved)
		}
	}
	if s := GradientStats(tensor.From([]float64{nan, inf, -inf, -inf, 0}, 5), one); s.NaN != 1 || s.PosInf != 1 || s.NegInf != 2 || s.Zeros != 1 {
		t.Errorf("counts %+v", s)
	}
	if s := GradientStats(one, tensor.From([]float64{1, nan}, 2)); s.Conserved {
		t.Error("conserved, with a NaN in the upstream")
	}
}

// pooled is a gradient of a signal whose windows do not overlap: upstream
// gradients go to one cell of each window, or in equal shares to all.
func pooled(upstream []float64, window int, average bool) []float64 {
	dx := make([]float64, len(upstream)*window)
	for o, dy := range upstream {
		for k := range window {
			switch {
			case average:
				dx[o*window+k] = dy / float64(window)
			case k == o%window:
				dx[o*window+k] = dy
			}
		}
	}
	return dx
}

func TestGradientStatsOfPoolingConserveMass(t *testing.T) {
	value := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Map(rapid.IntRange(-9, 99), func(n int) float64 { return float64(n) / 4 }))
	rapid.Check(t, func(t *rapid.T) {
		upstream := rapid.SliceOfN(value, 1, 40).Draw(t, "upstream")
		window, average := rapid.IntRange(1, 9).Draw(t, "window"), rapid.Bool().Draw(t, "average")
		dx := pooled(upstream, window, average)
		if s := GradientStats(tensor.From(dx, len(dx)), tensor.From(upstream, len(upstream))); !s.Conserved {
			t.Fatalf("%+v", s)
		}
	})
	// Many elements in half precision: each is rounded by up to 2^-11 of its size.
	upstream := make([]float64, 32)
	for i := range upstream {
		upstream[i] = float64((i*i*7 + i*3 + i/3) % 10)
	}
	dx := pooled(upstream, 3, true)
	half := make([]tensor.F16, len(dx))
	for i, v := range dx {
		half[i] = tensor.ToF16(float32(v))
	}
	if s := GradientStats(tensor.From(half, len(half)), tensor.From(upstream, len(upstream))); !s.Conserved {
		t.Errorf("half precision: sum %s, upstream %s", s.Sum, s.UpstreamSum)
	}
}
