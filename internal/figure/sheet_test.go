package figure

import (
	"testing"
)

func TestPicturesHaveTheSizeThatSuitsThem(t *testing.T) {
	for _, c := range []struct{ height, width, cell int }{
		{3, 3, largestDot}, {112, 112, 5}, {280, 560, 1}, {2000, 1500, 1},
	} {
		s := sheet{tiles: []tile{{width: c.width, height: c.height}}}
		if g := s.grid(); g.cellWidth != c.cell || g.step != 1 {
			t.Errorf("%dx%d: %+v, want cells of %d pixels", c.height, c.width, g, c.cell)
		}
	}
	s := sheet{tiles: []tile{{width: 10000, height: 7000}}}
	g := s.grid()
	if w, h := s.size(g); g.step != 5 || max(w, h) > largest {
		t.Errorf("10000x7000: every %d. cell makes %dx%d pixels, want every 5th", g.step, w, h)
	}
}
