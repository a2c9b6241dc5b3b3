package jpeg

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Open reads the header of a JPEG. Grey pictures have one channel. YCbCr, RGB,
// CMYK and YCCK become RGB.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	config, err := jpeg.DecodeConfig(bufio.NewReader(in.Section()))
	if err != nil {
		return raster.Header{}, nil, err
	}
	if err := o.Check(config.Width, config.Height); err != nil {
		return raster.Header{}, nil, err
	}
	channels := 3
	if config.ColorModel == color.GrayModel {
		channels = 1
	}
	stored := raster.Header{Width: config.Width, Height: config.Height, Channels: channels, Depth: 8}
	info, orientation := stored, 1
	markers := readMarkers(in.Section())
	if !o.NoOrient {
		orientation = markers.orientation
		if raster.Turned(orientation) {
			info.Width, info.Height = stored.Height, stored.Width
		}
	}
	info.Decoding = markers.decoding(config.Width, config.Height) // if image/jpeg decodes it, which needs more
	if in.Size <= wholeSize(stored.Spec().Shape) {
		info.Decoding += int(in.Size)
	}
	if orientation != 1 {
		info.Decoding = max(info.Decoding, channels*config.Width*config.Height)
	}
	return info, func(t *tensor.Tensor, told *tensor.Progress) error {
		if orientation == 1 {
			return decode(in, t, told)
		}
		turned := tensor.New(stored.Spec())
		if err := decode(in, turned, nil); err != nil {
			return err
		}
		raster.Orient(t, turned, orientation)
		return nil
	}, nil
}

// decode decodes the file into t, without turning it.
func decode(in *input.File, t *tensor.Tensor, told *tensor.Progress) error {
	height, width := t.Shape[1], t.Shape[2]
	var damage error
	if plain, err := readPlain(in, t.Shape); err != nil {
		return err
	} else if plain != nil {
		if damage = plain.decode(t, told); damage == nil {
			return nil
		}
	}
	img, err := jpeg.Decode(bufio.NewReader(in.Section()))
	if err != nil {
		return err
	}
	if size := img.Bounds().Size(); size.X != width || size.Y != height {
		return fmt.Errorf("got size %v, the header says %dx%d", size, width, height)
	}
	if damage != nil { // image/jpeg has not noticed; some rows may be reported already
		return damage
	}
	return convert(t, img, told)
}

// readPlain reads a plain file of that shape, or returns nil. It does not read a
// file that is much larger than its pixels.
func readPlain(in *input.File, shape tensor.Shape) (*plainFile, error) {
	if in.Size > wholeSize(shape) {
		return nil, nil
	}
	data := make([]byte, in.Size)
	if _, err := in.Content.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, err
	}
	p := parsePlain(data)
	if p == nil || p.height != shape[1] || p.width != shape[2] || len(p.parts) != shape[3] {
		return nil, nil
	}
	return p, nil
}

// wholeSize returns the largest size of a file of that shape that is read into
// memory.
func wholeSize(shape tensor.Shape) int64 { return int64(3*shape[1]*shape[2] + 1<<20) }

// convert copies an image that image/jpeg decoded into t.
func convert(t *tensor.Tensor, img image.Image, told *tensor.Progress) error {
	switch img := img.(type) {
	case *image.YCbCr:
		convertYCbCr(tensor.Of[uint8](t), img, told)
	case *image.CMYK:
		convertCMYK(tensor.Of[uint8](t), img)
	default:
		return raster.Convert(t, img)
	}
	return nil
}
