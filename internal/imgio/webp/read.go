package webp

import (
	"fmt"
	"image"
	"image/color"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
	"golang.org/x/image/webp"
)

// Open reads the header of a WebP. The picture is RGB, or RGBA if the file has
// alpha. Of an animation it is the first frame on the canvas, which is transparent
// where the frame does not cover it; then the frame says whether there is alpha.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	f, err := readContainer(in)
	if err != nil {
		return raster.Header{}, nil, err
	}
	config, err := webp.DecodeConfig(f.picture())
	if err != nil {
		return raster.Header{}, nil, err
	}
	size := image.Rect(0, 0, config.Width, config.Height)
	info := raster.Header{Width: config.Width, Height: config.Height, Channels: 3, Depth: 8, Orientation: f.orientation}
	if f.animated {
		if size.Size() != f.frame.Size() || !f.frame.In(image.Rectangle{Max: f.canvas}) {
			return raster.Header{}, nil, fmt.Errorf("got first frame %v of size %v, want one within the canvas %v", f.frame, size.Size(), f.canvas)
		}
		info.Width, info.Height = f.canvas.X, f.canvas.Y
	}
	if err := o.Check(info.Width, info.Height); err != nil {
		return raster.Header{}, nil, err
	}
	covered := info.Width == config.Width && info.Height == config.Height
	if f.alpha || !covered {
		info.Channels = 4
	}
	// Lossless: two RGBA pictures. Lossy: 8-bit planes, two of them of half the size,
	// and the compressed data. Alpha is a lossless picture of its own.
	info.Decoding = 8 * config.Width * config.Height
	if config.ColorModel == color.YCbCrModel {
		info.Decoding = config.Width*config.Height*3/2 + f.compressed()
	}
	if !covered {
		info.Decoding += 4 * config.Width * config.Height
	}
	return info, func(t *tensor.Tensor, _ *tensor.Progress) error {
		img, err := webp.Decode(f.picture())
		if err != nil {
			return err
		}
		if got := img.Bounds(); got != size {
			return fmt.Errorf("got size %v, the header says %v", got.Size(), size.Size())
		}
		if covered {
			return store(t, img)
		}
		frame := tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, config.Height, config.Width, 4}})
		if err := store(frame, img); err != nil {
			return err
		}
		raster.Place(t, frame, f.frame.Min)
		return nil
	}, nil
}

// store copies a decoded picture into t, which has 3 or 4 channels.
func store(t *tensor.Tensor, img image.Image) error {
	channels := t.Shape[3]
	switch img := img.(type) {
	case *image.YCbCr:
		convert(tensor.Of[uint8](t), channels, img)
		return nil
	case *image.NYCbCrA:
		convert(tensor.Of[uint8](t), channels, &img.YCbCr)
		if channels == 4 {
			dst, width := tensor.Of[uint8](t), t.Shape[2]
			for y := range t.Shape[1] {
				for x, a := range img.A[y*img.AStride:][:width] {
					dst[(y*width+x)*4+3] = a
				}
			}
		}
		return nil
	default:
		return raster.Convert(t, img)
	}
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
