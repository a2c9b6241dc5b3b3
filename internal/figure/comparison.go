package figure

import (
	"fmt"
	"image/color"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Panel is one picture of a comparison.
type Panel struct {
	Label   string
	Picture *tensor.Tensor // NHWC, one picture
	Cell    int            // pixels of the comparison's finest panel that one of its pixels stands for, across and down
}

// Comparison draws a part of pictures of one scene side by side, at the same
// place and size: the finest as it is, coarser ones with larger cells, by
// nearest neighbour. The part has its top left corner at x, y and the given
// size, in pixels of the finest. title is the line above.
func Comparison(title string, panels []Panel, x, y, width, height int) (*tensor.Tensor, error) {
	s := sheet{title: title}
	for _, panel := range panels {
		p, err := read(panel.Picture, tensor.NHWC)
		if err != nil {
			return nil, fmt.Errorf("comparison: %w", err)
		}
		cell := panel.Cell
		if cell < 1 || x < 0 || y < 0 || width < 1 || height < 1 || (x+width-1)/cell >= p.width || (y+height-1)/cell >= p.height {
			return nil, fmt.Errorf("comparison: %s: got %dx%d pixels from %d,%d in cells of %d, want a part of its %dx%d cells",
				panel.Label, width, height, x, y, cell, p.width, p.height)
		}
		s.tiles = append(s.tiles, tile{label: panel.Label, width: width, height: height,
			at: func(column, row int) color.RGBA { return p.color(plane{}, (y+row)/cell, (x+column)/cell) }})
	}
	return s.draw(0).tensor(), nil
}
