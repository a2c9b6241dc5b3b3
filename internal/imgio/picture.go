package imgio

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/poolctl/poolctl/internal/tensor"
)

// decoder writes a picture's pixels into a tensor of Info.Spec and tells how far
// it is, where they come in order. It does not end the progress.
type decoder func(t *tensor.Tensor, told *tensor.Progress) error

// openPicture reads a picture's header by its format.
func openPicture(in *input, f Format, o Options) (Info, decoder, error) {
	var open func(*input, Options) (Info, decoder, error)
	switch f {
	case PNG:
		open = openPNG
	case JPEG:
		open = openJPEG
	case GIF:
		open = openGIF
	case BMP:
		open = openBMP
	case TIFF:
		open = openTIFF
	default:
		open = openWebP
	}
	info, decode, err := open(in, o)
	if err != nil {
		return Info{}, nil, prefixed(f, err)
	}
	return info, func(t *tensor.Tensor, told *tensor.Progress) error {
		if err := decode(t, told); err != nil {
			return prefixed(f, err)
		}
		return nil
	}, nil
}

// prefixed puts the format's name in front of a decoder's error, once, and says
// plainly that a file ends too early.
func prefixed(f Format, err error) error {
	var limit *LimitError
	if errors.As(err, &limit) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errCut
	}
	prefix := f.String() + ": "
	if strings.HasPrefix(err.Error(), prefix) {
		return err
	}
	return fmt.Errorf("%s%w", prefix, err)
}

var errCut = errors.New("the file is cut")
