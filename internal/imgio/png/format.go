package png

import (
	"io"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Format is PNG. Rows are compressed in bands as they become ready, and kept in
// memory until all are.
var Format = &format.Format{
	Name:       "png",
	Magic:      []string{magic},
	Extensions: []string{".png"},
	Picture: &format.Picture{Open: Open, Encoder: &format.Encoder{
		MaxSide: 1<<31 - 1,
		Deep:    true,
		Write:   func(w io.Writer, r *raster.Raster, _ format.Options) error { return Write(w, r) },
		Follows: true,
		Memory:  func(pixels, channels, sample int) int { return pixels * channels * sample },
	}},
}
