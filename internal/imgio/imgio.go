// Package imgio reads and writes the files that poolctl works on: arrays
// (.npy, .npz), the weights of networks (safetensors, ONNX) and pictures (PNG,
// JPEG, GIF, BMP, TIFF, WebP).
//
// Reading happens in two steps. Open looks at the header only and tells the
// tensor's type and shape, so that limits can be checked before anything large
// is allocated; Read then decodes. Files are recognised by their content. A
// picture is a tensor NHWC with N = 1 that holds the file's own sample values:
// straight alpha, no colour management, levels of 1, 2 and 4 bits scaled to
// 0…255, 16-bit samples kept as 0…65535.
//
// Writing is all or nothing: WriteAll encodes every output into a temporary
// file beside its target and renames them only when all are complete.
package imgio

import (
	"cmp"
	"fmt"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Format is a file format.
type Format uint8

// The formats. WebP, Safetensors and ONNX are only read; SVG, which holds
// drawings and no tensors, is only written.
const (
	Unknown Format = iota
	NPY
	NPZ
	PNG
	JPEG
	GIF
	BMP
	TIFF
	WebP
	SVG
	Safetensors
	ONNX
)

var formatNames = [...]string{"unknown", "npy", "npz", "png", "jpeg", "gif", "bmp", "tiff", "webp", "svg", "safetensors", "onnx"}

// String returns the format's name in lower case, as messages have it.
func (f Format) String() string { return formatNames[f] }

// Info is what a file's header tells.
type Info struct {
	Spec    tensor.Spec
	Format  Format
	Depth   int  // bits per sample of a picture: 8 or 16; 0 for an array
	Picture bool // Spec is NHWC with N = 1

	// Data is the file that holds an ONNX model's array, where that is not the
	// model itself.
	Data string

	// Decoding is about how many bytes Read needs at its peak beside the tensor
	// that it returns; none of them are kept.
	Decoding int
}

// pictureInfo describes a picture of the given size.
func pictureInfo(f Format, width, height, channels, depth int) Info {
	dtype := tensor.Uint8
	if depth == 16 {
		dtype = tensor.Uint16
	}
	return Info{
		Spec:    tensor.Spec{DType: dtype, Shape: tensor.Shape{1, height, width, channels}},
		Format:  f,
		Depth:   depth,
		Picture: true,
	}
}

// The largest picture that is read when Options does not say otherwise.
const (
	DefaultMaxPixels = 100_000_000
	DefaultMaxSide   = 65_535
)

// LimitError reports that a file is larger than a limit allows. Nothing large
// has been allocated when it is returned.
type LimitError struct {
	Name   string // the file; empty where what wraps the error names it
	Detail string // what the file has, the limit, and the flag that raises it, if there is one
}

func (e *LimitError) Error() string {
	if e.Name == "" {
		return e.Detail
	}
	return e.Name + ": " + e.Detail
}

// tooMuch is a *LimitError of a limit that no flag raises.
func tooMuch(format string, args ...any) error {
	return &LimitError{Detail: fmt.Sprintf(format, args...)}
}

// UsageError reports names that are wrong by themselves, whatever is in the
// files: an unknown extension, an output that is an input, two outputs of one
// name.
type UsageError struct {
	Name   string
	Detail string
}

func (e *UsageError) Error() string { return e.Name + ": " + e.Detail }

// checkPixels refuses a picture without pixels and one beyond the limits.
func checkPixels(name string, f Format, width, height int, o Options) error {
	if width <= 0 || height <= 0 {
		return fmt.Errorf("got size %dx%d, want at least 1x1", width, height)
	}
	limit := cmp.Or(o.MaxPixels, DefaultMaxPixels)
	if height > limit/width {
		return &LimitError{name, fmt.Sprintf("%s: got %dx%d = %.0f pixels, want <= %d (--max-pixels)",
			f, width, height, float64(width)*float64(height), limit)}
	}
	if side := cmp.Or(o.MaxSide, DefaultMaxSide); max(width, height) > side {
		return &LimitError{name, fmt.Sprintf("%s: got size %dx%d, want sides <= %d (--max-side)", f, width, height, side)}
	}
	return nil
}
