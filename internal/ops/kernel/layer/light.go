package layer

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Light converts integer samples from sRGB to linear light in float32, and
// back to the nearest level, half to even. The transfer function is that of IEC
// 61966-2-1. Its first part is a straight line, so the unit is the light of
// level 1: dark levels are whole numbers, and halves between them are exact.
// Alpha is no light: it is copied.
type Light struct {
	levels  int // of a sample
	period  int // elements after which colour samples follow alpha again
	colours int // colour samples at the beginning of a period; alpha fills the rest
}

// NewLight plans it for samples of type Uint8 or Uint16 with channels along
// the lanes. The last of 2 or 4 channels is alpha.
func NewLight(d tensor.DType, channels Lanes) Light {
	k := Light{levels: 1 << (8 * d.Size()), period: math.MaxInt, colours: math.MaxInt}
	if n := channels.Extent; n == 2 || n == 4 {
		k.period, k.colours = n*channels.Inner, (n-1)*channels.Inner
	}
	return k
}

// Levels returns the length of the table that Decode reads.
func (k Light) Levels() int { return k.levels }

// Edges returns the length of the table that Encode reads.
func (k Light) Edges() int { return k.levels + 1 }

// FillLevels writes the linear light of every level to a float32 table.
func (k Light) FillLevels(table *tensor.Tensor) {
	for i := range tensor.Of[float32](table) {
		tensor.Of[float32](table)[i] = float32(k.linear(float64(i)))
	}
}

// FillEdges writes the least number that is encoded as each level, and last
// the least that is too large for all of them.
func (k Light) FillEdges(table *tensor.Tensor) {
	for level := range tensor.Of[float32](table) {
		edge := k.linear(float64(level) - 0.5)
		least := float32(edge)
		if float64(least) < edge || float64(least) == edge && level%2 == 1 { // a half goes to the even level
			least = math.Nextafter32(least, math.MaxFloat32)
		}
		tensor.Of[float32](table)[level] = least
	}
}

// darkest is the end of the straight part of the transfer function, as a share
// of the brightest level; slope is its slope there.
const (
	darkest = 0.04045
	slope   = 12.92
)

// linear returns the light of a level, which may lie between two whole ones or
// half a level outside.
func (k Light) linear(level float64) float64 {
	white := float64(k.levels - 1)
	if level <= darkest*white {
		return level
	}
	return slope * white * math.Pow((level/white+0.055)/1.055, 2.4)
}

// run returns where the run of colour samples, or of alpha, that holds element
// i ends, at most hi.
func (k Light) run(i, hi int) (end int, colour bool) {
	at := i % k.period
	if at < k.colours {
		return min(hi, i+(k.colours-at)), true
	}
	return min(hi, i+(k.period-at)), false
}

// Decode converts the elements lo <= i < hi of src to float32.
func (k Light) Decode(dst, src, levels *tensor.Tensor, lo, hi int) {
	to, table := tensor.Of[float32](dst), tensor.Of[float32](levels)
	switch from := src.Data.(type) {
	case []uint8:
		decodeLight(k, to, from, table, lo, hi)
	case []uint16:
		decodeLight(k, to, from, table, lo, hi)
	}
}

// Encode converts the elements lo <= i < hi of src, of type float32, to the
// nearest levels. It returns how many of them no level stands for.
func (k Light) Encode(dst, src, edges *tensor.Tensor, lo, hi int) (clipped int) {
	from, table := tensor.Of[float32](src), tensor.Of[float32](edges)
	for i := lo; i < hi; {
		end, colour := k.run(i, hi)
		if !colour {
			clipped += tensor.ConvertRange(dst, src, i, end)
			i = end
			continue
		}
		switch to := dst.Data.(type) {
		case []uint8:
			clipped += encodeLight(to[i:end], from[i:end], table)
		case []uint16:
			clipped += encodeLight(to[i:end], from[i:end], table)
		}
		i = end
	}
	return clipped
}

func decodeLight[S uint8 | uint16](k Light, dst []float32, src []S, levels []float32, lo, hi int) {
	for i := lo; i < hi; {
		end, colour := k.run(i, hi)
		for ; i < end; i++ {
			if colour {
				dst[i] = levels[src[i]]
			} else {
				dst[i] = float32(src[i])
			}
		}
	}
}

// encodeLight finds each level by halving, as their number is a power of two.
func encodeLight[S uint8 | uint16](dst []S, src, edges []float32) (clipped int) {
	last := len(edges) - 1
	for i, v := range src {
		level := 0
		for step := last / 2; step > 0; step /= 2 {
			if v >= edges[level+step] {
				level += step
			}
		}
		dst[i] = S(level)
		if v < edges[0] || v >= edges[last] {
			clipped++
		}
	}
	return clipped
}
