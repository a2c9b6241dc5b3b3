package figure

import (
	"fmt"
	"image/color"
	"strings"
)

// tile is a small picture of cells on a sheet.
type tile struct {
	label         string
	width, height int // cells
	at            func(x, y int) color.RGBA
}

// sheet is a card with a title, tiles of equal size in a grid, a legend beside
// them and notes below.
type sheet struct {
	title, subtitle string
	tiles           []tile
	strip           bool // tiles are one cell high, so draw cells higher than wide
	apart           bool // separate large cells by lines
	legend          canvas
	notes           []string
	// over draws on tile i. x, y is its first cell, which has the given size. It
	// is not called if cells are left out.
	over func(c canvas, i, x, y, cellWidth, cellHeight int)
}

const (
	margin     = 18
	gutter     = 12
	target     = 560  // pixels that small tiles are magnified to, on the longer side
	largest    = 2400 // pixels beyond which cells are left out
	mostTiles  = 16
	largestDot = 120 // pixels of the largest cell
)

// SheetBytes is about the memory of a drawing of a large tensor; small ones
// need less. Drawing it takes more than twice that.
const SheetBytes = 3 * largest * largest * 3 / 4

// grid is a layout of tiles: the number of columns, the size of a cell, and the
// step between the cells that are drawn.
type grid struct {
	columns, cellWidth, cellHeight, step int
}

func (s *sheet) labelHeight() int {
	if s.tiles[0].label == "" {
		return 0
	}
	return lineHeight
}

// tileSize returns the pixels that a tile takes.
func (s *sheet) tileSize(g grid) (width, height int) {
	t := s.tiles[0]
	return max((t.width+g.step-1)/g.step*g.cellWidth, textWidth(t.label)), (t.height+g.step-1)/g.step*g.cellHeight + s.labelHeight()
}

func (s *sheet) size(g grid) (width, height int) {
	w, h := s.tileSize(g)
	rows := (len(s.tiles) + g.columns - 1) / g.columns
	return g.columns*(w+gutter) - gutter, rows*(h+gutter) - gutter
}

// arrange picks the number of columns that makes the sheet most compact for a
// given size of cells.
func (s *sheet) arrange(magnification, step int) (best grid, side int) {
	cell := grid{0, magnification, magnification, step}
	if s.strip {
		cell.cellHeight = min(max(magnification, 28), 48)
	}
	for columns := 1; columns <= len(s.tiles); columns++ {
		g := cell
		g.columns = columns
		w, h := s.size(g)
		if longer := max(w, h); side == 0 || longer < side {
			best, side = g, longer
		}
	}
	return best, side
}

// grid picks the size of a cell.
func (s *sheet) grid() grid {
	best, side := s.arrange(1, 1)
	if side > largest {
		step := 2
		for ; ; step++ {
			if best, side = s.arrange(1, step); side <= largest {
				return best
			}
		}
	}
	for m := 2; m <= largestDot; m++ {
		g, side := s.arrange(m, 1)
		if side > target {
			break
		}
		best = g
	}
	return best
}

// draw makes the picture. more is the number of tiles that are left out.
func (s *sheet) draw(more int) canvas {
	g := s.grid()
	notes := s.notes
	if g.step > 1 {
		notes = append(notes, fmt.Sprintf("too large to draw whole: one cell in %d in each direction", g.step))
	}
	if more > 0 {
		notes = append(notes, fmt.Sprintf("+%d more not drawn", more))
	}
	width, height := s.size(g)
	legend := s.legend.RGBA != nil
	top := margin + lineHeight + 6
	if s.subtitle != "" {
		top += lineHeight
	}
	totalWidth, totalHeight := width, height
	if legend {
		totalWidth += 2*gutter + s.legend.Rect.Dx()
		totalHeight = max(height, s.legend.Rect.Dy())
	}
	for _, line := range append([]string{s.title, s.subtitle}, notes...) {
		totalWidth = max(totalWidth, textWidth(line))
	}
	bottom := margin
	if len(notes) > 0 {
		bottom += 8 + lineHeight*len(notes)
	}
	c := newCanvas(totalWidth+2*margin, top+totalHeight+bottom)
	c.text(margin, margin-4, s.title, textColor)
	c.text(margin, margin-4+lineHeight, s.subtitle, dimColor)
	tileWidth, tileHeight := s.tileSize(g)
	label := s.labelHeight()
	for i, t := range s.tiles {
		x := margin + i%g.columns*(tileWidth+gutter)
		y := top + i/g.columns*(tileHeight+gutter)
		c.text(x, y, t.label, dimColor)
		y += label
		c.magnify(x, y, t, g.cellWidth, g.cellHeight, g.step, s.apart)
		if s.over != nil && g.step == 1 {
			s.over(c, i, x, y, g.cellWidth, g.cellHeight)
		}
	}
	if legend {
		c.paste(margin+width+2*gutter, top, s.legend)
	}
	for i, line := range notes {
		c.text(margin, top+totalHeight+8+i*lineHeight, line, dimColor)
	}
	return c
}

// plane names one picture of a tensor: batch entry, channel, slice.
type plane struct{ n, c, z int }

// planesOf lists the pictures of a tensor in order, at most mostTiles of them,
// and how many more there are.
func planesOf(batch, channels, depth int) (list []plane, more int) {
	for n := range batch {
		for c := range channels {
			for z := range depth {
				if len(list) == mostTiles {
					return list, batch*channels*depth - mostTiles
				}
				list = append(list, plane{n, c, z})
			}
		}
	}
	return list, 0
}

// label names the plane by the axes that have more than one entry. For several
// axes it uses the letters of the geometry's descriptor.
func (p plane) label(batch, channels, depth int) string {
	var long, short []string
	for _, axis := range []struct {
		name, letter string
		i, extent    int
	}{{"image", "n", p.n, batch}, {"channel", "c", p.c, channels}, {"slice", "d", p.z, depth}} {
		if axis.extent > 1 {
			long = append(long, fmt.Sprintf("%s %d", axis.name, axis.i))
			short = append(short, fmt.Sprintf("%s%d", axis.letter, axis.i))
		}
	}
	if len(long) > 1 {
		return strings.Join(short, " ")
	}
	return strings.Join(long, "")
}
