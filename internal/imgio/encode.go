package imgio

import (
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
)

// maxSide is the largest width and height that a format can state.
var maxSide = map[Format]int{PNG: 1<<31 - 1, JPEG: 65535, GIF: 65535, BMP: 1<<31 - 1, TIFF: 1<<31 - 1}

// fit turns a raster into one that the format can hold, and tells in a note
// what was changed. What would change the picture beyond its precision is an
// error instead.
func fit(r *raster, f Format) (*raster, []string, error) {
	var notes []string
	if most := maxSide[f]; r.width > most || r.height > most {
		return nil, nil, fmt.Errorf("got size %dx%d, want sides <= %d", r.width, r.height, most)
	}
	if r.depth() == 16 && f != PNG && f != TIFF {
		r = r.to8()
		notes = append(notes, "16-bit samples were divided by 257: the format has 8 bits")
	}
	switch f {
	case JPEG:
		if r.alpha() {
			return nil, nil, fmt.Errorf("got %d channels, the last of them alpha, which the format cannot hold: write a PNG or TIFF, or drop the channel", r.channels)
		}
	case BMP, TIFF:
		if r.channels == 2 {
			r = r.rgb()
			notes = append(notes, "grey with alpha was written as RGBA")
		}
		if bytes := uint64(r.width) * uint64(r.height) * uint64(r.channels*r.depth()/8); bytes > 4<<30-1<<20 {
			return nil, nil, fmt.Errorf("got %d bytes of samples, want less than the format's 4 GiB: write a PNG or .npy", bytes)
		}
	case GIF:
		r = r.rgb()
		if r.alpha() {
			for i := 3; i < len(r.pix8); i += 4 {
				if a := r.pix8[i]; a != 0 && a != 255 {
					return nil, nil, errors.New("got pixels that are partly transparent, which the format cannot hold: write a PNG or TIFF, or drop the channel")
				}
			}
		}
		if n, _ := r.countColours(); n > gifColours {
			notes = append(notes, fmt.Sprintf("%d colours were reduced to %d (median cut, Floyd-Steinberg dithering)", n, gifColours))
		}
	}
	return r, notes, nil
}

// writePicture encodes a raster that fits the format.
func writePicture(w io.Writer, f Format, r *raster, quality int) error {
	switch f {
	case PNG:
		return writePNG(w, r)
	case JPEG:
		if quality == 0 {
			quality = DefaultQuality
		}
		return jpeg.Encode(w, r.image(), &jpeg.Options{Quality: quality})
	case TIFF:
		return writeTIFF(w, r)
	case BMP:
		return writeBMP(w, r)
	default:
		return writeGIF(w, r)
	}
}

// image returns an 8-bit raster of 1, 3 or 4 channels as the standard library
// has it.
func (r *raster) image() image.Image {
	rect := image.Rect(0, 0, r.width, r.height)
	switch r.channels {
	case 1:
		return &image.Gray{Pix: r.pix8, Stride: r.width, Rect: rect}
	case 4:
		return &image.NRGBA{Pix: r.pix8, Stride: 4 * r.width, Rect: rect}
	}
	img := image.NewRGBA(rect) // all opaque: premultiplied and straight are the same
	bands(r.width*r.height, 1<<16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := r.pix8[3*i : 3*i+3]
			q := img.Pix[4*i : 4*i+4]
			q[0], q[1], q[2], q[3] = p[0], p[1], p[2], 255
		}
	})
	return img
}
