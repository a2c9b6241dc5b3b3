package scene

import (
	"strconv"
	"testing"
)

func TestDashesCoverTheirShareOfTheLine(t *testing.T) {
	length := 0.0
	for _, piece := range dashes([]Point{{0, 0}, {70, 0}, {70, 70}}) {
		for i := 1; i < len(piece); i++ {
			length += max(piece[i].X-piece[i-1].X, piece[i].Y-piece[i-1].Y)
		}
	}
	if want := 140 * dash[0] / (dash[0] + dash[1]); length < want-0.01 || length > want+0.01 {
		t.Errorf("dashes of %s pixels, want %g", strconv.FormatFloat(length, 'g', 6, 64), want)
	}
}
