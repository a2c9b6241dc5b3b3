package jpeg

import (
	"image/jpeg"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// DefaultQuality is the default quality.
const DefaultQuality = 90

// Write writes an 8-bit raster of 1 or 3 channels. The quality is 1 to 100; 0
// means DefaultQuality.
func Write(w io.Writer, r *raster.Raster, quality int) error {
	if quality == 0 {
		quality = DefaultQuality
	}
	return jpeg.Encode(w, r.Image(), &jpeg.Options{Quality: quality})
}
