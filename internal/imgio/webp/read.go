package webp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
	"golang.org/x/image/webp"
)

// Open reads the header of a WebP. The picture is RGB, or RGBA if the file has
// alpha. Animations are refused.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	alpha, err := hasAlpha(in)
	if err != nil {
		return raster.Header{}, nil, err
	}
	config, err := webp.DecodeConfig(in.Section())
	if err != nil {
		return raster.Header{}, nil, err
	}
	if err := o.Check(config.Width, config.Height); err != nil {
		return raster.Header{}, nil, err
	}
	channels := 3
	if alpha {
		channels = 4
	}
	info := raster.Header{Width: config.Width, Height: config.Height, Channels: channels, Depth: 8}
	// Lossless: two RGBA pictures. Lossy: 8-bit planes, two of them of half the size,
	// and the compressed data. Alpha is a lossless picture of its own.
	info.Decoding = 8 * config.Width * config.Height
	if config.ColorModel == color.YCbCrModel {
		info.Decoding = config.Width*config.Height*3/2 + int(in.Size)
	}
	return info, func(t *tensor.Tensor, _ *tensor.Progress) error {
		img, err := webp.Decode(in.Section())
		if err != nil {
			return err
		}
		if size := img.Bounds().Size(); size.X != config.Width || size.Y != config.Height {
			return fmt.Errorf("got size %v, the header says %dx%d", size, config.Width, config.Height)
		}
		switch img := img.(type) {
		case *image.YCbCr:
			convert(tensor.Of[uint8](t), channels, img)
			return nil
		case *image.NYCbCrA:
			convert(tensor.Of[uint8](t), channels, &img.YCbCr)
			if alpha {
				dst := tensor.Of[uint8](t)
				for y := range config.Height {
					for x, a := range img.A[y*img.AStride:][:config.Width] {
						dst[(y*config.Width+x)*4+3] = a
					}
				}
			}
			return nil
		default:
			return raster.Convert(t, img)
		}
	}, nil
}

// hasAlpha reads from the first chunk whether the picture has alpha. It checks the
// length that the file states.
func hasAlpha(in *input.File) (bool, error) {
	var head [25]byte // the file may be shorter, if its first chunk is
	if n, err := in.Content.ReadAt(head[:], 0); n < 20 {
		return false, err
	}
	if stated := int64(binary.LittleEndian.Uint32(head[4:])) + 8; stated > in.Size {
		return false, fmt.Errorf("got %d of %d bytes, the file is cut", in.Size, stated)
	}
	switch string(head[12:16]) {
	case "VP8X":
		if head[20]&0x02 != 0 {
			return false, errors.New("animations are not supported")
		}
		return head[20]&0x10 != 0, nil
	case "VP8L":
		return head[24]&0x10 != 0, nil
	}
	return false, nil
}

// convert converts planes to RGB as libwebp does: chroma upsampled by a triangle
// filter, ITU-R BT.601 with luma 16…235 in 14-bit fixed point. A pixel of dst has 3
// or 4 samples; the fourth is set to 255.
func convert(dst []uint8, samples int, img *image.YCbCr) {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	columns, rows := (width+1)/2, (height+1)/2
	raster.Bands(height, 16, func(lo, hi int) {
		u, v := make([]uint8, 2*columns), make([]uint8, 2*columns)
		for y := lo; y < hi; y++ {
			near := y / 2
			far := min(max(near-1+y%2*2, 0), rows-1)
			upsample(u, img.Cb[near*img.CStride:][:columns], img.Cb[far*img.CStride:][:columns])
			upsample(v, img.Cr[near*img.CStride:][:columns], img.Cr[far*img.CStride:][:columns])
			out := dst[y*width*samples:][:width*samples]
			for x, l := range img.Y[y*img.YStride:][:width] {
				luma, cb, cr := int32(l)*19077>>8, int32(u[x]), int32(v[x])
				p := out[x*samples : (x+1)*samples]
				p[0] = clamp(luma + cr*26149>>8 - 14234)
				p[1] = clamp(luma - cb*6419>>8 - cr*13320>>8 + 8708)
				p[2] = clamp(luma + cb*33050>>8 - 17685)
				if samples == 4 {
					p[3] = 255
				}
			}
		}
	})
}

func clamp(v int32) uint8 { return raster.Clamp8(v >> 6) }

// upsample doubles a row of samples from the nearest and the next nearest row, with
// weights 9, 3, 3, 1 rounded in the two steps of libwebp.
func upsample(dst, near, far []uint8) {
	last := len(near) - 1
	dst[0] = uint8((3*int(near[0]) + int(far[0]) + 2) >> 2)
	for i := range last {
		a, b := int(near[i]), int(near[i+1])
		c, d := int(far[i]), int(far[i+1])
		all := a + b + c + d + 8
		dst[2*i+1] = uint8(((all+2*(b+c))>>3 + a) >> 1)
		dst[2*i+2] = uint8(((all+2*(a+d))>>3 + b) >> 1)
	}
	dst[2*last+1] = uint8((3*int(near[last]) + int(far[last]) + 2) >> 2)
}
