package imgio

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// Limits of a contact sheet.
const (
	sheetTiles  = 4096
	sheetPixels = 64_000_000
)

// Sizes in a contact sheet, in pixels.
const (
	sheetTile   = 64  // smallest longer side of an enlarged tile
	sheetSignal = 256 // smallest width of an enlarged signal
	sheetRow    = 8   // smallest height of a signal's row
	sheetMargin = 4   // around a tile and its label
	sheetLabel  = 13  // height of a label
	sheetLetter = 7   // width of a letter
)

var (
	sheetBack = color.RGBA{0x1c, 0x20, 0x28, 0xff}
	sheetLine = color.RGBA{0x3a, 0x41, 0x4d, 0xff}
	sheetText = color.RGBA{0xc9, 0xd3, 0xe0, 0xff}
)

// tile is one tile of a contact sheet. The value at (y, x) has the index
// start + y*down + x*right.
type tile struct {
	label              string
	start, down, right int
}

// sheet is a contact sheet: a grid of tiles of one size.
type sheet struct {
	tiles         []tile
	width, height int // of a tile, in values
	kx, ky        int // pixels per value
}

// contactSheet draws a tensor that is not a picture as one 8-bit RGB picture,
// with a grey tile for each batch entry, depth slice and channel. Labels give the
// index n, d or c along the axes longer than 1. A signal is one tile with a row
// for each channel. All tiles share one mapping from values to levels. A value is
// a square of enlarge pixels, or as large as it takes to be seen if that is 0.
func contactSheet(v volume, depth, enlarge int, n Normalize) (*raster.Raster, levelCount, error) {
	s, err := newSheet(v, enlarge)
	if err != nil {
		return nil, levelCount{}, err
	}
	pix, clipped := grey(v.tensor, v.c, depth, n)
	return s.draw(pix), clipped, nil
}

// grey converts all values to 8-bit levels.
func grey(t *tensor.Tensor, channels, depth int, n Normalize) ([]uint8, levelCount) {
	if depth == 16 {
		r := &raster.Raster{Pix16: make([]uint16, t.Len())}
		clipped := levels(r.Pix16, t, n, channels, false)
		return r.To8().Pix8, clipped
	}
	pix := make([]uint8, t.Len())
	return pix, levels(pix, t, n, channels, false)
}

// newSheet lays out the tiles, or returns why there is no sheet of them.
func newSheet(v volume, enlarge int) (*sheet, error) {
	s := &sheet{width: v.w, height: v.h}
	count := v.n * v.d * v.c
	if v.spatial == 1 {
		s.height = v.c
		count = v.n
	}
	if count > sheetTiles {
		return nil, fmt.Errorf("got %d tiles (batch %d, depth %d, channels %d), want <= %d on one contact sheet: write .npy, or fewer channels",
			count, v.n, v.d, v.c, sheetTiles)
	}
	plane := v.h * v.w * v.c
	if v.spatial == 1 {
		for n := range v.n {
			s.tiles = append(s.tiles, tile{label(v, n, 0, -1), n * plane, 1, v.c})
		}
		s.kx = max(1, (sheetSignal+v.w-1)/v.w)
		s.ky = max(sheetRow, (sheetTile+v.c-1)/v.c)
	} else {
		for n := range v.n {
			for d := range v.d {
				for c := range v.c {
					s.tiles = append(s.tiles, tile{label(v, n, d, c), (n*v.d+d)*plane + c, v.w * v.c, v.c})
				}
			}
		}
		longer := max(v.w, v.h)
		s.kx = max(1, (sheetTile+longer-1)/longer)
		s.ky = s.kx
	}
	if enlarge > 0 {
		s.kx, s.ky = enlarge, enlarge
	}
	cellW, cellH := s.cell()
	if total := float64(cellW) * float64(cellH) * float64(count); total > sheetPixels {
		return nil, fmt.Errorf("got %d tiles of %dx%d, %.0f pixels with their labels, want <= %d on one contact sheet: write .npy, or fewer channels",
			count, s.width*s.kx, s.height*s.ky, total, sheetPixels)
	}
	return s, nil
}

