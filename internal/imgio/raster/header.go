package raster

import (
	"cmp"
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Header is what the header of a picture says.
type Header struct {
	Width, Height int
	Channels      int
	Depth         int // bits per sample: 8 or 16; 32 or 64 with DType

	// DType is the type of the samples. Invalid stands for uint8 or uint16, as Depth says.
	DType tensor.DType

	// Orientation is the EXIF orientation of the picture, 1 to 8, or 0 for none. The
	// header and the decoder are those of the picture as it is stored.
	Orientation int

	// Decoding is roughly how many bytes the decoder needs at its peak beside the
	// tensor that it writes.
	Decoding int
}

// Spec returns the type and shape of the picture: NHWC with N = 1.
func (h Header) Spec() tensor.Spec {
	dtype := tensor.Uint8
	if h.DType != tensor.Invalid {
		dtype = h.DType
	} else if h.Depth == 16 {
		dtype = tensor.Uint16
	}
	return tensor.Spec{DType: dtype, Shape: tensor.Shape{1, h.Height, h.Width, h.Channels}}
}

// Decoder decodes a picture into a tensor of Header.Spec. If it produces rows in
// order, it reports them to told. It does not call told.End.
type Decoder func(t *tensor.Tensor, told *tensor.Progress) error

// Default limits.
const (
	DefaultMaxPixels = 100_000_000
	DefaultMaxSide   = 65_535
)

// Options says how pictures are opened.
type Options struct {
	MaxPixels int // largest picture; 0 means DefaultMaxPixels
	MaxSide   int // largest width and height; 0 means DefaultMaxSide
}

// Check refuses an empty picture and one that exceeds the limits.
func (o Options) Check(width, height int) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("got size %dx%d, want at least 1x1", width, height)
	}
	limit := cmp.Or(o.MaxPixels, DefaultMaxPixels)
	if height > limit/width {
		return input.TooMuch("got %dx%d = %.0f pixels, want <= %d (--max-pixels)",
			width, height, float64(width)*float64(height), limit)
	}
	if side := cmp.Or(o.MaxSide, DefaultMaxSide); max(width, height) > side {
		return input.TooMuch("got size %dx%d, want sides <= %d (--max-side)", width, height, side)
	}
	return nil
}
