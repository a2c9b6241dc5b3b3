package jpeg

import (
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Format is JPEG.
var Format = &format.Format{
	Name:       "jpeg",
	Magic:      []string{"\xff\xd8\xff"},
	Extensions: []string{".jpg"},
	Aliases:    []string{".jpeg"},
	Picture: &format.Picture{Open: Open, Encoder: &format.Encoder{
		MaxSide: 1<<16 - 1,
		Channels: func(n int, _ format.Options) (int, error) {
			if n == 2 || n == 4 {
				return 0, fmt.Errorf("got %d channels, the last of them alpha, which the format cannot hold: write a PNG or TIFF, or drop the channel", n)
			}
			return n, nil
		},
		Write: func(w io.Writer, r *raster.Raster, o format.Options) error { return Write(w, r, o.Quality) },
		Memory: func(pixels, channels, _ int) int {
			if channels == 3 {
				return 4 * pixels // as RGBA
			}
			return 0
		},
	}},
}