// label names a tile by its index along the axes longer than 1; c < 0 means all
// channels.
func label(v volume, n, d, c int) string {
	var parts []string
	if v.n > 1 {
		parts = append(parts, fmt.Sprintf("n%d", n))
	}
	if v.d > 1 {
		parts = append(parts, fmt.Sprintf("d%d", d))
	}
	switch {
	case c >= 0 && v.c > 1:
		parts = append(parts, fmt.Sprintf("c%d", c))
	case c < 0 && v.c > 1:
		parts = append(parts, fmt.Sprintf("c0-%d", v.c-1))
	}
	if len(parts) == 0 {
		return "c0"
	}
	return strings.Join(parts, " ")
}

// cell returns the size of a cell: a tile with its label above it, a margin around
// both, and lines on the right and below.
func (s *sheet) cell() (width, height int) {
	longest := 0
	for _, t := range s.tiles {
		longest = max(longest, len(t.label))
	}
	width = max(s.width*s.kx, longest*sheetLetter) + 2*sheetMargin + 1
	height = sheetLabel + sheetMargin + s.height*s.ky + 2*sheetMargin + 1
	return width, height
}

// columns returns the number of columns that makes the sheet closest to square.
func (s *sheet) columns() int {
	cellW, cellH := s.cell()
	best, bestRatio := 1, 0.0
	for columns := 1; columns <= len(s.tiles); columns++ {
		rows := (len(s.tiles) + columns - 1) / columns
		ratio := float64(columns*cellW) / float64(rows*cellH)
		if ratio < 1 {
			ratio = 1 / ratio
		}
		if columns == 1 || ratio < bestRatio {
			best, bestRatio = columns, ratio
		}
	}
	return best
}

// size returns the sheet's size in pixels.
func (s *sheet) size() (width, height int) {
	cellW, cellH := s.cell()
	columns := s.columns()
	rows := (len(s.tiles) + columns - 1) / columns
	return columns*cellW + 1, rows*cellH + 1
}

func (s *sheet) draw(levels []uint8) *raster.Raster {
	cellW, cellH := s.cell()
	columns := s.columns()
	rows := (len(s.tiles) + columns - 1) / columns
	width, height := s.size()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(img, img.Rect, image.NewUniform(sheetBack), image.Point{}, draw.Src)
	line := image.NewUniform(sheetLine)
	for i := range columns + 1 {
		draw.Draw(img, image.Rect(i*cellW, 0, i*cellW+1, img.Rect.Max.Y), line, image.Point{}, draw.Src)
	}
	for i := range rows + 1 {
		draw.Draw(img, image.Rect(0, i*cellH, img.Rect.Max.X, i*cellH+1), line, image.Point{}, draw.Src)
	}
	text := font.Drawer{Dst: img, Src: image.NewUniform(sheetText), Face: basicfont.Face7x13}
	for i, t := range s.tiles {
		x, y := i%columns*cellW+1+sheetMargin, i/columns*cellH+1+sheetMargin
		text.Dot = fixed.P(x, y+basicfont.Face7x13.Ascent)
		text.DrawString(t.label)
		s.drawTile(img, x, y+sheetLabel+sheetMargin, t, levels)
	}
	r := &raster.Raster{Width: img.Rect.Dx(), Height: img.Rect.Dy(), Channels: 3}
	r.Pix8 = make([]uint8, r.Width*r.Height*3)
	for i := range r.Width * r.Height {
		copy(r.Pix8[3*i:3*i+3], img.Pix[4*i:])
	}
	return r
}

// drawTile draws each value as a block of kx × ky pixels.
func (s *sheet) drawTile(img *image.RGBA, left, top int, t tile, levels []uint8) {
	n := s.width * s.kx * 4
	for y := range s.height {
		first := img.Pix[img.PixOffset(left, top+y*s.ky):][:n]
		for x := range s.width {
			g := levels[t.start+y*t.down+x*t.right]
			for i := 4 * x * s.kx; i < 4*(x+1)*s.kx; i += 4 {
				first[i], first[i+1], first[i+2] = g, g, g
			}
		}
		for k := 1; k < s.ky; k++ {
			copy(img.Pix[img.PixOffset(left, top+y*s.ky+k):][:n], first)
		}
	}
}
