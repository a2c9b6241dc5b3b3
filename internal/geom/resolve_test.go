package geom_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"pgregory.net/rapid"
)

// TestOutputSizesByCounting holds Resolve to the meaning of its rules: windows
// are laid down one by one.
func TestOutputSizesByCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		in := rapid.IntRange(0, 60).Draw(t, "in")
		g, err := geom.Resolve(1, []int{in}, 1, w)
		if err != nil {
			t.Fatal(err)
		}
		a := g.Axes[2]
		switch w.Padding {
		case geom.Same, geom.SameLower:
			checkSame(t, a, w.Padding)
		case geom.Valid, geom.Explicit:
			if want := windowsThatFit(in, a.Lo, a.Hi, a); a.Out != want {
				t.Fatalf("%v: %d windows, %d fit", g, a.Out, want)
			}
			if w.Padding == geom.Valid && (a.Lo != 0 || a.Hi != 0) || w.Padding == geom.Explicit && [2]int{a.Lo, a.Hi} != w.Amounts[0] {
				t.Fatalf("%v: padding %d:%d", g, a.Lo, a.Hi)
			}
		}
	})
}

// windowsThatFit lays windows side by side, a stride apart, while the last tap
// stays within input and padding.
func windowsThatFit(in, lo, hi int, a geom.Axis) int {
	n := 0
	for start := -lo; start+(a.Size-1)*a.Dilation < in+hi; start += a.Stride {
		n++
	}
	return n
}

// checkSame: a window starts for every stride'th cell; the padding is the
// least that holds them all, and lies evenly on both sides but for an odd cell.
func checkSame(t *rapid.T, a geom.Axis, rule geom.Padding) {
	want := 0
	for i := range a.In {
		if i%a.Stride == 0 {
			want++
		}
	}
	if a.Out != want {
		t.Fatalf("%+v: %d windows, want %d", a, a.Out, want)
	}
	least := 0
	for want > 0 && (want-1)*a.Stride+(a.Size-1)*a.Dilation >= a.In+least {
		least++
	}
	front, back := a.Lo, a.Hi
	if rule == geom.SameLower {
		front, back = back, front
	}
	if front+back != least || back-front != least%2 {
		t.Fatalf("%+v %v: padding %d:%d, want %d cells, the odd one at the %s", a, rule, a.Lo, a.Hi, least,
			map[geom.Padding]string{geom.Same: "end", geom.SameLower: "start"}[rule])
	}
}

// TestCeilModeByCounting: a window may hang over the end of input and padding
// by less than a stride, unless it starts past the input.
func TestCeilModeByCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		w.Ceil = true
		in := rapid.IntRange(1, 60).Draw(t, "in")
		eff := (w.Size[0]-1)*w.Dilation[0] + 1
		if w.Padding == geom.Same || w.Padding == geom.SameLower {
			w.Padding = geom.Valid
		}
		for i, pair := range w.Amounts {
			w.Amounts[i] = [2]int{min(pair[0], eff-1), min(pair[1], eff-1)}
		}
		g, err := geom.Resolve(1, []int{in}, 1, w)
		if err != nil {
			t.Fatal(err)
		}
		a := g.Axes[2]
		want := 0
		for start := -a.Lo; start < in && start+eff-(in+a.Hi) < a.Stride; start += a.Stride {
			want++
		}
		if a.Out != want {
			t.Fatalf("%v: %d windows, want %d", g, a.Out, want)
		}
	})
}

// TestPoolingRefusesHollowWindows: Resolve for pooling fails exactly where a
// padding amount reaches the window's size or a window has no real cell.
func TestPoolingRefusesHollowWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		w.Ceil = rapid.Bool().Draw(t, "ceil")
		in := rapid.IntRange(0, 12).Draw(t, "in")
		free, err := geom.Resolve(1, []int{in}, 1, w)
		if err != nil {
			t.Fatal(err)
		}
		a := free.Axes[2]
		bad := a.Lo >= a.Effective() || a.Hi >= a.Effective()
		if in > 0 {
			held := make([]bool, a.Out)
			for _, l := range linksOf(a) {
				held[l.o] = true
			}
			bad = bad || slices.Contains(held, false)
		}
		w.Pooling = true
		if _, err := geom.Resolve(1, []int{in}, 1, w); (err != nil) != bad {
			t.Fatalf("%v ceil %v: got error %v, want one: %v", free, w.Ceil, err, bad)
		}
	})
}

