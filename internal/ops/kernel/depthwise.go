package kernel

import (
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// DepthwiseSpec says what a kernel computes that meets each channel with
// weights of its own, over channels-last data: depthwise convolution, and the
// dilation and erosion of grey morphology.
type DepthwiseSpec struct {
	Gather     [3]geom.Gather // depth, height, width; forward
	N, C       int
	Multiplier int          // results a channel: channel c makes c*Multiplier + m
	DType      tensor.DType // Float32 or Float64: source, filter, bias and destination
	Bias       bool
	Morphology Morphology
	IgnoreNaN  bool // of Dilate and Erode
}

// Morphology says how a tap's weight meets its cell and what is done with the
// results.
type Morphology uint8

// Convolve is Σ x·w. Dilate is max(x + w). Erode is min(x - w) with the
// weights in reverse order, as tf.nn.erosion2d has it.
const (
	Convolve Morphology = iota
	Dilate
	Erode
)

// Depthwise is a planned kernel; its filter is packed into Packed numbers.
type Depthwise struct {
	Packed  int
	Units   int
	Scratch int
	Impl    string
	pack    func(packed, filter *tensor.Tensor)
	run     func(s *Scratch, dst, src, packed, bias *tensor.Tensor, unit int)
}

// Pack brings the filter, [tap][channel][multiplier], into the order in which
// Run reads it.
func (d *Depthwise) Pack(packed, filter *tensor.Tensor) { d.pack(packed, filter) }

// Run computes the units lo <= u < hi; bias is nil unless it was planned.
func (d *Depthwise) Run(s *Scratch, dst, src, packed, bias *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		d.run(s, dst, src, packed, bias, unit)
	}
}

// NewDepthwise plans a kernel.
func NewDepthwise(spec DepthwiseSpec) *Depthwise {
	if spec.DType == tensor.Float32 {
		return newDepthwise[float32](spec)
	}
	return newDepthwise[float64](spec)
}

// patternOf is about how many numbers of a row are met by one call: the weights
// of a tap are repeated to that length, so that pictures of few channels do not
// cost a call for each pixel.
const patternOf = 96

func newDepthwise[F tensor.Floating](spec DepthwiseSpec) *Depthwise {
	k := &depthwise[F]{DepthwiseSpec: spec, channels: spec.C * spec.Multiplier, rows: newRows(&spec.Gather), repeat: 1}
	if k.Gather[2].Stride == 1 && spec.Multiplier == 1 && spec.C > 0 {
		k.repeat = max(1, patternOf/spec.C)
	}
	k.taps = spec.Gather[0].Size * spec.Gather[1].Size * spec.Gather[2].Size
	k.merge = mergeMax[F]
	switch {
	case spec.Morphology == Dilate && spec.IgnoreNaN:
		k.merge = mergeMaxIgnoreNaN[F]
	case spec.Morphology == Erode && spec.IgnoreNaN:
		k.merge = mergeMinIgnoreNaN[F]
	case spec.Morphology == Erode:
		k.merge = mergeMin[F]
	}
	return &Depthwise{
		Packed:  k.taps*k.channels*k.repeat + 1,
		Units:   spec.N * k.rows.units(),
		Scratch: 8 * scratchWords[F](k.channels*k.repeat),
		Impl:    "direct rows, go",
		pack:    k.pack,
		run:     k.run,
	}
}

// depthwise is a planned kernel. Its packed filter is [tap][repeat][channel]
// and then a number that is not 0 when a weight is infinite or NaN.
type depthwise[F tensor.Floating] struct {
	DepthwiseSpec
	channels int // of the destination
	taps     int
	repeat   int // destinations met by one call
	rows     rows
	merge    merger[F]
}

func (k *depthwise[F]) pack(packedTensor, filterTensor *tensor.Tensor) {
	packed, filter := tensor.Of[F](packedTensor), tensor.Of[F](filterTensor)
	packed[len(packed)-1] = 0
	for t := range k.taps {
		weights := filter[t*k.channels:][:k.channels]
		if k.Morphology == Erode {
			weights = filter[(k.taps-1-t)*k.channels:][:k.channels]
		}
		for r := range k.repeat {
			copy(packed[(t*k.repeat+r)*k.channels:], weights)
		}
		for _, w := range weights {
			if v := float64(w); math.IsNaN(v) || math.IsInf(v, 0) {
				packed[len(packed)-1] = 1
			}
		}
	}
}

