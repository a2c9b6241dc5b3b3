package geom_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
)

// TestUnreadCellsAreThoseThatNoWindowSees compares with every tap of every
// window, over regular and irregular axes.
func TestUnreadCellsAreThoseThatNoWindowSees(t *testing.T) {
	check := func(a geom.Axis) {
		cells, tail := 0, 0
		for i := range a.In {
			cells, tail = cells+1, tail+1
			for o := range a.Out {
				if _, ok := a.Tap(o, i); ok {
					cells, tail = cells-1, 0
					break
				}
			}
		}
		gotCells, gotTail, ok := a.Unread()
		if gotCells != cells || gotTail != tail || !ok {
			t.Errorf("%+v: got %d cells, %d at the end, %t, want %d, %d", a, gotCells, gotTail, ok, cells, tail)
		}
	}
	count := 0
	for in := 1; in <= 9; in++ {
		for size := 1; size <= 4; size++ {
			for stride := 1; stride <= 5; stride++ {
				for dilation := 1; dilation <= 3; dilation++ {
					for lo := range 4 {
						for hi := range 4 {
							w := geom.Window{Size: []int{size}, Stride: []int{stride}, Dilation: []int{dilation}, Padding: geom.Explicit, Amounts: [][2]int{{lo, hi}}}
							g, err := geom.Resolve(1, []int{in}, 1, w)
							if err != nil {
								t.Fatal(err)
							}
							check(g.Spatial()[0])
							count++
						}
					}
				}
			}
		}
		for out := 1; out <= 6; out++ {
			check(geom.Adaptive(in, out))
		}
	}
	if count < 8000 {
		t.Errorf("%d regular axes, want more", count)
	}
	huge := geom.Axis{In: 1 << 31, Out: 1 << 20, Size: 2, Stride: 2000, Dilation: 3}
	if _, _, ok := huge.Unread(); ok {
		t.Error("billions of cells are counted one by one")
	}
}
