package geom_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/geom"
	"pgregory.net/rapid"
)

// extreme draws numbers near the ends of a range, where sums and products would
// wrap if they could.
func extreme(most int) *rapid.Generator[int] {
	return rapid.Custom(func(t *rapid.T) int {
		near := rapid.SampledFrom([]int{0, 1, most / 2, most}).Draw(t, "near")
		return min(most, max(0, near+rapid.IntRange(-3, 3).Draw(t, "offset")))
	})
}

func n(v int) *big.Int           { return big.NewInt(int64(v)) }
func sum(a, b *big.Int) *big.Int { return new(big.Int).Add(a, b) }
func sub(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }
func mul(a, b *big.Int) *big.Int { return new(big.Int).Mul(a, b) }

// TestNothingWraps repeats the rules of Resolve and Axis in numbers without
// limits, for the largest parameters and extents that Check lets through.
func TestNothingWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := geom.Window{
			Size:     []int{max(1, extreme(geom.MaxParameter).Draw(t, "size"))},
			Stride:   []int{max(1, extreme(geom.MaxParameter).Draw(t, "stride"))},
			Dilation: []int{max(1, extreme(geom.MaxParameter).Draw(t, "dilation"))},
			Padding:  rapid.SampledFrom([]geom.Padding{geom.Valid, geom.Same, geom.SameLower, geom.Explicit}).Draw(t, "padding"),
			Ceil:     rapid.Bool().Draw(t, "ceil"),
		}
		if w.Padding == geom.Explicit {
			w.Amounts = [][2]int{{extreme(geom.MaxParameter).Draw(t, "lo"), extreme(geom.MaxParameter).Draw(t, "hi")}}
		}
		in := extreme(geom.MaxExtent).Draw(t, "in")
		g, err := geom.Resolve(1, []int{in}, 1, w)
		if err != nil {
			t.Fatal(err)
		}
		a := g.Axes[2]
		size, stride, dilation := n(w.Size[0]), n(w.Stride[0]), n(w.Dilation[0])
		eff := sum(mul(sub(size, n(1)), dilation), n(1))
		if n(a.Effective()).Cmp(eff) != 0 {
			t.Fatalf("%v: effective %d, want %v", g, a.Effective(), eff)
		}
		if a.Out < 0 || a.Lo < 0 || a.Hi < 0 || a.Out > in+1+a.Lo+a.Hi {
			t.Fatalf("%v: %+v", g, a)
		}
		room := sum(n(in), sum(n(a.Lo), n(a.Hi)))
		end := func(o int) *big.Int { return sum(mul(n(o), stride), eff) } // of window o, in padded cells
		switch {
		case w.Padding == geom.Same || w.Padding == geom.SameLower:
			// out strides cover the input, out-1 do not; the last window ends
			// with the padding, unless no padding is needed.
			if mul(n(a.Out), stride).Cmp(n(in)) < 0 || a.Out > 0 && mul(n(a.Out-1), stride).Cmp(n(in)) >= 0 {
				t.Fatalf("%v: %d windows", g, a.Out)
			}
			if a.Out > 0 && (end(a.Out-1).Cmp(room) > 0 || a.Lo+a.Hi > 0 && end(a.Out-1).Cmp(room) != 0) {
				t.Fatalf("%v: padding %d:%d", g, a.Lo, a.Hi)
			}
		case w.Ceil:
			// checked by counting for small numbers; here: not far off
			if a.Out > 0 && sub(end(a.Out-1), room).Cmp(stride) >= 0 {
				t.Fatalf("%v: the last of %d windows hangs over by a stride or more", g, a.Out)
			}
		default:
			if a.Out > 0 && end(a.Out-1).Cmp(room) > 0 || end(a.Out).Cmp(room) <= 0 {
				t.Fatalf("%v: %d windows", g, a.Out)
			}
		}
		if a.Out == 0 {
			return
		}
		for _, o := range []int{0, a.Out / 2, a.Out - 1} {
			checkExtremeWindow(t, a, o)
		}
		if in > 0 {
			for _, i := range []int{0, in / 2, in - 1} {
				checkExtremeReach(t, a, i)
			}
		}
	})
}

