package imgio

import (
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Info is what a file's header tells.
type Info struct {
	Spec    tensor.Spec
	Format  string // its name in lower case
	Depth   int    // bits per sample of a picture: 8 or 16; 0 for an array
	Picture bool   // Spec is NHWC with N = 1

	// Data is the file that holds an ONNX model's array, where that is not the
	// model itself.
	Data string

	// Decoding is about how many bytes Read needs at its peak beside the tensor
	// that it returns; none of them are kept.
	Decoding int
}

// PictureDepth returns the bits per sample that a picture made of the file gets,
// unless something else is asked for: 16 for a picture of 16 bits and for an array
// of uint16, else 8.
func (i *Info) PictureDepth() int {
	if i.Depth == 16 || i.Spec.DType == tensor.Uint16 {
		return 16
	}
	return 8
}

// The largest picture that is read when Options does not say otherwise.
const (
	DefaultMaxPixels = raster.DefaultMaxPixels
	DefaultMaxSide   = raster.DefaultMaxSide
)

// LimitError reports that a file is larger than a limit allows. Nothing large
// has been allocated when it is returned.
type LimitError = input.LimitError

// UsageError reports names that are wrong by themselves, whatever is in the
// files: an unknown extension, an output that is an input, two outputs of one
// name.
type UsageError struct {
	Name   string
	Detail string
}

func (e *UsageError) Error() string { return e.Name + ": " + e.Detail }

// ErrExists reports an output that is there already and must not be replaced.
var ErrExists error = existsError{}

type existsError struct{}

func (existsError) Error() string { return "exists already (--no-clobber)" }

// Hint returns what to do about it.
func (existsError) Hint() string { return "leave --no-clobber out to replace it" }
