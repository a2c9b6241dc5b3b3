package imgio

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/poolctl/poolctl/internal/tensor"
)

// openPicture reads a picture's header by its format.
func openPicture(in *input, f Format, o Options) (Info, func() (*tensor.Tensor, error), error) {
	var open func(*input, Options) (Info, func() (*tensor.Tensor, error), error)
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
	info, read, err := open(in, o)
	if err != nil {
		return Info{}, nil, prefixed(f, err)
	}
	return info, func() (*tensor.Tensor, error) {
		t, err := read()
		if err != nil {
			return nil, prefixed(f, err)
		}
		return t, nil
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