func (k *depthwise[F]) run(s *Scratch, dstTensor, srcTensor, packedTensor, biasTensor *tensor.Tensor, unit int) {
	packed := tensor.Of[F](packedTensor)
	s.reset()
	part := take[F](s, k.channels*k.repeat)
	at := k.rows.at(unit)
	z, y := k.Gather[0].At(at.z), k.Gather[1].At(at.y)
	image := k.Gather[0].Src * k.Gather[1].Src * k.Gather[2].Src * k.C
	src := tensor.Of[F](srcTensor)[at.image*image : (at.image+1)*image]
	row := ((at.image*k.Gather[0].Dst+at.z)*k.Gather[1].Dst + at.y) * k.Gather[2].Dst
	dst := tensor.Of[F](dstTensor)[row*k.channels : (row+k.Gather[2].Dst)*k.channels]

	in0, in1 := k.Gather[2].Interior()
	for x := at.x0; x < at.x1; {
		n := 1
		if k.repeat > 1 && x >= in0 && x < min(in1, at.x1) {
			n = min(k.repeat, min(in1, at.x1)-x)
		}
		out := dst[x*k.channels : (x+n)*k.channels]
		links := k.Gather[2].At(x)
		k.pixels(out, part[:len(out)], src, packed, z, y, links)
		if k.Morphology == Convolve {
			if packed[len(packed)-1] != 0 {
				k.addVoids(out, packed, z, y, links)
			}
			if k.Bias {
				bias := tensor.Of[F](biasTensor)
				for i := range out {
					out[i] += bias[i%k.channels]
				}
			}
		}
		x += n
	}
}

// pixels computes neighbouring destinations that use the same taps.
func (k *depthwise[F]) pixels(out, part, src, packed []F, z, y, x geom.Links) {
	gather := &k.Gather
	first := true
	if k.Morphology == Convolve {
		clear(out)
	}
	for i := range z.N {
		for j := range y.N {
			tap := ((z.Tap+i)*gather[1].Size+y.Tap+j)*gather[2].Size + x.Tap
			row := (z.Cell+i*gather[0].CellStep)*gather[1].Src + y.Cell + j*gather[1].CellStep
			for l := range x.N {
				weights := packed[(tap+l)*k.channels*k.repeat:][:len(out)]
				cells := src[(row*gather[2].Src+x.Cell+l*gather[2].CellStep)*k.C:]
				switch {
				case k.Morphology == Convolve:
					multiplyAdd(out, cells, weights, k.Multiplier)
				case first:
					shift(out, cells, weights, k.Morphology)
					first = false
				default:
					shift(part, cells, weights, k.Morphology)
					k.merge(out, out, part)
				}
			}
		}
	}
}

// multiplyAdd adds x·w to out; each number of x meets multiplier weights.
func multiplyAdd[F tensor.Floating](out, x, weights []F, multiplier int) {
	weights = weights[:len(out)]
	if multiplier == 1 {
		x = x[:len(out)]
		for i, v := range x {
			out[i] += v * weights[i]
		}
		return
	}
	for i, v := range x[:len(out)/multiplier] {
		for m := range multiplier {
			out[i*multiplier+m] += v * weights[i*multiplier+m]
		}
	}
}

// shift writes x + w, or x - w for erosion.
func shift[F tensor.Floating](out, x, weights []F, m Morphology) {
	x, weights = x[:len(out)], weights[:len(out)]
	if m == Erode {
		for i, v := range x {
			out[i] = v - weights[i]
		}
		return
	}
	for i, v := range x {
		out[i] = v + weights[i]
	}
}

// addVoids adds 0 times the weights of the taps that lie on padding, which is
// NaN where those are infinite or NaN.
func (k *depthwise[F]) addVoids(out, packed []F, z, y, x geom.Links) {
	size := [3]int{k.Gather[0].Size, k.Gather[1].Size, k.Gather[2].Size}
	outside := func(l geom.Links, tap int) bool { return tap < l.Tap || tap >= l.Tap+l.N }
	for tap := range k.taps {
		tz, ty, tx := tap/(size[1]*size[2]), tap/size[2]%size[1], tap%size[2]
		if outside(z, tz) || outside(y, ty) || outside(x, tx) {
			for i, w := range packed[tap*k.channels*k.repeat:][:len(out)] {
				out[i] += 0 * w
			}
		}
	}
}
