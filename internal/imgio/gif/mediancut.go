package gif

import (
	"slices"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// colourCell is one of the 32,768 cells of colour space, of 8x8x8 levels, and the
// pixels in it.
type colourCell struct {
	pixels int
	sum    [3]int // of the pixels' samples
}

// mean returns the mean level of a channel.
func (c colourCell) mean(channel int) int { return c.sum[channel] / c.pixels }

// histogram sorts the visible pixels into cells and returns those that are not
// empty.
func histogram(r *raster.Raster) []colourCell {
	cells := make([]colourCell, 1<<15)
	for i := range r.Width * r.Height {
		if hidden(r, i) {
			continue
		}
		c := rgbAt(r, i)
		cell := &cells[int(c[0]>>3)<<10|int(c[1]>>3)<<5|int(c[2]>>3)]
		cell.pixels++
		for k := range 3 {
			cell.sum[k] += int(c[k])
		}
	}
	return slices.DeleteFunc(cells, func(c colourCell) bool { return c.pixels == 0 })
}

// medianCut chooses a palette of n colours by Heckbert's method. It repeatedly
// splits the box with the largest spread, weighted by its pixels, at the median of
// its widest channel. The colours are the means of the boxes. There must be at
// least one cell.
func medianCut(cells []colourCell, n int) [][3]uint8 {
	boxes := []colourBox{newColourBox(cells)}
	for len(boxes) < n {
		heaviest := 0
		for i, b := range boxes {
			if b.weight > boxes[heaviest].weight {
				heaviest = i
			}
		}
		if boxes[heaviest].weight == 0 {
			break
		}
		a, b := boxes[heaviest].halve()
		boxes[heaviest] = a
		boxes = append(boxes, b)
	}
	palette := make([][3]uint8, len(boxes))
	for i, b := range boxes {
		palette[i] = b.mean()
	}
	return palette
}

// colourBox is a set of cells.
type colourBox struct {
	cells   []colourCell
	channel int // the one with the largest spread
	pixels  int
	weight  int // spread² x pixels
}

func newColourBox(cells []colourCell) colourBox {
	b := colourBox{cells: cells}
	spread := 0
	for channel := range 3 {
		lo, hi := 255, 0
		for _, c := range cells {
			lo, hi = min(lo, c.mean(channel)), max(hi, c.mean(channel))
		}
		if hi-lo > spread {
			spread, b.channel = hi-lo, channel
		}
	}
	for _, c := range cells {
		b.pixels += c.pixels
	}
	b.weight = spread * spread * b.pixels
	return b
}

// halve splits the box into two with about half the pixels and at least one cell
// each.
func (b colourBox) halve() (colourBox, colourBox) {
	slices.SortStableFunc(b.cells, func(x, y colourCell) int { return x.mean(b.channel) - y.mean(b.channel) })
	cut, seen := 0, 0
	for cut < len(b.cells)-1 && (cut == 0 || 2*seen < b.pixels) {
		seen += b.cells[cut].pixels
		cut++
	}
	return newColourBox(b.cells[:cut]), newColourBox(b.cells[cut:])
}

func (b colourBox) mean() (colour [3]uint8) {
	for k := range colour {
		sum := b.pixels / 2 // to the nearest
		for _, c := range b.cells {
			sum += c.sum[k]
		}
		colour[k] = uint8(sum / b.pixels)
	}
	return colour
}
