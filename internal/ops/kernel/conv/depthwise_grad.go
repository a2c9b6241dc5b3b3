package conv

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// DepthwiseGradient computes the gradients of a DepthwiseSpec with respect to its
// input and its filter. A unit is a block of channels, and visits all images in
// order. One visit computes both gradients: in morphology each window must look for
// its winning tap.
type DepthwiseGradient struct {
	Geometry   geom.Geometry
	Multiplier int
	DType      tensor.DType
	Morphology Morphology
	IgnoreNaN  bool
}

// blockChannels is how many input channels a unit covers.
const blockChannels = 8

// Units returns the number of units of each gradient.
func (k *DepthwiseGradient) Units() int { return (k.Geometry.C + blockChannels - 1) / blockChannels }

// Scratch returns the bytes that a worker needs: a float64 for every weight of its
// channels, and a landing for every tap.
func (k *DepthwiseGradient) Scratch() int {
	return 8*k.Geometry.Taps()*min(blockChannels, k.Geometry.C)*k.Multiplier + 8*kernel.Words[landing](k.Geometry.Taps())
}

// Run computes the units lo <= i < hi of the gradients with respect to the
// input and to the filter; either may be nil.
func (k *DepthwiseGradient) Run(s *kernel.Scratch, dsrc, dfilter, src, filter, upstream *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		if k.DType == tensor.Float32 {
			depthwiseGradient[float32](k, s, dsrc, dfilter, src, filter, upstream, unit)
		} else {
			depthwiseGradient[float64](k, s, dsrc, dfilter, src, filter, upstream, unit)
		}
	}
}

// visit is a unit being computed: the tensors, its channels, and the sums of its
// filter gradient, [tap][channel of the block][multiplier].
type visit[F tensor.Floating] struct {
	k                      *DepthwiseGradient
	dsrc                   []F // nil when not wanted
	src, filter, upstream  []F
	total                  []float64 // nil when not wanted
	landed                 []landing // room for every tap
	c0, c1                 int
	channels, block, width int // input channels; those of the unit; results a cell
}

// landing is a tap of a window that meets the input, and the cell that it
// meets, counted through all images.
type landing struct{ tap, cell int }

func depthwiseGradient[F tensor.Floating](k *DepthwiseGradient, s *kernel.Scratch, dsrcTensor, dfilterTensor, srcTensor, filterTensor, upstreamTensor *tensor.Tensor, unit int) {
	g := &k.Geometry
	v := visit[F]{k: k, src: tensor.Of[F](srcTensor), filter: tensor.Of[F](filterTensor), upstream: tensor.Of[F](upstreamTensor), channels: g.C}
	v.c0 = unit * blockChannels
	v.c1 = min(v.c0+blockChannels, g.C)
	v.block, v.width = v.c1-v.c0, g.C*k.Multiplier
	s.Reset()
	v.landed = kernel.Take[landing](s, g.Taps())
	if dfilterTensor != nil {
		v.total = kernel.Take[float64](s, g.Taps()*v.block*k.Multiplier)
		clear(v.total)
	}
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
	m := v.k.Multiplier
	upstream := v.upstream[index*v.width+v.c0*m:][:v.block*m]
	landed := v.land(n, o)
	if v.k.Morphology != Convolve {
		v.toWinners(landed, upstream)
		return
	}
	for _, l := range landed {
		if v.dsrc != nil {
			weigh(v.dsrc[l.cell*v.channels+v.c0:][:v.block], v.filter[l.tap*v.width+v.c0*m:][:len(upstream)], upstream)
		}
		if v.total != nil {
			correlate(v.total[l.tap*len(upstream):][:len(upstream)], v.src[l.cell*v.channels+v.c0:][:v.block], upstream)
		}
	}
}

// land lists the taps of a window that meet the input, in order.
func (v *visit[F]) land(n int, o [3]int) []landing {
	axes := &v.k.Geometry.Axes
	z0, z1 := axes[0].Span(o[0])
	y0, y1 := axes[1].Span(o[1])
	x0, x1 := axes[2].Span(o[2])
	count := 0
	for z := z0; z < z1; z++ {
		cellZ := n*axes[0].In + o[0]*axes[0].Stride - axes[0].Lo + z*axes[0].Dilation
		for y := y0; y < y1; y++ {
			cellY := cellZ*axes[1].In + o[1]*axes[1].Stride - axes[1].Lo + y*axes[1].Dilation
			cell := cellY*axes[2].In + o[2]*axes[2].Stride - axes[2].Lo + x0*axes[2].Dilation
			row := v.landed[count:][:x1-x0]
			for i := range row {
				row[i] = landing{(z*axes[1].Size+y)*axes[2].Size + x0 + i, cell + i*axes[2].Dilation}
			}
			count += len(row)
		}
	}
	return v.landed[:count]
}

// weigh adds what one window sends to a cell to the cell's gradient: for each
// channel, the sum over its results of weight times upstream gradient.
func weigh[F tensor.Floating](dst, weights, upstream []F) {
	if len(dst) == len(upstream) { // one result a channel
		for c, g := range upstream {
			dst[c] += g * weights[c]
		}
		return
	}
	m := len(upstream) / len(dst)
	for c := range dst {
		var sum F
		for i, g := range upstream[c*m : (c+1)*m] {
			sum += g * weights[c*m+i]
		}
		dst[c] += sum
	}
}

// correlate adds what one window sends to a tap's weights to their sums: the cell
// times the upstream gradient.
func correlate[F tensor.Floating](sums []float64, cell, upstream []F) {
	if len(cell) == len(upstream) { // one result a channel
		for c, g := range upstream {
			sums[c] += float64(cell[c] * g)
		}
		return
	}
	m := len(upstream) / len(cell)
	for c, x := range cell {
		for i := c * m; i < (c+1)*m; i++ {
			sums[i] += float64(x * upstream[i])
		}
	}
}

// toWinners is window for morphology: the whole upstream gradient goes to the tap
// whose cell and weight gave the result.
func (v *visit[F]) toWinners(landed []landing, upstream []F) {
	var best [blockChannels]F
	var winner [blockChannels]landing
	for i, l := range landed {
		cells, negated := v.src[l.cell*v.channels+v.c0:][:v.block], v.k.Morphology == Erode
		tap := l.tap
		if negated {
			tap = v.weight(tap)
		}
		weights := v.filter[tap*v.channels+v.c0:][:v.block]
		for c, value := range cells {
			if negated { // the minimum of x - f as the maximum of f - x
				value = weights[c] - value
			} else {
				value += weights[c]
			}
			if i == 0 || v.beats(value, best[c]) {
				best[c], winner[c] = value, landing{tap, l.cell}
			}
		}
	}
	for c, g := range upstream {
		if v.dsrc != nil {
			v.dsrc[winner[c].cell*v.channels+v.c0+c] += g
		}
		if v.total == nil {
			continue
		}
		if v.k.Morphology == Erode {
			g = -g
		}
		v.total[winner[c].tap*v.block+c] += float64(g)
	}
}

// weight returns the filter tap that belongs to a window's tap. Erosion takes the
// filter in reverse order.
func (v *visit[F]) weight(tap int) int { return v.k.Geometry.Taps() - 1 - tap }

func (v *visit[F]) beats(value, best F) bool {
	if v.k.IgnoreNaN {
		return value > best || best != best && value == value
	}
	return value > best || value != value && best == best
}
