package imgio

import (
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Info is what a file's header says.
type Info struct {
	Spec    tensor.Spec
	Format  string // its name in lower case
	Depth   int    // bits per sample of a picture: 8, 16, 32 or 64; 0 for an array
	Picture bool   // Spec is NHWC with N = 1

	// Data is the file that holds the array's data, if not the file itself: an ONNX
	// model may keep data beside it.
	Data string

	// Decoding is roughly how many bytes Read needs at its peak beside the tensor
	// that it returns. All of them are freed when it returns.
	Decoding int
}

// PictureDepth returns the bits per sample that a picture made of the file gets,
// unless something else is asked for: 16 for a picture of 16 bits and for an array
// of uint16, else 8.
func (i *Info) PictureDepth() int {
	if i.Spec.DType == tensor.Uint16 {
		return 16
	}
	return 8
}

// Default limits on pictures.
const (
	DefaultMaxPixels = raster.DefaultMaxPixels
	DefaultMaxSide   = raster.DefaultMaxSide
)

// LimitError reports a file that exceeds a limit. It is returned before anything
// large is allocated.
type LimitError = input.LimitError

// TypeError reports an array of a type that poolctl does not compute with.
type TypeError = input.TypeError

// UsageError reports file names that are wrong whatever the files contain: an
// unknown extension, an output that is also an input, two outputs with one name.
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
