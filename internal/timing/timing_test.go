package timing

import (
	"math"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

func plan(t *testing.T, x tensor.Spec, kind string) *ops.Plan {
	t.Helper()
	spec, err := ops.Lookup("pool")
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New()
	for name, value := range map[string]string{"type": kind, "window": "2"} {
		if err := ops.Set(op, name, value); err != nil {
			t.Fatal(err)
		}
	}
	p, err := op.Plan([]tensor.Spec{x}, ops.Want{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestInTurnRunsEveryPlanAsOften(t *testing.T) {
	x := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 8, 8, 3}}
	team := ops.NewTeam(1)
	defer team.Close()
	results, err := InTurn(team, []*ops.Plan{plan(t, x, "max"), plan(t, x, "min")}, []tensor.Spec{x}, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Iterations < leastIterations || r.Iterations != results[0].Iterations {
			t.Errorf("plan %d ran %d times, plan 0 %d times", i, r.Iterations, results[0].Iterations)
		}
		if !(0 < r.Seconds.Min && r.Seconds.Min <= r.Seconds.Median && r.Seconds.Median <= r.Seconds.Max) || r.Noise < 1 {
			t.Errorf("plan %d: %+v", i, r)
		}
		if s := r.Seconds; !(s.Min <= s.Mean && s.Mean <= s.Max && s.Deviation >= 0 && s.Deviation <= s.Max-s.Min) {
			t.Errorf("plan %d: mean and deviation do not suit the range: %+v", i, s)
		}
		// Input and output, 4 bytes a number; a comparison for each tap.
		if want := int64(4 * (8*8*3 + 4*4*3)); r.Bytes != want || r.Flops != 4*4*3*4 {
			t.Errorf("plan %d: %d bytes, %d operations, want %d and %d", i, r.Bytes, r.Flops, want, 4*4*3*4)
		}
		if got := r.GBPerS * r.Seconds.Median * 1e9; math.Abs(got-float64(r.Bytes)) > 1e-6*got {
			t.Errorf("plan %d: %g GB/s in %g s are %g bytes, want %d", i, r.GBPerS, r.Seconds.Median, got, r.Bytes)
		}
	}
	if results[0].Relative != 1 || !(results[1].Relative > 0) {
		t.Errorf("relative times %g and %g, want 1 and more than 0", results[0].Relative, results[1].Relative)
	}
}

// TestMeanAndDeviation takes the textbook's numbers 2 4 4 4 5 5 7 9: mean 5, sum of
// squared differences 32, divided by n-1 = 7.
func TestMeanAndDeviation(t *testing.T) {
	x := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 8, 8, 3}}
	got := newResult(plan(t, x, "max"), 1, []float64{9, 2, 4, 5, 4, 7, 4, 5}).Seconds
	if got.Mean != 5 || math.Abs(got.Deviation-math.Sqrt(32.0/7)) > 1e-15 || got.Min != 2 || got.Max != 9 {
		t.Errorf("got %+v, want mean 5, deviation %g, 2 to 9", got, math.Sqrt(32.0/7))
	}
}

func TestRandomNumbersSuitTheirType(t *testing.T) {
	for _, d := range tensor.DTypes() {
		spec := tensor.Spec{DType: d, Shape: tensor.Shape{1000}}
		a, b := Random(spec, 7), Random(spec, 7)
		lo, hi, distinct := math.Inf(1), math.Inf(-1), map[float64]bool{}
		for i := range a.Len() {
			v := a.At(i)
			if v != b.At(i) {
				t.Fatalf("%s: number %d is %g, then %g", d, i, v, b.At(i))
			}
			lo, hi = min(lo, v), max(hi, v)
			distinct[v] = true
		}
		wantLo, wantHi, least := 0.0, 99.0, 90
		switch {
		case d.IsFloat():
			wantLo, wantHi, least = -1, 1, 400
		case d == tensor.Int64:
			wantHi, least = 6, 7
		}
		if lo < wantLo || hi > wantHi || len(distinct) < least {
			t.Errorf("%s: %d different numbers from %g to %g, want at least %d from %g to %g", d, len(distinct), lo, hi, least, wantLo, wantHi)
		}
	}
}
