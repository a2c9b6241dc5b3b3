package imgio

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// volume is a tensor viewed as (N, D, H, W, C). Missing axes have extent 1.
type volume struct {
	n, d, h, w, c int
	spatial       int // the number of spatial axes that the tensor has
	tensor        *tensor.Tensor
}

// volumeOf returns the view of a tensor of that shape, without the tensor. The
// layout "" stands for the usual layout of the rank.
func volumeOf(shape tensor.Shape, layout tensor.Layout) (volume, tensor.Layout, error) {
	if layout == "" {
		l, err := tensor.DefaultLayout(len(shape))
		if err != nil {
			return volume{}, "", fmt.Errorf("as a picture: %w", err)
		}
		layout = l
	}
	if layout == tensor.NC {
		layout = tensor.HW // one row for each vector of the batch
	}
	e, err := layout.Split(shape)
	if err != nil {
		return volume{}, "", err
	}
	v := volume{n: e.N, d: 1, h: 1, c: e.C, spatial: len(e.Spatial)}
	switch s := e.Spatial; len(s) {
	case 1:
		v.w = s[0]
	case 2:
		v.h, v.w = s[0], s[1]
	default:
		v.d, v.h, v.w = s[0], s[1], s[2]
	}
	return v, layout, nil
}

// asVolume transposes a tensor of any layout to (N, D, H, W, C).
func asVolume(t *tensor.Tensor, layout tensor.Layout) (volume, error) {
	v, layout, err := volumeOf(t.Shape, layout)
	if err != nil {
		return volume{}, err
	}
	if layout.ChannelsFirst() {
		last := string(tensor.ChannelsLast(layout.Spatial()))
		t = tensor.Permuted(t, tensor.Permutation(string(layout), last))
	}
	v.tensor = t.Reshaped(tensor.Shape{v.n, v.d, v.h, v.w, v.c})
	if t.Len() == 0 {
		return volume{}, fmt.Errorf("got shape %s, want at least one value for a picture", t.Shape)
	}
	return v, nil
}

// isPicture reports whether the volume is a single picture.
func (v volume) isPicture() bool {
	return v.spatial == 2 && v.n == 1 && v.c >= 1 && v.c <= 4
}

// render converts a tensor to a picture, or to a contact sheet if it is not one.
func render(o Output) (*raster.Raster, []Note, error) {
	v, err := asVolume(o.Tensor, o.Layout)
	if err != nil {
		return nil, nil, err
	}
	depth := o.Depth
	if depth == 0 {
		depth = 8
	}
	if depth != 8 && depth != 16 {
		return nil, nil, fmt.Errorf("got depth %d, want 8 or 16", depth)
	}
	if o.Quality < 0 || o.Quality > 100 {
		return nil, nil, fmt.Errorf("got quality %d, want 1 to 100", o.Quality)
	}
	if o.Enlarge < 0 {
		return nil, nil, fmt.Errorf("got %d pixels for each value, want >= 1", o.Enlarge)
	}
	r := &raster.Raster{Width: v.w, Height: v.h, Channels: v.c, Told: o.Progress}
	var clipped levelCount
	if v.isPicture() {
		clipped = fill(r, v.tensor, depth, o.Normalize)
		r = r.Enlarged(max(1, o.Enlarge))
	} else if r, clipped, err = contactSheet(v, depth, o.Enlarge, o.Normalize); err != nil {
		return nil, nil, err
	}
	var notes []Note
	if clipped.total() > 0 {
		notes = append(notes, Note{Name: o.Name, Clipped: clipped.total(), Text: clipped.note(v.tensor.Len(), depth)})
	}
	if text, stretch := clipped.flat(v, depth); text != "" {
		notes = append(notes, Note{Name: o.Name, Text: text, Stretch: stretch})
	}
	return r, notes, nil
}

// levelCount counts values outside the range of the depth, and says how the levels
// are spread if that is worth a note.
type levelCount struct {
	outside, nan int
	spread       *spread
}

func (c levelCount) total() int { return c.outside + c.nan }

func (c levelCount) note(values, depth int) string {
	text := fmt.Sprintf("clipped %d of %d values to 0..%d", c.total(), values, 1<<depth-1)
	if c.nan > 0 {
		text += fmt.Sprintf(" (%d NaN, written as 0)", c.nan)
	}
	return text
}

