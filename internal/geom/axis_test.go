package geom_test

import (
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"pgregory.net/rapid"
)

// link says that window o has its tap t on cell i of the input.
type link struct{ o, t, i int }

// linksOf lists what a regular axis means, from the definition: tap t of window
// o is on cell o*stride - lo + t*dilation, if that is a cell.
func linksOf(a geom.Axis) []link {
	var list []link
	for o := range a.Out {
		for t := range a.Size {
			if i := o*a.Stride - a.Lo + t*a.Dilation; i >= 0 && i < a.In {
				list = append(list, link{o, t, i})
			}
		}
	}
	return list
}

// boundLinks is linksOf for an axis with bounds.
func boundLinks(a geom.Axis) []link {
	var list []link
	for o, b := range a.Bounds {
		for i := b[0]; i < b[1]; i++ {
			list = append(list, link{o, i - b[0], i})
		}
	}
	return list
}

func drawWindow(t *rapid.T) geom.Window {
	w := geom.Window{
		Size:     []int{rapid.IntRange(1, 12).Draw(t, "size")},
		Stride:   []int{rapid.IntRange(1, 8).Draw(t, "stride")},
		Dilation: []int{rapid.IntRange(1, 5).Draw(t, "dilation")},
		Padding:  rapid.SampledFrom([]geom.Padding{geom.Valid, geom.Same, geom.SameLower, geom.Explicit}).Draw(t, "padding"),
	}
	if w.Padding == geom.Explicit {
		w.Amounts = [][2]int{{rapid.IntRange(0, 15).Draw(t, "lo"), rapid.IntRange(0, 15).Draw(t, "hi")}}
	}
	return w
}

func drawAxis(t *rapid.T) geom.Axis {
	g, err := geom.Resolve(1, []int{rapid.IntRange(0, 40).Draw(t, "in")}, 1, drawWindow(t))
	if err != nil {
		t.Fatal(err)
	}
	return g.Axes[2]
}

// TestAxisAgreesWithItsLinks holds Span, Cells, Interior, Reach and Tap of
// regular axes to the list of all links.
func TestAxisAgreesWithItsLinks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAxis(t)
		checkLinks(t, a, linksOf(a))
		if want := (a.Size-1)*a.Dilation + 1; a.Effective() != want {
			t.Fatalf("%+v: effective %d, want %d", a, a.Effective(), want)
		}
	})
}

func checkLinks(t *rapid.T, a geom.Axis, links []link) {
	taps := make([][]int, a.Out)
	windows := make([][]int, a.In)
	seen := map[[2]int]int{}
	for _, l := range links {
		taps[l.o] = append(taps[l.o], l.t)
		windows[l.i] = append(windows[l.i], l.o)
		seen[[2]int{l.o, l.i}] = l.t
	}
	in0, in1 := a.Interior()
	for o, list := range taps {
		t0, t1 := a.Span(o)
		first, n := a.Cells(o)
		if n != len(list) || t1-t0 != n {
			t.Fatalf("%+v: window %d has %d taps inside, Span says %d:%d and Cells %d", a, o, len(list), t0, t1, n)
		}
		if n > 0 && (t0 != list[0] || seen[[2]int{o, first}] != t0) {
			t.Fatalf("%+v: window %d begins with tap %d, Span says %d and Cells cell %d", a, o, list[0], t0, first)
		}
		whole := len(list) == a.Size || a.Bounds != nil
		if inside := in0 <= o && o < in1; inside != whole {
			t.Fatalf("%+v: window %d has %d taps inside, Interior says %d:%d", a, o, len(list), in0, in1)
		}
	}
	if in0 < 0 || in0 > in1 || in1 > a.Out {
		t.Fatalf("%+v: Interior %d:%d", a, in0, in1)
	}
	for i, list := range windows {
		o0, o1 := a.Reach(i)
		if o0 < 0 || o0 > o1 || o1 > a.Out {
			t.Fatalf("%+v: cell %d: Reach %d:%d", a, i, o0, o1)
		}
		for o := range a.Out {
			tap, ok := a.Tap(o, i)
			want, sees := seen[[2]int{o, i}]
			if ok != sees || sees && tap != want {
				t.Fatalf("%+v: window %d, cell %d: Tap says %d %v, want %d %v", a, o, i, tap, ok, want, sees)
			}
			if sees && (o < o0 || o >= o1) {
				t.Fatalf("%+v: window %d sees cell %d, Reach says %d:%d", a, o, i, o0, o1)
			}
		}
		if a.Dilation == 1 && o1-o0 != len(list) {
			t.Fatalf("%+v: %d windows see cell %d, Reach says %d:%d", a, len(list), i, o0, o1)
		}
	}
}

// TestCountedLeavesOutTheOverhang counts the taps in input and padding.
func TestCountedLeavesOutTheOverhang(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		w.Ceil, w.Pooling = rapid.Bool().Draw(t, "ceil"), true
		g, err := geom.Resolve(1, []int{rapid.IntRange(1, 40).Draw(t, "in")}, 1, w)
		if err != nil {
			return // padding that pooling refuses: TestPoolingRefusesHollowWindows
		}
		a := g.Axes[2]
		for o := range a.Out {
			want := 0
			for tap := range a.Size {
				if i := o*a.Stride - a.Lo + tap*a.Dilation; i >= -a.Lo && i < a.In+a.Hi {
					want++
				}
			}
			if got := a.Counted(o); got != want {
				t.Fatalf("%+v: window %d counts %d taps, want %d", a, o, got, want)
			}
		}
	})
}

