package gif

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// header is what a GIF says before the pixels of its first frame.
type header struct {
	width, height int // of the canvas
	frame         image.Rectangle
	colours       [][4]uint8
	transparent   int // index of the transparent colour, -1 for none
}

// Open reads the header of a GIF. The picture is the first frame on the canvas;
// other frames are ignored. It is RGB, or RGBA if the frame has a transparent colour
// or does not cover the canvas.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	h, err := readHeader(bufio.NewReader(in.Section()))
	if err != nil {
		return raster.Header{}, nil, err
	}
	if err := o.Check(h.width, h.height); err != nil {
		return raster.Header{}, nil, err
	}
	canvas := image.Rect(0, 0, h.width, h.height)
	if !h.frame.In(canvas) || h.frame.Empty() {
		return raster.Header{}, nil, fmt.Errorf("got first frame %v, want one within the canvas %v", h.frame, canvas)
	}
	channels := 3
	if h.transparent >= 0 || h.frame != canvas {
		channels = 4
	}
	info := raster.Header{Width: h.width, Height: h.height, Channels: channels, Depth: 8}
	info.Decoding = h.frame.Dx() * h.frame.Dy()
	if h.frame != canvas {
		info.Decoding *= 5 // the indices, and the colours before they are copied to the canvas
	}
	return info, func(t *tensor.Tensor, _ *tensor.Progress) error {
		img, err := gif.Decode(bufio.NewReader(in.Section()))
		if err != nil {
			return err
		}
		frame, ok := img.(*image.Paletted)
		if !ok || frame.Rect != h.frame {
			return fmt.Errorf("got frame %v, the header says %v", img.Bounds(), h.frame)
		}
		return h.compose(t, frame)
	}, nil
}

// compose draws the frame onto a transparent canvas.
func (h *header) compose(canvas *tensor.Tensor, frame *image.Paletted) error {
	if h.transparent >= 0 {
		for len(h.colours) <= h.transparent {
			h.colours = append(h.colours, [4]uint8{})
		}
		h.colours[h.transparent][3] = 0
	}
	if frame.Rect.Dx() == h.width && frame.Rect.Dy() == h.height {
		return raster.ConvertPaletted(canvas, frame, h.colours)
	}
	part := tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, frame.Rect.Dy(), frame.Rect.Dx(), 4}})
	if err := raster.ConvertPaletted(part, frame, h.colours); err != nil {
		return err
	}
	raster.Place(canvas, part, frame.Rect.Min)
	return nil
}

func readHeader(r *bufio.Reader) (*header, error) {
	var b [13]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return nil, err
	}
	h := &header{width: int(b[6]) | int(b[7])<<8, height: int(b[8]) | int(b[9])<<8, transparent: -1}
	var err error
	if h.colours, err = readPalette(r, b[10]); err != nil {
		return nil, err
	}
	for {
		kind, err := r.ReadByte()
		if err != nil {
			return nil, err
		}
		switch kind {
		case ',':
			if _, err := io.ReadFull(r, b[:9]); err != nil {
				return nil, err
			}
			x, y := int(b[0])|int(b[1])<<8, int(b[2])|int(b[3])<<8
			h.frame = image.Rect(x, y, x+(int(b[4])|int(b[5])<<8), y+(int(b[6])|int(b[7])<<8))
			if local, err := readPalette(r, b[8]); err != nil {
				return nil, err
			} else if local != nil {
				h.colours = local
			}
			if h.colours == nil {
				return nil, errors.New("the palette is missing")
			}
			return h, nil
		case '!':
			if err := h.readExtension(r); err != nil {
				return nil, err
			}
		case ';':
			return nil, errors.New("the file holds no picture")
		default:
			return nil, fmt.Errorf("got block 0x%02x, want a picture, an extension or the end", kind)
		}
	}
}

// readPalette reads the palette that the flags announce, or returns nil.
func readPalette(r io.Reader, flags byte) ([][4]uint8, error) {
	if flags&0x80 == 0 {
		return nil, nil
	}
	colours := make([][4]uint8, 2<<(flags&7))
	for i := range colours {
		if _, err := io.ReadFull(r, colours[i][:3]); err != nil {
			return nil, err
		}
		colours[i][3] = 255
	}
	return colours, nil
}

// readExtension reads an extension. The graphic control extension holds the
// transparent colour.
func (h *header) readExtension(r *bufio.Reader) error {
	label, err := r.ReadByte()
	if err != nil {
		return err
	}
	for first := true; ; first = false {
		n, err := r.ReadByte()
		if err != nil || n == 0 {
			return err
		}
		block := make([]byte, n)
		if _, err := io.ReadFull(r, block); err != nil {
			return err
		}
		if label == 0xf9 && first && n == 4 {
			h.transparent = -1
			if block[0]&1 != 0 {
				h.transparent = int(block[3])
			}
		}
	}
}
