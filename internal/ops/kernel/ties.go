package kernel

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Ties says which of several equal maxima get the gradient.
type Ties uint8

// The rules. SplitTies gives each an equal part, AllTies each the whole.
const (
	FirstTie Ties = iota
	LastTie
	AllTies
	SplitTies
)

// TieGradient is the gradient of maximum or minimum pooling under a rule that
// needs to know all the winners of a window. It looks at every cell of every
// window. (FirstTie is the argmax kernel and Unpool instead.)
type TieGradient struct {
	Geometry      geom.Geometry
	ChannelsFirst bool
	Minimum       bool
	IgnoreNaN     bool
	Rule          Ties
	DType         tensor.DType // Float32 or Float64
}

func (k *TieGradient) layout() (images, inner, blocks int) {
	images, inner = k.Geometry.N, k.Geometry.C
	if k.ChannelsFirst {
		images, inner = images*inner, 1
	}
	return images, inner, (inner + channelsOf - 1) / channelsOf
}

// Units returns how many pieces of work there are: images by blocks of
// channels.
func (k *TieGradient) Units() int {
	images, _, blocks := k.layout()
	return images * blocks
}

// Run computes the units lo <= i < hi.
func (k *TieGradient) Run(dst, upstream, src *tensor.Tensor, lo, hi int) {
	if k.DType == tensor.Float32 {
		tieGradient[float32](k, dst, upstream, src, lo, hi)
		return
	}
	tieGradient[float64](k, dst, upstream, src, lo, hi)
}

func tieGradient[F tensor.Floating](k *TieGradient, dstTensor, upstreamTensor, srcTensor *tensor.Tensor, lo, hi int) {
	axes := &k.Geometry.Axes
	_, inner, blocks := k.layout()
	in := axes[0].In * axes[1].In * axes[2].In * inner
	out := axes[0].Out * axes[1].Out * axes[2].Out * inner
	for unit := lo; unit < hi; unit++ {
		image, c0 := unit/blocks, unit%blocks*channelsOf
		c1 := min(c0+channelsOf, inner)
		src, dst := tensor.Of[F](srcTensor)[image*in:][:in], tensor.Of[F](dstTensor)[image*in:][:in]
		upstream := tensor.Of[F](upstreamTensor)[image*out:][:out]
		for i := 0; i < in; i += inner {
			clear(dst[i+c0 : i+c1])
		}
		at := 0
		for z := range axes[0].Out {
			for y := range axes[1].Out {
				for x := range axes[2].Out {
					for c := c0; c < c1; c++ {
						tieWindow(k, dst, src, [3]int{z, y, x}, inner, c, upstream[at+c])
					}
					at += inner
				}
			}
		}
	}
}

// tieWindow gives one window's gradient to its winners.
func tieWindow[F tensor.Floating](k *TieGradient, dst, src []F, o [3]int, inner, c int, g F) {
	var best F
	winners, last := 0, 0
	eachCell(&k.Geometry, o, func(cell int) {
		v := src[cell*inner+c]
		switch {
		case winners == 0 || k.beats(float64(v), float64(best)):
			best, winners, last = v, 1, cell
		case v == best || v != v && best != best:
			winners, last = winners+1, cell
		}
	})
	switch k.Rule {
	case LastTie:
		dst[last*inner+c] += g
		return
	case SplitTies:
		g /= F(winners)
	}
	eachCell(&k.Geometry, o, func(cell int) {
		if v := src[cell*inner+c]; v == best || v != v && best != best {
			dst[cell*inner+c] += g
		}
	})
}

// beats reports whether v replaces the best so far.
func (k *TieGradient) beats(v, best float64) bool {
	if v != v || best != best {
		if k.IgnoreNaN {
			return best != best && v == v
		}
		return v != v && best == best
	}
	if k.Minimum {
		return v < best
	}
	return v > best
}

// eachCell calls do for every real cell of a window, in row-major order, with
// its index within the plane.
func eachCell(g *geom.Geometry, o [3]int, do func(cell int)) {
	z0, nz := g.Axes[0].Cells(o[0])
	y0, ny := g.Axes[1].Cells(o[1])
	x0, nx := g.Axes[2].Cells(o[2])
	for z := range nz {
		for y := range ny {
			row := ((z0+z*g.Axes[0].Dilation)*g.Axes[1].In + y0 + y*g.Axes[1].Dilation) * g.Axes[2].In
			for x := range nx {
				do(row + x0 + x*g.Axes[2].Dilation)
			}
		}
	}
}
