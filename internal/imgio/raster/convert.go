package raster

import (
	"encoding/binary"
	"fmt"
	"image"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Convert copies a decoded image into t, which must have its size and depth.
// Premultiplied alpha is divided out. Samples for which t has no channel, such as
// the alpha of opaque images, are dropped.
func Convert(t *tensor.Tensor, img image.Image) error {
	size := img.Bounds().Size()
	if size.Y != t.Shape[1] || size.X != t.Shape[2] {
		return fmt.Errorf("got size %v, the header says %dx%d", size, t.Shape[2], t.Shape[1])
	}
	switch img := img.(type) {
	case *image.Gray:
		copyRows(t, img.Pix, img.Stride, 1)
	case *image.NRGBA:
		copyRows(t, img.Pix, img.Stride, 4)
	case *image.RGBA:
		copyRows(t, img.Pix, img.Stride, 4)
		if t.Shape[3] == 4 {
			Unpremultiply(tensor.Of[uint8](t), 4)
		}
	case *image.Gray16:
		copyRows16(t, img.Pix, img.Stride, 1)
	case *image.NRGBA64:
		copyRows16(t, img.Pix, img.Stride, 4)
	case *image.RGBA64:
		copyRows16(t, img.Pix, img.Stride, 4)
		if t.Shape[3] == 4 {
			Unpremultiply(tensor.Of[uint16](t), 4)
		}
	default:
		return fmt.Errorf("decoded to %T, which is not supported", img)
	}
	return nil
}

// copyRows copies pixels of so many samples, of which t takes the first ones.
func copyRows(t *tensor.Tensor, pix []uint8, stride, samples int) {
	dst := tensor.Of[uint8](t)
	height, width, channels := t.Shape[1], t.Shape[2], t.Shape[3]
	Bands(height, 64, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			row, out := pix[y*stride:][:width*samples], dst[y*width*channels:][:width*channels]
			if samples == channels {
				copy(out, row)
				continue
			}
			for x := range width {
				copy(out[x*channels:(x+1)*channels], row[x*samples:])
			}
		}
	})
}

// copyRows16 is copyRows for big-endian 16-bit samples.
func copyRows16(t *tensor.Tensor, pix []uint8, stride, samples int) {
	dst := tensor.Of[uint16](t)
	height, width, channels := t.Shape[1], t.Shape[2], t.Shape[3]
	Bands(height, 64, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			row, out := pix[y*stride:][:2*width*samples], dst[y*width*channels:][:width*channels]
			for x := range width {
				for c := range channels {
					out[x*channels+c] = binary.BigEndian.Uint16(row[2*(x*samples+c):])
				}
			}
		}
	})
}

// Unpremultiply divides the colours of pixels by their last channel, alpha, rounding
// to the nearest level.
func Unpremultiply[T uint8 | uint16](pix []T, channels int) {
	most := uint32(^T(0))
	for i := 0; i < len(pix); i += channels {
		last := i + channels - 1
		alpha := uint32(pix[last])
		for c := i; c < last; c++ {
			if alpha == 0 {
				pix[c] = 0
			} else {
				pix[c] = T(min(most, (uint32(pix[c])*most+alpha/2)/alpha))
			}
		}
	}
}

// ConvertPaletted copies a paletted image into t, which has 3 or 4 channels. colours
// are RGBA.
func ConvertPaletted(t *tensor.Tensor, img *image.Paletted, colours [][4]uint8) error {
	dst := tensor.Of[uint8](t)
	width, channels := t.Shape[2], t.Shape[3]
	for y := range t.Shape[1] {
		row := img.Pix[y*img.Stride:][:width]
		for x, i := range row {
			if int(i) >= len(colours) {
				return fmt.Errorf("row %d: got palette index %d, want < %d", y, i, len(colours))
			}
			copy(dst[(y*width+x)*channels:][:channels], colours[i][:])
		}
	}
	return nil
}

// Place copies a part into a picture of the same type and channels, its first
// pixel to the point at.
func Place(t, part *tensor.Tensor, at image.Point) {
	pixel := t.Shape[3] * t.DType.Size()
	src, dst := tensor.Bytes(part), tensor.Bytes(t)
	row := part.Shape[2] * pixel
	for y := range part.Shape[1] {
		copy(dst[((at.Y+y)*t.Shape[2]+at.X)*pixel:][:row], src[y*row:])
	}
}
