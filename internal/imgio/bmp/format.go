package bmp

import (
	"io"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Format is BMP.
var Format = &format.Format{
	Name:       "bmp",
	Magic:      []string{"BM"},
	Extensions: []string{".bmp"},
	Picture: &format.Picture{Open: Open, Encoder: &format.Encoder{
		MaxSide:  1<<31 - 1,
		MaxBytes: 4<<30 - 1<<20, // sizes have 32 bits
		Channels: format.WithoutGreyAlpha,
		Write:    func(w io.Writer, r *raster.Raster, _ format.Options) error { return Write(w, r) },
	}},
}
