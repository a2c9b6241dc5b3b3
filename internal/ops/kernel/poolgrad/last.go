package poolgrad

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// LastWinner is the gradient of maximum or minimum pooling that goes to the last
// of equal winners, for windows of any size. It looks at every cell of every
// window. (Winners finds the last ones of small windows.)
type LastWinner struct {
	Geometry      geom.Geometry
	ChannelsFirst bool
	Minimum       bool
	IgnoreNaN     bool
	DType         tensor.DType // Float32 or Float64
}

// channelsOf is how many channels a unit covers: enough for whole cache lines.
const channelsOf = 32

func (k *LastWinner) layout() (images, inner, blocks int) {
	images, inner = k.Geometry.N, k.Geometry.C
	if k.ChannelsFirst {
		images, inner = images*inner, 1
	}
	return images, inner, (inner + channelsOf - 1) / channelsOf
}

// Units returns how many pieces of work there are: images by blocks of
// channels.
func (k *LastWinner) Units() int {
	images, _, blocks := k.layout()
	return images * blocks
}

// Run computes the units lo <= i < hi.
func (k *LastWinner) Run(dst, upstream, src *tensor.Tensor, lo, hi int) {
	if k.DType == tensor.Float32 {
		lastWinners[float32](k, dst, upstream, src, lo, hi)
		return
	}
	lastWinners[float64](k, dst, upstream, src, lo, hi)
}

func lastWinners[F tensor.Floating](k *LastWinner, dstTensor, upstreamTensor, srcTensor *tensor.Tensor, lo, hi int) {
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
						lastWindow(k, dst, src, [3]int{z, y, x}, inner, c, upstream[at+c])
					}
					at += inner
				}
			}
		}
	}
}

// lastWindow gives one window's gradient to its last winner.
func lastWindow[F tensor.Floating](k *LastWinner, dst, src []F, o [3]int, inner, c int, g F) {
	var best F
	last := -1
	eachCell(&k.Geometry, o, func(cell int) {
		v := src[cell*inner+c]
		if last < 0 || v == best || v != v && best != best || k.beats(float64(v), float64(best)) {
			best, last = v, cell
		}
	})
	dst[last*inner+c] += g
}

// beats reports whether v replaces the best so far.
func (k *LastWinner) beats(v, best float64) bool {
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
