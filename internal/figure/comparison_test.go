package figure

import (
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestComparisonShowsTheSamePlace finds in the drawing the colour that each panel
// has at a place, for each place.
func TestComparisonShowsTheSamePlace(t *testing.T) {
	const side, cell = 12, 3
	fine, coarse := make([]uint8, side*side), make([]uint8, side/cell*side/cell)
	for i := range fine {
		fine[i] = uint8(100 + i)
	}
	for i := range coarse {
		coarse[i] = uint8(30 + i)
	}
	panels := []Panel{
		{"fine", tensor.From(fine, 1, side, side, 1), 1},
		{"coarse", tensor.From(coarse, 1, side/cell, side/cell, 1), cell},
	}
	const x, y, width, height = 3, 6, 9, 6
	got, err := Comparison("title", panels, x, y, width, height)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[uint8]int{} // pixels of each grey
	pix := tensor.Of[uint8](got)
	for i := 0; i < len(pix); i += 3 {
		if g := pix[i]; [3]uint8(pix[i:]) == [3]uint8{g, g, g} {
			seen[pix[i]]++
		}
	}
	area := seen[fine[y*side+x]]
	if area < 4 {
		t.Fatalf("a pixel takes %d pixels of the drawing, want it magnified", area)
	}
	for row := y; row < y+height; row++ {
		for column := x; column < x+width; column++ {
			if g := fine[row*side+column]; seen[g] != area {
				t.Errorf("pixel %d,%d: %d pixels of its grey %d, want %d", column, row, seen[g], g, area)
			}
			if g := coarse[row/cell*(side/cell)+column/cell]; seen[g] != cell*cell*area {
				t.Errorf("cell at %d,%d: %d pixels of its grey %d, want %d", column, row, seen[g], g, cell*cell*area)
			}
		}
	}
	if g := fine[0]; seen[g] != 0 {
		t.Errorf("grey %d outside the part is drawn", g)
	}
	if _, err := Comparison("", panels, 4, 6, 9, 6); err == nil {
		t.Error("a part beyond the pictures is drawn")
	}
}
