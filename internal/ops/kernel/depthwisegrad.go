package kernel

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// DepthwiseGradient holds the gradients of a kernel of DepthwiseSpec, with
// respect to its input and to its filter. Its units are blocks of channels,
// each of which visits all images in order; for morphology, where a window
// looks for its winning tap, both gradients come out of one visit.
type DepthwiseGradient struct {
	Geometry   geom.Geometry
	Multiplier int
	DType      tensor.DType
	Morphology Morphology
	IgnoreNaN  bool
}

// blockChannels is how many input channels a unit covers.
const blockChannels = 8

// Units returns how many pieces of work there are for each gradient.
func (k *DepthwiseGradient) Units() int { return (k.Geometry.C + blockChannels - 1) / blockChannels }

// Scratch returns the bytes that a worker needs: a float64 for every weight of
// its channels.
func (k *DepthwiseGradient) Scratch() int {
	return 8 * k.Geometry.Taps() * min(blockChannels, k.Geometry.C) * k.Multiplier
}

// Run computes the units lo <= i < hi of the gradients with respect to the
// input and to the filter; either may be nil.
func (k *DepthwiseGradient) Run(s *Scratch, dsrc, dfilter, src, filter, upstream *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		if k.DType == tensor.Float32 {
			depthwiseGradient[float32](k, s, dsrc, dfilter, src, filter, upstream, unit)
		} else {
			depthwiseGradient[float64](k, s, dsrc, dfilter, src, filter, upstream, unit)
		}
	}
}

// visit is one unit at work: the tensors, its channels, and the sums of its
// filter gradient, [tap][channel of the block][multiplier].
type visit[F tensor.Floating] struct {
	k                      *DepthwiseGradient
	dsrc                   []F // nil when not wanted
	src, filter, upstream  []F
	total                  []float64
	c0, c1                 int
	channels, block, width int // input channels; those of the unit; results a cell
}

func depthwiseGradient[F tensor.Floating](k *DepthwiseGradient, s *Scratch, dsrcTensor, dfilterTensor, srcTensor, filterTensor, upstreamTensor *tensor.Tensor, unit int) {
	g := &k.Geometry
	v := visit[F]{k: k, src: tensor.Of[F](srcTensor), filter: tensor.Of[F](filterTensor), upstream: tensor.Of[F](upstreamTensor), channels: g.C}
	v.c0 = unit * blockChannels
	v.c1 = min(v.c0+blockChannels, g.C)
	v.block, v.width = v.c1-v.c0, g.C*k.Multiplier
	s.reset()
	v.total = take[float64](s, g.Taps()*v.block*k.Multiplier)
	clear(v.total)
	if dsrcTensor != nil {
		v.dsrc = tensor.Of[F](dsrcTensor)
		for i := v.c0; i < len(v.dsrc); i += v.channels {
			clear(v.dsrc[i : i+v.block])
		}
	}
	window := 0
	for n := range g.N {
		for z := range g.Axes[0].Out {
			for y := range g.Axes[1].Out {
				for x := range g.Axes[2].Out {
					v.window(n, [3]int{z, y, x}, window)
					window++
				}
			}
		}
	}
	if dfilterTensor == nil {
		return
	}
	dfilter := tensor.Of[F](dfilterTensor)
	row := v.block * k.Multiplier
	for tap := range g.Taps() {
		for i, sum := range v.total[tap*row : (tap+1)*row] {
			dfilter[tap*v.width+v.c0*k.Multiplier+i] = F(sum)
		}
	}
}

// window gives one window's upstream gradient to its cells and weights.
func (v *visit[F]) window(n int, o [3]int, index int) {
	upstream := v.upstream[index*v.width+v.c0*v.k.Multiplier:]
	if v.k.Morphology == Convolve {
		v.eachTap(n, o, func(tap, cell int) { v.multiply(tap, cell, upstream) })
		return
	}
	var best [blockChannels]F
	var bestTap, bestCell [blockChannels]int
	first := true
	v.eachTap(n, o, func(tap, cell int) {
		for c := range v.block {
			var value F
			if v.k.Morphology == Dilate {
				value = v.src[cell*v.channels+v.c0+c] + v.filter[tap*v.channels+v.c0+c]
			} else { // as the maximum of the negated values
				value = v.filter[v.weight(tap)*v.channels+v.c0+c] - v.src[cell*v.channels+v.c0+c]
			}
			if first || v.beats(value, best[c]) {
				best[c], bestTap[c], bestCell[c] = value, tap, cell
			}
		}
		first = false
	})
	for c := range v.block {
		if v.dsrc != nil {
			v.dsrc[bestCell[c]*v.channels+v.c0+c] += upstream[c]
		}
		if v.k.Morphology == Dilate {
			v.total[bestTap[c]*v.block+c] += float64(upstream[c])
		} else {
			v.total[v.weight(bestTap[c])*v.block+c] -= float64(upstream[c])
		}
	}
}

// weight returns the filter tap that meets the cell of a window's tap: erosion
// takes the filter in reverse order.
func (v *visit[F]) weight(tap int) int { return v.k.Geometry.Taps() - 1 - tap }

func (v *visit[F]) beats(value, best F) bool {
	if v.k.IgnoreNaN {
		return value > best || best != best && value == value
	}
	return value > best || value != value && best == best
}

// multiply is the step of one tap of a depthwise convolution.
func (v *visit[F]) multiply(tap, cell int, upstream []F) {
	m := v.k.Multiplier
	for c := range v.block {
		x := v.src[cell*v.channels+v.c0+c]
		var sum F
		for i := c * m; i < (c+1)*m; i++ {
			g := upstream[i]
			sum += g * v.filter[tap*v.width+v.c0*m+i]
			v.total[tap*v.block*m+i] += float64(x * g)
		}
		if v.dsrc != nil {
			v.dsrc[cell*v.channels+v.c0+c] += sum
		}
	}
}

// eachTap calls do for every tap of a window that lands inside the input, with
// the cell of it, counted through all images.
func (v *visit[F]) eachTap(n int, o [3]int, do func(tap, cell int)) {
	axes := &v.k.Geometry.Axes
	z0, z1 := axes[0].Span(o[0])
	y0, y1 := axes[1].Span(o[1])
	x0, x1 := axes[2].Span(o[2])
	for z := z0; z < z1; z++ {
		cellZ := n*axes[0].In + o[0]*axes[0].Stride - axes[0].Lo + z*axes[0].Dilation
		for y := y0; y < y1; y++ {
			cellY := cellZ*axes[1].In + o[1]*axes[1].Stride - axes[1].Lo + y*axes[1].Dilation
			for x := x0; x < x1; x++ {
				cell := cellY*axes[2].In + o[2]*axes[2].Stride - axes[2].Lo + x*axes[2].Dilation
				do((z*axes[1].Size+y)*axes[2].Size+x, cell)
			}
		}
	}
}
