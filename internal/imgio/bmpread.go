package imgio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"image"
	"image/color"

	"github.com/poolctl/poolctl/internal/tensor"
	"golang.org/x/image/bmp"
)

// openBMP reads a BMP's header. Uncompressed pictures of 1, 2, 4, 8 (palette),
// 24 and 32 bits are read; of 32 bits the fourth byte is alpha when the header
// is one of those that define it (BITMAPV4HEADER and later).
func openBMP(in *input, o Options) (Info, func() (*tensor.Tensor, error), error) {
	config, err := bmp.DecodeConfig(bufio.NewReader(in.section()))
	if errors.Is(err, bmp.ErrUnsupported) {
		err = errors.New("want an uncompressed picture of 1, 2, 4, 8, 24 or 32 bits with a Windows header, the file has another kind")
	}
	if err != nil {
		return Info{}, nil, err
	}
	if err := checkPixels(in.name, BMP, config.Width, config.Height, o); err != nil {
		return Info{}, nil, err
	}
	var head [30]byte
	if _, err := in.file.ReadAt(head[:], 0); err != nil {
		return Info{}, nil, err
	}
	channels := 3
	if binary.LittleEndian.Uint16(head[28:]) == 32 && binary.LittleEndian.Uint32(head[14:]) > 40 {
		channels = 4
	}
	info := pictureInfo(BMP, config.Width, config.Height, channels, 8)
	return info, func() (*tensor.Tensor, error) {
		img, err := bmp.Decode(bufio.NewReader(in.section()))
		if err != nil {
			return nil, err
		}
		t := tensor.New(info.Spec)
		if p, ok := img.(*image.Paletted); ok {
			return t, convertPaletted(t, p, opaqueColours(p.Palette))
		}
		return t, convertImage(t, img)
	}, nil
}

// opaqueColours returns a palette without alpha as RGBA with 8 bits.
func opaqueColours(palette color.Palette) [][4]uint8 {
	colours := make([][4]uint8, len(palette))
	for i, c := range palette {
		r, g, b, _ := c.RGBA()
		colours[i] = [4]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
	}
	return colours
}
