package figure

import (
	"image/color"
	"testing"
)

func TestMagnificationKeepsCells(t *testing.T) {
	fill := func(x, y int) color.RGBA { return color.RGBA{uint8(40 * x), uint8(60 * y), 200, 0xff} }
	source := tile{width: 5, height: 3, at: fill}
	for _, size := range []int{1, 2, 7, 8, 20} {
		c := newCanvas(5*size+4, 3*size+4)
		c.magnify(2, 2, source, size, size, 1, true)
		gap := 0
		if size >= 8 {
			gap = 1
		}
		for y := range 3 * size {
			for x := range 5 * size {
				want := fill(x/size, y/size)
				if x%size >= size-gap || y%size >= size-gap {
					want = cardColor
				}
				if got := c.RGBAAt(x+2, y+2); got != want {
					t.Fatalf("size %d: pixel %d,%d is %v, want %v", size, x, y, got, want)
				}
			}
		}
		if c.RGBAAt(1, 1) != cardColor || c.RGBAAt(2+5*size, 2) != cardColor {
			t.Errorf("size %d: drawn outside the tile", size)
		}
	}
}