// fill converts values, channels last, to the samples of the raster.
func fill(r *raster.Raster, t *tensor.Tensor, depth int, n Normalize) levelCount {
	if depth == 8 {
		if data, ok := t.Data.([]uint8); ok && n == NormalizeNone {
			r.Pix8 = data
			return levelCount{}
		}
		r.Pix8 = make([]uint8, t.Len())
		return levels(r.Pix8, t, n, r.Channels, r.Alpha())
	}
	if data, ok := t.Data.([]uint16); ok && n == NormalizeNone {
		r.Pix16 = data
		return levelCount{}
	}
	r.Pix16 = make([]uint16, t.Len())
	return levels(r.Pix16, t, n, r.Channels, r.Alpha())
}

// stretch maps a value v of one channel to the level (pre*v - lo) / span * most.
// pre is 0.5 if the span of the values overflows float64, else 1.
type stretch struct{ pre, lo, span, most float64 }

func (s stretch) level(v float64) float64 { return (s.pre*v - s.lo) / s.span * s.most }

// stretchOf returns the mapping of each channel. All channels share one, except
// alpha, which is not stretched.
func stretchOf(t *tensor.Tensor, n Normalize, channels int, alpha bool, most float64) []stretch {
	same := stretch{pre: 1, span: most, most: most}
	s := same
	if n != NormalizeNone {
		lo, hi := extremes(t, channels, alpha)
		if n == NormalizeSymmetric {
			hi = max(-lo, hi)
			lo = -hi
		}
		s = stretch{pre: 1, lo: lo, span: hi - lo, most: most}
		if math.IsInf(s.span, 0) {
			s = stretch{pre: 0.5, lo: lo / 2, span: hi/2 - lo/2, most: most}
		}
		if s.span == 0 { // all values are equal: black, or mid-grey if symmetric
			s.span = 1
			if n == NormalizeSymmetric {
				s.lo = -0.5
			}
		}
	}
	all := make([]stretch, channels)
	for i := range all {
		all[i] = s
	}
	if alpha {
		all[channels-1] = same
	}
	return all
}

// extremes returns the smallest and the largest finite value, without alpha, or
// zeros if there is none.
func extremes(t *tensor.Tensor, channels int, alpha bool) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for i := range t.Len() {
		if alpha && i%channels == channels-1 {
			continue
		}
		if v := t.At(i); v >= -math.MaxFloat64 && v <= math.MaxFloat64 {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo > hi {
		return 0, 0
	}
	return lo, hi
}

// levels writes the rounded and clipped level of each value.
func levels[D uint8 | uint16](dst []D, t *tensor.Tensor, n Normalize, channels int, alpha bool) levelCount {
	c := stretched(dst, t, stretchOf(t, n, channels, alpha, float64(^D(0))))
	if n == NormalizeNone && !isLevels(t.DType) {
		c.spread = spreadOf(dst, channels, alpha)
	}
	return c
}

func stretched[D uint8 | uint16](dst []D, t *tensor.Tensor, s []stretch) levelCount {
	t, _ = tensor.Converted(t, t.DType.Real())
	return tensor.PerReal(levelsOf[D, uint8], levelsOf[D, int8], levelsOf[D, uint16], levelsOf[D, int16],
		levelsOf[D, uint32], levelsOf[D, int32], levelsOf[D, uint64], levelsOf[D, int64],
		levelsOf[D, float32], levelsOf[D, float64]).For(t.DType)(dst, t, s)
}

func levelsOf[D uint8 | uint16, S tensor.Real](dst []D, t *tensor.Tensor, s []stretch) levelCount {
	src := tensor.Of[S](t)
	var outside, nan atomic.Int64
	channels := len(s)
	raster.Bands(len(src)/channels, 1<<16, func(lo, hi int) {
		var clipped, nans int64
		for c, s := range s {
			plain := s.pre == 1 && s.lo == 0 && s.span == s.most
			for i := lo*channels + c; i < hi*channels; i += channels {
				v := float64(src[i])
				if !plain {
					v = s.level(v)
				}
				switch v = math.RoundToEven(v); {
				case v >= 0 && v <= s.most:
					dst[i] = D(v)
				case v > s.most:
					dst[i] = D(s.most)
					clipped++
				case v < 0:
					dst[i] = 0
					clipped++
				default:
					dst[i] = 0
					nans++
				}
			}
		}
		outside.Add(clipped)
		nan.Add(nans)
	})
	return levelCount{outside: int(outside.Load()), nan: int(nan.Load())}
}