// TestTransposeUndoesResolve: the convolution that a transposed one belongs to
// maps its output back to its input.
func TestTransposeUndoesResolve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		in := rapid.IntRange(1, 12).Draw(t, "in")
		stride, dilation := w.Stride[0], w.Dilation[0]
		for size := range 130 {
			g, err := geom.ResolveTranspose(1, []int{in}, 1, w, []int{size})
			a := g.Axes[2]
			if w.Padding == geom.Same || w.Padding == geom.SameLower {
				steps := 0
				for i := range size {
					if i%stride == 0 {
						steps++
					}
				}
				if (err == nil) != (steps == in) {
					t.Fatalf("%d to %d, stride %d: %v", in, size, stride, err)
				}
			} else {
				written := 0 // one past the last cell that a tap lies on, padding taken off
				for o := range in {
					written = max(written, o*stride+(w.Size[0]-1)*dilation+1)
				}
				for _, pair := range w.Amounts {
					written -= pair[0] + pair[1]
				}
				fits := size >= written && size < written+max(stride, dilation)
				if (err == nil) != fits {
					t.Fatalf("%+v: %d to %d, which need %d: %v", w, in, size, written, err)
				}
				if err == nil && size-written >= stride {
					continue // one more window would fit (PyTorch's output_padding < dilation)
				}
			}
			if err != nil {
				continue
			}
			back, err := geom.Resolve(1, []int{size}, 1, w)
			if err != nil || a.In != size || a.Out != in || back.Axes[2].Out != in || back.Axes[2].Lo != a.Lo {
				t.Fatalf("%+v: %d to %d: %+v, and back %+v, %v", w, in, size, a, back.Axes[2], err)
			}
		}
	})
}

// TestTransposeDefaultsToTheSmallest: without a size the output has no surplus,
// or under SAME stride cells for every input cell.
func TestTransposeDefaultsToTheSmallest(t *testing.T) {
	for _, c := range []struct {
		w    geom.Window
		want int
	}{
		{geom.Window{Size: []int{3}, Stride: []int{2}}, 11},
		{geom.Window{Size: []int{3}, Stride: []int{2}, Padding: geom.Same}, 10},
		{geom.Window{Size: []int{3}, Stride: []int{2}, Dilation: []int{2}}, 13},
		{geom.Window{Size: []int{3}, Stride: []int{2}, Padding: geom.Explicit, Amounts: [][2]int{{1, 2}}}, 8},
	} {
		g, err := geom.ResolveTranspose(2, []int{5}, 3, c.w, nil)
		if err != nil || g.Axes[2].In != c.want || g.Axes[2].Out != 5 || g.N != 2 || g.C != 3 {
			t.Errorf("%+v: %+v, %v, want %d cells", c.w, g.Axes[2], err, c.want)
		}
	}
	// An empty input gives an empty output; a signal may be long.
	if g, err := geom.ResolveTranspose(1, []int{0}, 1, geom.Window{Size: []int{3}, Stride: []int{2}}, nil); err != nil || g.Axes[2].In != 0 {
		t.Errorf("0 cells: %+v, %v", g, err)
	}
	if g, err := geom.ResolveTranspose(1, []int{48000 * 60}, 1, geom.Window{Size: []int{4}, Stride: []int{4}}, nil); err != nil || g.Axes[2].In != 48000*60*4 {
		t.Errorf("a minute of sound: %+v, %v", g, err)
	}
}

// TestPublishedSizes holds Resolve to numbers that TensorFlow and PyTorch gave.
func TestPublishedSizes(t *testing.T) {
	for _, c := range []struct {
		in, size, stride, dilation int
		padding                    geom.Padding
		lo, hi                     int
		ceil                       bool
		want                       geom.Axis
	}{
		{in: 4, size: 3, stride: 2, dilation: 1, padding: geom.Same, want: geom.Axis{Out: 2, Lo: 0, Hi: 1}},
		{in: 5, size: 1, stride: 3, dilation: 1, padding: geom.Same, want: geom.Axis{Out: 2}},
		{in: 9, size: 1, stride: 3, dilation: 1, padding: geom.Same, want: geom.Axis{Out: 3}},
		{in: 5, size: 2, stride: 3, dilation: 1, want: geom.Axis{Out: 2}},
		{in: 5, size: 2, stride: 2, dilation: 1, padding: geom.Same, want: geom.Axis{Out: 3, Hi: 1}},
		{in: 5, size: 2, stride: 1, dilation: 2, want: geom.Axis{Out: 3}},
		{in: 5, size: 2, stride: 1, dilation: 2, padding: geom.Same, want: geom.Axis{Out: 5, Lo: 1, Hi: 1}},
		{in: 5, size: 2, stride: 2, dilation: 2, want: geom.Axis{Out: 2}},
		{in: 2, size: 2, stride: 2, dilation: 1, padding: geom.Explicit, lo: 1, hi: 1, want: geom.Axis{Out: 2, Lo: 1, Hi: 1}},
		{in: 4, size: 2, stride: 2, dilation: 1, padding: geom.Explicit, lo: 1, hi: 1, want: geom.Axis{Out: 3, Lo: 1, Hi: 1}},
		{in: 4, size: 3, stride: 2, dilation: 1, padding: geom.Explicit, lo: 1, hi: 1, ceil: true, want: geom.Axis{Out: 3, Lo: 1, Hi: 1}},
		{in: 4, size: 2, stride: 1, dilation: 1, padding: geom.SameLower, want: geom.Axis{Out: 4, Lo: 1}},
		{in: 5, size: 3, stride: 1, dilation: 2, padding: geom.Explicit, lo: 1, hi: 1, want: geom.Axis{Out: 3, Lo: 1, Hi: 1}},
		{in: 1, size: 3, stride: 2, dilation: 1, want: geom.Axis{Out: 0}},
		{in: 1, size: 4, stride: 2, dilation: 1, want: geom.Axis{Out: 0}},
		{in: 1, size: 5, stride: 2, dilation: 1, want: geom.Axis{Out: 0}},
		{in: 2, size: 3, stride: 1, dilation: 1, want: geom.Axis{Out: 0}},
		{in: 224, size: 7, stride: 2, dilation: 1, padding: geom.Same, want: geom.Axis{Out: 112, Lo: 2, Hi: 3}},
		{in: 10, size: geom.MaxParameter, stride: geom.MaxParameter, dilation: 1, padding: geom.Same, want: geom.Axis{Out: 1, Lo: 1073741818, Hi: 1073741819}},
	} {
		w := geom.Window{Size: []int{c.size}, Stride: []int{c.stride}, Dilation: []int{c.dilation}, Padding: c.padding, Ceil: c.ceil}
		if c.padding == geom.Explicit {
			w.Amounts = [][2]int{{c.lo, c.hi}}
		}
		g, err := geom.Resolve(1, []int{c.in}, 1, w)
		a := g.Axes[2]
		if err != nil || a.Out != c.want.Out || a.Lo != c.want.Lo || a.Hi != c.want.Hi {
			t.Errorf("%v: got %d windows, padding %d:%d, %v; want %d, %d:%d", g, a.Out, a.Lo, a.Hi, err, c.want.Out, c.want.Lo, c.want.Hi)
		}
	}
}

