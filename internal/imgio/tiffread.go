package imgio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
	"golang.org/x/image/tiff"
)

// TIFF's tags that are looked at or written here.
const (
	tiffWidth           = 256
	tiffLength          = 257
	tiffBitsPerSample   = 258
	tiffCompression     = 259
	tiffPhotometric     = 262
	tiffStripOffsets    = 273
	tiffSamplesPerPixel = 277
	tiffRowsPerStrip    = 278
	tiffStripByteCounts = 279
	tiffPlanar          = 284
	tiffPredictor       = 317
	tiffExtraSamples    = 338
)

// openTIFF reads the header of a TIFF's first picture: grey of 1, 8 and 16
// bits, palette, RGB and RGB with alpha of 8 and 16 bits. Alpha that the
// colours were multiplied with is divided out.
func openTIFF(in *input, o Options) (Info, decoder, error) {
	config, err := tiff.DecodeConfig(in.section())
	if err != nil {
		return Info{}, nil, err
	}
	if err := checkPixels(in.name, TIFF, config.Width, config.Height, o); err != nil {
		return Info{}, nil, err
	}
	samples, rows, err := tiffSamples(in.section())
	if err != nil {
		return Info{}, nil, err
	}
	channels, depth := samples, 8
	palette, isPalette := config.ColorModel.(color.Palette)
	switch config.ColorModel {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		depth = 16
	}
	if isPalette {
		channels = 3
	}
	info := pictureInfo(TIFF, config.Width, config.Height, channels, depth)
	// The decoder holds grey and palettes as they are, anything else as RGBA;
	// beside the picture it has one strip, compressed and not.
	row := config.Width * depth / 8
	info.Decoding = row*config.Height + 2*row*min(rows, config.Height)
	if channels > 1 && !isPalette {
		info.Decoding = 4*row*config.Height + 2*samples*row*min(rows, config.Height)
	}
	return info, func(t *tensor.Tensor, _ *tensor.Progress) error {
		img, err := tiff.Decode(in.section())
		if err != nil {
			return err
		}
		if p, ok := img.(*image.Paletted); ok {
			return convertPaletted(t, p, opaqueColours(palette))
		}
		return convertImage(t, img)
	}, nil
}

// tiffSamples returns the samples per pixel and the rows per strip, after
// checking what the decoder does not look at.
func tiffSamples(r io.ReaderAt) (samples, rows int, err error) {
	var head [8]byte
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return 0, 0, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(head[4:]))
	if _, err := r.ReadAt(head[:2], at); err != nil {
		return 0, 0, err
	}
	entries := make([]byte, 12*int(order.Uint16(head[:2])))
	if _, err := r.ReadAt(entries, at+2); err != nil {
		return 0, 0, err
	}
	bits, planar := 1, 1
	samples, rows = 1, math.MaxInt32
	for ; len(entries) > 0; entries = entries[12:] {
		value := int(order.Uint16(entries[8:]))
		if order.Uint16(entries[2:]) == 4 { // LONG
			value = int(order.Uint32(entries[8:]))
		}
		switch order.Uint16(entries) {
		case tiffBitsPerSample:
			bits = int(order.Uint32(entries[4:]))
		case tiffSamplesPerPixel:
			samples = value
		case tiffPlanar:
			planar = value
		case tiffRowsPerStrip:
			rows = value
		}
	}
	switch {
	case samples != bits:
		return 0, 0, fmt.Errorf("got %d samples per pixel and the bits of %d, want as many", samples, bits)
	case planar != 1 && samples > 1:
		return 0, 0, fmt.Errorf("got planar configuration %d, want 1: one plane for each sample is not supported", planar)
	case rows == 0:
		return 0, 0, errors.New("got 0 rows per strip, want >= 1")
	}
	return samples, rows, nil
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
