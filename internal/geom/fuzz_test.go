package geom_test

import (
	"errors"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
)

// FuzzResolve lays any window over any axis: an error that names the parameter,
// or windows whose cells lie in the input and that cells find again.
func FuzzResolve(f *testing.F) {
	f.Add(10, 3, 2, 1, uint8(1), 0, 0, false)
	f.Add(5, 2147483647, 2147483647, 2147483647, uint8(1), 0, 0, false)
	f.Add(1<<48, 7, 3, 5, uint8(3), 4, 9, true)
	f.Add(0, 1, 1, 1, uint8(0), 0, 0, true)
	f.Add(-1, 0, -3, 1<<40, uint8(2), -1, 1<<62, false)
	f.Fuzz(func(t *testing.T, in, size, stride, dilation int, rule uint8, lo, hi int, ceil bool) {
		w := geom.Window{Size: []int{size}, Stride: []int{stride}, Dilation: []int{dilation}, Padding: geom.Padding(rule % 4), Ceil: ceil}
		if w.Padding == geom.Explicit {
			w.Amounts = [][2]int{{lo, hi}}
		}
		if err := w.Check(); err != nil {
			return
		}
		g, err := geom.Resolve(1, []int{in}, 1, w)
		if err != nil {
			var field *geom.Error
			if !errors.As(err, &field) || field.Field == "" {
				t.Fatalf("got %T: %v, want a *geom.Error with a field", err, err)
			}
			return
		}
		a := g.Spatial()[0]
		if a.Out < 0 || a.Lo < 0 || a.Hi < 0 {
			t.Fatalf("%s: got %d windows, padding %d and %d", g.String(), a.Out, a.Lo, a.Hi)
		}
		if o0, o1 := a.Interior(); o0 < 0 || o1 < o0 || o1 > a.Out {
			t.Fatalf("%s: interior %d to %d of %d", g.String(), o0, o1, a.Out)
		}
		for _, o := range []int{0, 1, a.Out / 2, a.Out - 2, a.Out - 1} {
			if o < 0 || o >= a.Out {
				continue
			}
			t0, t1 := a.Span(o)
			if t0 < 0 || t1 < t0 || t0 < t1 && t1 > a.Size { // empty spans are anywhere
				t.Fatalf("%s: window %d has taps %d to %d of %d", g.String(), o, t0, t1, a.Size)
			}
			first, n := a.Cells(o)
			if n != t1-t0 || n > 0 && (first < 0 || first+(n-1)*a.Dilation >= a.In) {
				t.Fatalf("%s: window %d has %d cells from %d of %d", g.String(), o, n, first, a.In)
			}
			if n == 0 {
				continue
			}
			if o0, o1 := a.Reach(first); o < o0 || o >= o1 {
				t.Fatalf("%s: window %d sees cell %d, which is reached by %d to %d", g.String(), o, first, o0, o1)
			}
			if tap, ok := a.Tap(o, first); !ok || tap != t0 {
				t.Fatalf("%s: window %d sees cell %d by tap %d, %v, want %d", g.String(), o, first, tap, ok, t0)
			}
		}
	})
}
