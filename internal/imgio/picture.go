package imgio

import (
	"fmt"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/bmp"
	"github.com/poolctl/poolctl/internal/imgio/gif"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/jpeg"
	"github.com/poolctl/poolctl/internal/imgio/png"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/imgio/tiff"
	"github.com/poolctl/poolctl/internal/imgio/webp"
	"github.com/poolctl/poolctl/internal/tensor"
)

// openPicture reads a picture's header by its format.
func openPicture(in *input.File, f Format, o Options) (Info, raster.Decoder, error) {
	var open func(*input.File, raster.Options) (raster.Header, raster.Decoder, error)
	switch f {
	case PNG:
		open = png.Open
	case JPEG:
		open = jpeg.Open
	case GIF:
		open = gif.Open
	case BMP:
		open = bmp.Open
	case TIFF:
		open = tiff.Open
	default:
		open = webp.Open
	}
	h, decode, err := open(in, raster.Options{NoOrient: o.NoOrient, MaxPixels: o.MaxPixels, MaxSide: o.MaxSide})
	if err != nil {
		return Info{}, nil, prefixed(f, err)
	}
	return Info{Spec: h.Spec(), Depth: h.Depth, Picture: true, Decoding: h.Decoding}, func(t *tensor.Tensor, told *tensor.Progress) error {
		if err := decode(t, told); err != nil {
			return prefixed(f, err)
		}
		return nil
	}, nil
}

// prefixed puts the format's name in front of a decoder's error, once, and says
// plainly that a file ends too early.
func prefixed(f Format, err error) error {
	err = input.Unexpected(err)
	prefix := f.String() + ": "
	if strings.HasPrefix(err.Error(), prefix) {
		return err
	}
	return fmt.Errorf("%s%w", prefix, err)
}
