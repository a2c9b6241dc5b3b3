package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
	"golang.org/x/image/tiff"
)

// The tags that are read or written here.
const (
	tagWidth           = 256
	tagLength          = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagStripOffsets    = 273
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagPredictor       = 317
	tagExtraSamples    = 338
)

// Open reads the header of the first picture in a TIFF: grey of 1, 8 and 16 bits,
// palettes, RGB and RGBA of 8 and 16 bits. Premultiplied alpha is divided out.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	config, err := tiff.DecodeConfig(in.Section())
	if err != nil {
		return raster.Header{}, nil, err
	}
	if err := o.Check(config.Width, config.Height); err != nil {
		return raster.Header{}, nil, err
	}
	samples, rows, err := samplesAndRows(in.Section())
	if err != nil {
		return raster.Header{}, nil, err
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
	info := raster.Header{Width: config.Width, Height: config.Height, Channels: channels, Depth: depth}
	// The decoder holds grey and palettes as they are and all else as RGBA. In
	// addition it holds one strip, compressed and decompressed.
	row := config.Width * depth / 8
	info.Decoding = row*config.Height + 2*row*min(rows, config.Height)
	if channels > 1 && !isPalette {
		info.Decoding = 4*row*config.Height + 2*samples*row*min(rows, config.Height)
	}
	return info, func(t *tensor.Tensor, _ *tensor.Progress) error {
		img, err := tiff.Decode(in.Section())
		if err != nil {
			return err
		}
		if p, ok := img.(*image.Paletted); ok {
			return raster.ConvertPaletted(t, p, opaqueColours(palette))
		}
		return raster.Convert(t, img)
	}, nil
}

// samplesAndRows returns the samples per pixel and the rows per strip. It checks
// fields that the decoder ignores.
func samplesAndRows(r io.ReaderAt) (samples, rows int, err error) {
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
		case tagBitsPerSample:
			bits = int(order.Uint32(entries[4:]))
		case tagSamplesPerPixel:
			samples = value
		case tagPlanar:
			planar = value
		case tagRowsPerStrip:
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

// opaqueColours returns a palette as opaque 8-bit RGBA.
func opaqueColours(palette color.Palette) [][4]uint8 {
	colours := make([][4]uint8, len(palette))
	for i, c := range palette {
		r, g, b, _ := c.RGBA()
		colours[i] = [4]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}
	}
	return colours
}
