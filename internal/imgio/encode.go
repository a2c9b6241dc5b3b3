package imgio

import (
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/bmp"
	"github.com/poolctl/poolctl/internal/imgio/gif"
	"github.com/poolctl/poolctl/internal/imgio/jpeg"
	"github.com/poolctl/poolctl/internal/imgio/png"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/imgio/tiff"
)

// maxSide is the largest width and height that a format can state.
var maxSide = map[Format]int{PNG: 1<<31 - 1, JPEG: 65535, GIF: 65535, BMP: 1<<31 - 1, TIFF: 1<<31 - 1}

// fit turns a raster into one that the format can hold, and tells in a note
// what was changed. What would change the picture beyond its precision is an
// error instead.
func fit(r *raster.Raster, f Format) (*raster.Raster, []string, error) {
	var notes []string
	if most := maxSide[f]; r.Width > most || r.Height > most {
		return nil, nil, fmt.Errorf("got size %dx%d, want sides <= %d", r.Width, r.Height, most)
	}
	if r.Depth() == 16 && f != PNG && f != TIFF {
		r = r.To8()
		notes = append(notes, "16-bit samples were divided by 257: the format has 8 bits")
	}
	switch f {
	case JPEG:
		if r.Alpha() {
			return nil, nil, fmt.Errorf("got %d channels, the last of them alpha, which the format cannot hold: write a PNG or TIFF, or drop the channel", r.Channels)
		}
	case BMP, TIFF:
		if r.Channels == 2 {
			r = r.RGB()
			notes = append(notes, "grey with alpha was written as RGBA")
		}
		if bytes := uint64(r.Width) * uint64(r.Height) * uint64(r.Channels*r.Depth()/8); bytes > 4<<30-1<<20 {
			return nil, nil, fmt.Errorf("got %d bytes of samples, want less than the format's 4 GiB: write a PNG or .npy", bytes)
		}
	case GIF:
		r = r.RGB()
		if r.Alpha() {
			for i := 3; i < len(r.Pix8); i += 4 {
				if a := r.Pix8[i]; a != 0 && a != 255 {
					return nil, nil, errors.New("got pixels that are partly transparent, which the format cannot hold: write a PNG or TIFF, or drop the channel")
				}
			}
		}
		if n, _ := gif.CountColours(r); n > gif.MaxColours {
			notes = append(notes, fmt.Sprintf("%d colours were reduced to %d (median cut, Floyd-Steinberg dithering)", n, gif.MaxColours))
		}
	}
	return r, notes, nil
}

// writePicture encodes a raster that fits the format.
func writePicture(w io.Writer, f Format, r *raster.Raster, quality int) error {
	switch f {
	case PNG:
		return png.Write(w, r)
	case JPEG:
		return jpeg.Write(w, r, quality)
	case TIFF:
		return tiff.Write(w, r)
	case BMP:
		return bmp.Write(w, r)
	default:
		return gif.Write(w, r)
	}
}
