package gif

import (
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Format is GIF.
var Format = &format.Format{
	Name:       "gif",
	Magic:      []string{"GIF87a", "GIF89a"},
	Extensions: []string{".gif"},
	Picture: &format.Picture{Open: Open, Encoder: &format.Encoder{
		MaxSide: 1<<16 - 1,
		Check:   check,
		Write:   func(w io.Writer, r *raster.Raster, _ format.Options) error { return Write(w, r) },
		Memory:  func(pixels, _, _ int) int { return pixels }, // indices
	}},
}

// check refuses pixels that are partly transparent, and tells of colours that are
// lost.
func check(r *raster.Raster, _ format.Options) ([]string, error) {
	if r.Alpha() {
		for i := r.Channels - 1; i < len(r.Pix8); i += r.Channels {
			if a := r.Pix8[i]; a != 0 && a != 255 {
				return nil, errors.New("got pixels that are partly transparent, which the format cannot hold: write a PNG or TIFF, or drop the channel")
			}
		}
	}
	if n, _ := countColours(r); n > maxColours {
		return []string{fmt.Sprintf("%d colours were reduced to %d (median cut, Floyd-Steinberg dithering)", n, maxColours)}, nil
	}
	return nil, nil
}
