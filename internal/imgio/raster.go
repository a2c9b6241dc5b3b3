package imgio

import "github.com/poolctl/poolctl/internal/tensor"

// raster is a picture to be encoded: height rows of width pixels of 1 to 4
// channels (grey, grey+alpha, RGB, RGBA; alpha straight). One of pix8 and pix16
// is set, as the depth has it.
type raster struct {
	width, height, channels int
	pix8                    []uint8
	pix16                   []uint16
	told                    *tensor.Progress // of the samples, while they are being written
}

// depth returns the bits per sample.
func (r *raster) depth() int {
	if r.pix16 != nil {
		return 16
	}
	return 8
}

// alpha reports whether the last channel is alpha.
func (r *raster) alpha() bool { return r.channels == 2 || r.channels == 4 }

// to8 returns the raster with 8 bits: of 16, the nearest v/257.
func (r *raster) to8() *raster {
	if r.pix16 == nil {
		return r
	}
	out := &raster{width: r.width, height: r.height, channels: r.channels, pix8: make([]uint8, len(r.pix16))}
	bands(len(r.pix16), 1<<18, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out.pix8[i] = to8(r.pix16[i])
		}
	})
	return out
}

func to8(v uint16) uint8 { return uint8((uint32(v) + 128) / 257) }

// rgb returns the raster with grey tripled; an alpha channel stays.
func (r *raster) rgb() *raster {
	if r.channels > 2 {
		return r
	}
	out := &raster{width: r.width, height: r.height, channels: r.channels + 2}
	if r.pix16 != nil {
		out.pix16 = tripled(r.pix16, r.channels)
	} else {
		out.pix8 = tripled(r.pix8, r.channels)
	}
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
