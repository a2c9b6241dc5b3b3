package tiff

import (
	"io"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Format is TIFF. Compressed strips are kept in memory until all are ready.
var Format = &format.Format{
	Name:       "tiff",
	Magic:      []string{"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"},
	Extensions: []string{".tif"},
	Aliases:    []string{".tiff"},
	Picture: &format.Picture{Open: Open, Encoder: &format.Encoder{
		MaxSide:  1<<31 - 1,
		MaxBytes: 4<<30 - 1<<20, // offsets have 32 bits
		Deep:     true,
		Write:    func(w io.Writer, r *raster.Raster, _ format.Options) error { return Write(w, r) },
		Memory:   func(pixels, channels, sample int) int { return pixels * channels * sample },
	}},
}