// checkExtremeWindow: the taps just inside and just outside Span lie where Span
// says.
func checkExtremeWindow(t *rapid.T, a geom.Axis, o int) {
	inside := func(tap int) bool {
		cell := sum(sub(mul(n(o), n(a.Stride)), n(a.Lo)), mul(n(tap), n(a.Dilation)))
		return cell.Sign() >= 0 && cell.Cmp(n(a.In)) < 0
	}
	t0, t1 := a.Span(o)
	first, taps := a.Cells(o)
	if t0 < 0 || t1 > max(t0, a.Size) || taps != t1-t0 {
		t.Fatalf("%+v: window %d: Span %d:%d, Cells %d %d", a, o, t0, t1, first, taps)
	}
	if t0 == t1 {
		return
	}
	cell := sum(sub(mul(n(o), n(a.Stride)), n(a.Lo)), mul(n(t0), n(a.Dilation)))
	if !inside(t0) || !inside(t1-1) || t0 > 0 && inside(t0-1) || t1 < a.Size && inside(t1) || cell.Cmp(n(first)) != 0 {
		t.Fatalf("%+v: window %d: Span %d:%d, first cell %d", a, o, t0, t1, first)
	}
	if tap, ok := a.Tap(o, first); !ok || tap != t0 {
		t.Fatalf("%+v: window %d: tap %d %v on cell %d, want %d", a, o, tap, ok, first, t0)
	}
}

// checkExtremeReach: window o may see cell i where start <= i < start + eff.
func checkExtremeReach(t *rapid.T, a geom.Axis, i int) {
	spans := func(o int) bool {
		start := sub(mul(n(o), n(a.Stride)), n(a.Lo))
		return start.Cmp(n(i)) <= 0 && n(i).Cmp(sum(start, n(a.Effective()))) < 0
	}
	o0, o1 := a.Reach(i)
	if o0 < 0 || o1 > max(o0, a.Out) {
		t.Fatalf("%+v: cell %d: Reach %d:%d", a, i, o0, o1)
	}
	if o0 < o1 && (!spans(o0) || !spans(o1-1)) || o0 > 0 && o0 <= a.Out && spans(o0-1) || o1 < a.Out && spans(o1) {
		t.Fatalf("%+v: cell %d: Reach %d:%d", a, i, o0, o1)
	}
}

// TestPlanningTimeDoesNotGrowWithTheNumbers: looking for windows without a cell
// must not visit them all.
func TestPlanningTimeDoesNotGrowWithTheNumbers(t *testing.T) {
	const most = geom.MaxParameter
	began := time.Now()
	for _, c := range []struct {
		in int
		w  geom.Window
	}{
		{geom.MaxExtent, geom.Window{Size: []int{most}, Dilation: []int{most}, Padding: geom.Same}},
		{geom.MaxExtent, geom.Window{Size: []int{most}, Padding: geom.Explicit, Amounts: [][2]int{{most - 1, most - 1}}, Ceil: true}},
		{1 << 33, geom.Window{Size: []int{most}, Padding: geom.SameLower}},
		{most, geom.Window{Size: []int{2}, Dilation: []int{most}, Padding: geom.Same}},
	} {
		c.w.Pooling = true
		if _, err := geom.Resolve(1, []int{c.in}, 1, c.w); err != nil {
			t.Errorf("%d cells, %+v: %v", c.in, c.w, err)
		}
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("planning took %v", took)
	}
}

// TestAdaptiveSharesOfLongAxesDoNotWrap: i*in needs 128 bits in principle.
func TestAdaptiveSharesOfLongAxesDoNotWrap(t *testing.T) {
	const in, out = 1 << 62, 1000
	a := geom.Adaptive(in, out)
	for i, b := range a.Bounds {
		start := new(big.Int).Div(mul(n(i), n(in)), n(out))
		end := new(big.Int).Div(sum(mul(n(i+1), n(in)), n(out-1)), n(out))
		if n(b[0]).Cmp(start) != 0 || n(b[1]).Cmp(end) != 0 {
			t.Fatalf("window %d is %v, want %v to %v", i, b, start, end)
		}
	}
}
