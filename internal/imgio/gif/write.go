package gif

import (
	"image"
	"image/color"
	"image/gif"
	"io"
	"math/bits"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// maxColours is the size of a palette.
const maxColours = 256

// Write writes an 8-bit raster whose pixels are opaque or fully transparent. Up to
// 256 colours are written exactly. More are reduced by median cut and dithered.
func Write(w io.Writer, r *raster.Raster) error {
	count, transparent := countColours(r)
	img := image.NewPaletted(image.Rect(0, 0, r.Width, r.Height), nil)
	if transparent {
		img.Palette = append(img.Palette, color.NRGBA{})
	}
	if count <= maxColours {
		indexExactly(r, img)
	} else {
		chosen := medianCut(histogram(r), maxColours-len(img.Palette))
		dither(r, img.Pix, chosen, len(img.Palette))
		for _, c := range chosen {
			img.Palette = append(img.Palette, color.NRGBA{c[0], c[1], c[2], 255})
		}
	}
	return gif.Encode(w, img, nil)
}

// hidden reports whether pixel i is fully transparent.
func hidden(r *raster.Raster, i int) bool { return r.Alpha() && r.Pix8[(i+1)*r.Channels-1] == 0 }

// rgbAt returns the colour of pixel i.
func rgbAt(r *raster.Raster, i int) [3]uint8 {
	pixel := r.Pix8[i*r.Channels:]
	if r.Channels < 3 {
		return [3]uint8{pixel[0], pixel[0], pixel[0]}
	}
	return [3]uint8(pixel)
}

// countColours counts the colours and reports whether there are transparent
// pixels, which count as one colour.
func countColours(r *raster.Raster) (n int, transparent bool) {
	seen := make([]uint64, 1<<24/64)
	for i := range r.Width * r.Height {
		if hidden(r, i) {
			transparent = true
			continue
		}
		c := rgbAt(r, i)
		at := uint(c[0])<<16 | uint(c[1])<<8 | uint(c[2])
		seen[at/64] |= 1 << (at % 64)
	}
	for _, word := range seen {
		n += bits.OnesCount64(word)
	}
	if transparent {
		n++
	}
	return n, transparent
}

// indexExactly fills in the pixels and the palette of img. Colours are in the order
// of their first use.
func indexExactly(r *raster.Raster, img *image.Paletted) {
	index := map[[3]uint8]uint8{}
	for i := range img.Pix {
		if hidden(r, i) {
			continue // index 0
		}
		c := rgbAt(r, i)
		at, known := index[c]
		if !known {
			at = uint8(len(img.Palette))
			index[c] = at
			img.Palette = append(img.Palette, color.NRGBA{c[0], c[1], c[2], 255})
		}
		img.Pix[i] = at
	}
}

// dither maps the pixels to the palette by Floyd-Steinberg dithering: the error of
// a pixel is spread to its neighbour on the right (7/16) and to three in the next
// row (3/16, 5/16, 1/16). The index of palette[0] is first.
func dither(r *raster.Raster, pix []uint8, palette [][3]uint8, first int) {
	// The nearest colour is cached for each cell of 4x4x4 levels.
	nearest := make([]int16, 1<<18)
	for i := range nearest {
		nearest[i] = -1
	}
	find := func(c [3]int32) int {
		cell := c[0]>>2<<12 | c[1]>>2<<6 | c[2]>>2
		if nearest[cell] < 0 {
			best := int32(1 << 30)
			for i, p := range palette {
				var distance int32
				for k := range 3 {
					d := c[k]&^3 + 2 - int32(p[k])
					distance += d * d
				}
				if distance < best {
					best, nearest[cell] = distance, int16(i)
				}
			}
		}
		return int(nearest[cell])
	}
	// Errors in sixteenths, with one extra pixel on both sides.
	here, below := make([][3]int32, r.Width+2), make([][3]int32, r.Width+2)
	for y := range r.Height {
		for x := range r.Width {
			i := y*r.Width + x
			if hidden(r, i) {
				continue
			}
			colour := rgbAt(r, i)
			var want [3]int32
			for k := range 3 {
				want[k] = min(max(int32(colour[k])+(here[x+1][k]+8)>>4, 0), 255)
			}
			at := find(want)
			pix[i] = uint8(first + at)
			for k := range 3 {
				missing := want[k] - int32(palette[at][k])
				here[x+2][k] += 7 * missing
				below[x][k] += 3 * missing
				below[x+1][k] += 5 * missing
				below[x+2][k] += missing
			}
		}
		here, below = below, here
		clear(below)
	}
}
