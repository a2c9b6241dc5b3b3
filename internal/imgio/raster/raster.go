package raster

import (
	"image"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Raster is a picture to encode: Height × Width pixels of 1 to 4 channels (grey,
// grey and alpha, RGB, RGBA; straight alpha), row by row. Pix8 is set for 8 bits,
// Pix16 for 16.
type Raster struct {
	Width, Height, Channels int
	Pix8                    []uint8
	Pix16                   []uint16
	Told                    *tensor.Progress // how many samples are ready; nil: all
}

// Depth returns the bits per sample.
func (r *Raster) Depth() int {
	if r.Pix16 != nil {
		return 16
	}
	return 8
}

// Alpha reports whether the last channel is alpha.
func (r *Raster) Alpha() bool { return r.Channels == 2 || r.Channels == 4 }

// To8 returns the raster with 8 bits per sample, rounding v/257.
func (r *Raster) To8() *Raster {
	if r.Pix16 == nil {
		return r
	}
	out := &Raster{Width: r.Width, Height: r.Height, Channels: r.Channels, Pix8: make([]uint8, len(r.Pix16))}
	Bands(len(r.Pix16), 1<<18, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out.Pix8[i] = uint8((uint32(r.Pix16[i]) + 128) / 257)
		}
	})
	return out
}

// RGB returns the raster with grey repeated for red, green and blue; alpha stays.
func (r *Raster) RGB() *Raster {
	if r.Channels > 2 {
		return r
	}
	out := &Raster{Width: r.Width, Height: r.Height, Channels: r.Channels + 2}
	if r.Pix16 != nil {
		out.Pix16 = tripled(r.Pix16, r.Channels)
	} else {
		out.Pix8 = tripled(r.Pix8, r.Channels)
	}
	return out
}

// Enlarged returns the raster with each pixel as a square of n × n pixels.
func (r *Raster) Enlarged(n int) *Raster {
	if n == 1 {
		return r
	}
	out := &Raster{Width: n * r.Width, Height: n * r.Height, Channels: r.Channels}
	if r.Pix16 != nil {
		out.Pix16 = enlarged(r.Pix16, r, n)
	} else {
		out.Pix8 = enlarged(r.Pix8, r, n)
	}
	return out
}

func enlarged[T uint8 | uint16](pix []T, r *Raster, n int) []T {
	from, to := r.Width*r.Channels, r.Width*n*r.Channels // samples of a row
	out := make([]T, r.Height*n*to)
	Bands(r.Height, max(1, 1<<16/(n*to)), func(lo, hi int) {
		for y := lo; y < hi; y++ {
			rows := out[y*n*to : (y+1)*n*to]
			at := 0
			for x := 0; x < from; x += r.Channels {
				for range n {
					at += copy(rows[at:to], pix[y*from+x:][:r.Channels])
				}
			}
			for k := 1; k < n; k++ {
				copy(rows[k*to:(k+1)*to], rows[:to])
			}
		}
	})
	return out
}

func tripled[T uint8 | uint16](pix []T, channels int) []T {
	out := make([]T, 0, len(pix)/channels*(channels+2))
	for i := 0; i < len(pix); i += channels {
		out = append(out, pix[i], pix[i])
		out = append(out, pix[i:i+channels]...)
	}
	return out
}

// Image returns an 8-bit raster of 1, 3 or 4 channels as an image.Image.
func (r *Raster) Image() image.Image {
	rect := image.Rect(0, 0, r.Width, r.Height)
	switch r.Channels {
	case 1:
		return &image.Gray{Pix: r.Pix8, Stride: r.Width, Rect: rect}
	case 4:
		return &image.NRGBA{Pix: r.Pix8, Stride: 4 * r.Width, Rect: rect}
	}
	img := image.NewRGBA(rect) // opaque, so premultiplied or not is the same
	Bands(r.Width*r.Height, 1<<16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p := r.Pix8[3*i : 3*i+3]
			q := img.Pix[4*i : 4*i+4]
			q[0], q[1], q[2], q[3] = p[0], p[1], p[2], 255
		}
	})
	return img
}

// Clamp8 brings a level into 0…255.
func Clamp8(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31)
	}
	return uint8(v)
}