// TestGeometryDescribesItself: extents, taps, names and the descriptor, for
// one to three axes and lists that are shorter.
func TestGeometryDescribesItself(t *testing.T) {
	for _, c := range []struct {
		spatial []int
		w       geom.Window
		text    string
		out     []int
		taps    int
		names   []string
	}{
		{[]int{9}, geom.Window{Size: []int{3}}, "n2w9c5_k3_s1_pVALID_d1", []int{7}, 3, []string{"width"}},
		{[]int{8, 9}, geom.Window{Size: []int{3}, Stride: []int{2}, Padding: geom.Same}, "n2h8w9c5_k3x3_s2x2_pSAME_d1x1", []int{4, 5}, 9, []string{"height", "width"}},
		{[]int{8, 9}, geom.Window{Size: []int{3, 2}, Padding: geom.SameLower, Dilation: []int{2}}, "n2h8w9c5_k3x2_s1x1_pSAME_LOWER_d2x2", []int{8, 9}, 6, []string{"height", "width"}},
		{[]int{4, 8, 9}, geom.Window{Size: []int{1, 2, 3}, Padding: geom.Explicit, Amounts: [][2]int{{0, 0}, {1, 0}, {0, 2}}},
			"n2d4h8w9c5_k1x2x3_s1x1x1_p0:0,1:0,0:2_d1x1x1", []int{4, 8, 9}, 6, []string{"depth", "height", "width"}},
		{[]int{4, 8}, geom.Window{Size: []int{2}, Padding: geom.Explicit, Amounts: [][2]int{{1, 0}}}, "n2h4w8c5_k2x2_s1x1_p1:0,1:0_d1x1", []int{4, 8}, 4, []string{"height", "width"}},
	} {
		g, err := geom.Resolve(2, c.spatial, 5, c.w)
		if err != nil {
			t.Fatal(err)
		}
		if g.String() != c.text || fmt.Sprint(g) != c.text {
			t.Errorf("descriptor %s, want %s", g, c.text)
		}
		if !slices.Equal(g.In(), c.spatial) || !slices.Equal(g.Out(), c.out) || g.Taps() != c.taps || g.Rank != len(c.spatial) || g.Empty() {
			t.Errorf("%s: %v to %v, %d taps, want %v to %v, %d", c.text, g.In(), g.Out(), g.Taps(), c.spatial, c.out, c.taps)
		}
		for i, name := range c.names {
			if g.AxisName(i) != name {
				t.Errorf("%s: axis %d is %s, want %s", c.text, i, g.AxisName(i), name)
			}
		}
		for i := range 3 - g.Rank {
			if !g.Axes[i].Trivial() || g.Axes[i].In != 1 || g.Axes[i].Out != 1 {
				t.Errorf("%s: missing axis %d is %+v", c.text, i, g.Axes[i])
			}
		}
	}
	if g, _ := geom.Resolve(1, []int{2}, 1, geom.Window{Size: []int{3}}); !g.Empty() {
		t.Errorf("%v is not empty", g)
	}
}

// TestFewestCells: the real cells of the smallest window, by counting.
func TestFewestCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWindow(t)
		w.Ceil, w.Pooling = rapid.Bool().Draw(t, "ceil"), true
		g, err := geom.Resolve(1, []int{rapid.IntRange(1, 40).Draw(t, "in")}, 1, w)
		if err != nil || g.Empty() {
			return
		}
		a := g.Axes[2]
		cells := make([]int, a.Out)
		for _, l := range linksOf(a) {
			cells[l.o]++
		}
		if got, want := a.Fewest(), slices.Min(cells); got != want {
			t.Fatalf("%v ceil %v: got %d, want %d", g, w.Ceil, got, want)
		}
	})
}