// TestGatherVisitsEveryLinkOnce: forward and backward walk the same triples of
// tap, window and cell, so that they are adjoint to each other.
func TestGatherVisitsEveryLinkOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAxis(t)
		want := linksOf(a)
		forward, backward := a.Forward(), a.Backward()
		if forward.Dst != a.Out || forward.Src != a.In || backward.Dst != a.In || backward.Src != a.Out {
			t.Fatalf("%+v: extents of %+v and %+v", a, forward, backward)
		}
		var there, back []link
		for j := range forward.Dst {
			eachLink(&forward, j, func(tap, cell int) { there = append(there, link{j, tap, cell}) })
		}
		for j := range backward.Dst {
			eachLink(&backward, j, func(tap, cell int) { back = append(back, link{cell, tap, j}) })
		}
		slices.SortFunc(back, func(x, y link) int {
			if x.o != y.o {
				return x.o - y.o
			}
			return x.t - y.t
		})
		if !slices.Equal(there, want) {
			t.Fatalf("%+v: forward visits %v, want %v", a, there, want)
		}
		if !slices.Equal(back, want) {
			t.Fatalf("%+v: backward visits %v, want %v", a, back, want)
		}
	})
}

func eachLink(g *geom.Gather, j int, visit func(tap, cell int)) {
	l := g.At(j)
	for k := range l.N {
		visit(l.Tap+k*g.TapStep, l.Cell+k*g.CellStep)
	}
}

// TestGatherRepeatsByPeriod: destinations a period apart that use as many taps
// from the same one on read cells that are shift apart. Tiles rely on it.
func TestGatherRepeatsByPeriod(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAxis(t)
		for _, g := range []geom.Gather{a.Forward(), a.Backward()} {
			for j := 0; j+g.Period < g.Dst; j++ {
				x, y := g.At(j), g.At(j+g.Period)
				if x.N > 0 && x.N == y.N && x.Tap == y.Tap && y.Cell != x.Cell+g.Shift {
					t.Fatalf("%+v: destinations %d and %d: %+v, %+v, want a shift of %d", a, j, j+g.Period, x, y, g.Shift)
				}
			}
		}
	})
}

// TestAdaptiveWindowsCoverTheirShare: window i of out owns the interval
// [i*in/out, (i+1)*in/out) of the axis and covers every cell that overlaps it.
func TestAdaptiveWindowsCoverTheirShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in, out := rapid.IntRange(1, 50).Draw(t, "in"), rapid.IntRange(1, 60).Draw(t, "out")
		a := geom.Adaptive(in, out)
		if a.In != in || a.Out != out {
			t.Fatalf("%+v", a)
		}
		largest := 0
		for i, b := range a.Bounds {
			for c := range in {
				overlaps := c*out < (i+1)*in && (c+1)*out > i*in
				if covered := b[0] <= c && c < b[1]; covered != overlaps {
					t.Fatalf("%d to %d: window %d is %v, cell %d overlaps its share: %v", in, out, i, b, c, overlaps)
				}
			}
			largest = max(largest, b[1]-b[0])
		}
		if a.Size != largest {
			t.Fatalf("%d to %d: size %d, the largest window has %d", in, out, a.Size, largest)
		}
		checkLinks(t, a, boundLinks(a))
	})
}

// TestFractionalWindowsFollowTheirSequence: without overlap every cell belongs
// to one window; with it neighbours share the cell where the later one begins.
func TestFractionalWindowsFollowTheirSequence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(1, 4), 1, 20).Draw(t, "steps")
		sequence := []int{0}
		for _, s := range steps {
			sequence = append(sequence, sequence[len(sequence)-1]+s)
		}
		in := sequence[len(steps)]
		for _, overlapping := range []bool{false, true} {
			a := geom.Fractional(sequence, overlapping)
			if a.In != in || a.Out != len(steps) {
				t.Fatalf("%v: %d to %d", sequence, a.In, a.Out)
			}
			checkLinks(t, a, boundLinks(a))
			covers := make([]int, in)
			for _, l := range boundLinks(a) {
				covers[l.i]++
			}
			for c, n := range covers {
				want := 1
				if overlapping && c > 0 && slices.Contains(sequence, c) {
					want = 2
				}
				if n != want {
					t.Fatalf("%v overlapping %v: cell %d is in %d windows, want %d", sequence, overlapping, c, n, want)
				}
			}
		}
	})
}

func TestTrivialAxesChangeNothing(t *testing.T) {
	for _, c := range []struct {
		axis geom.Axis
		want bool
	}{
		{geom.Axis{In: 5, Out: 5, Size: 1, Stride: 1, Dilation: 3}, true},
		{geom.Axis{In: 5, Out: 4, Size: 2, Stride: 1, Dilation: 1}, false},
		{geom.Axis{In: 5, Out: 3, Size: 1, Stride: 2, Dilation: 1}, false},
		{geom.Axis{In: 5, Out: 6, Size: 1, Stride: 1, Dilation: 1, Lo: 1}, false},
		{geom.Axis{In: 5, Out: 6, Size: 1, Stride: 1, Dilation: 1, Hi: 1}, false},
		{geom.Adaptive(5, 5), false},
	} {
		if got := c.axis.Trivial(); got != c.want {
			t.Errorf("%+v: trivial %v, want %v", c.axis, got, c.want)
		}
	}
}
