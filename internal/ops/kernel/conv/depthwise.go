package conv

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// DepthwiseSpec says what a kernel computes whose channels have weights of their
// own: depthwise convolution, and the dilation and erosion of grey morphology. Data
// are channels-last.
type DepthwiseSpec struct {
	Gather     [3]geom.Gather // depth, height, width
	N, C       int
	Group      int           // channels of a group, each of whose results is a sum over them; 0 and 1 are depthwise
	Multiplier int           // results of a channel: channel c gives channels c*Multiplier + m
	Filter     FilterStrides // weight m of channel c of a tap is at tap*Tap + c*Group + m*Dst; for groups as in Spec
	DType      tensor.DType  // Float32 or Float64: source, filter, bias and destination
	Bias       bool
	Morphology Morphology
	IgnoreNaN  bool         // of Dilate and Erode
	Level      kernel.Level // the best that may be used
	Want       string       // the implementation to run if it can, empty for the best

	// SkipPadding says that padding adds nothing to a convolution, not even
	// where a weight is infinite or NaN.
	SkipPadding bool
}

// Morphology says how a tap's weight and its cell are combined, and how taps are
// reduced.
type Morphology uint8

// Convolve is Σ x·w. Dilate is max(x + w). Erode is min(x - w) with the
// weights in reverse order, as in tf.nn.erosion2d.
const (
	Convolve Morphology = iota
	Dilate
	Erode
)

// Depthwise is a planned kernel; its filter is packed into Packed numbers.
type Depthwise struct {
	Packed  int
	Units   int
	Scratch int // bytes, for Run
	kernel.Choice
	pack func(packed, filter *tensor.Tensor)
	run  func(s *kernel.Scratch, dst, src, packed, bias *tensor.Tensor, unit int)
}

// Pack copies the filter in the order in which Run reads it.
func (d *Depthwise) Pack(packed, filter *tensor.Tensor) { d.pack(packed, filter) }

// Run computes the units lo <= u < hi. bias is nil unless the spec's Bias is set.
func (d *Depthwise) Run(s *kernel.Scratch, dst, src, packed, bias *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		d.run(s, dst, src, packed, bias, unit)
	}
}

// NewDepthwise plans a kernel with the best implementation that the level, the
// build and the shape allow. The kernel in plain Go does forward convolutions only.
func NewDepthwise(spec DepthwiseSpec) *Depthwise {
	if spec.DType == tensor.Float32 {
		return chooseDepthwise[float32](spec)
	}
	return chooseDepthwise[float64](spec)
}

const plainDepthwiseName = "depthwise rows, go"

func chooseDepthwise[F tensor.Floating](spec DepthwiseSpec) *Depthwise {
	var list []kernel.Candidate[*Depthwise]
	for level := kernel.AVX512; level > kernel.Generic; level-- {
		list = append(list, vectorDepthwiseCandidate[F](spec, level))
	}
	list = append(list, kernel.Candidate[*Depthwise]{Name: plainDepthwiseName, Plan: func() *Depthwise { return newDepthwise[F](spec) }})
	k, choice := kernel.Choose(list, spec.Want)
	k.Choice = choice
	return k
}

func vectorDepthwiseCandidate[F tensor.Floating](spec DepthwiseSpec, level kernel.Level) kernel.Candidate[*Depthwise] {
	name := fmt.Sprintf("depthwise rows, %s", level)
	var functions depthwiseRows[F]
	built := false
	if spec.Group > 1 {
		name = fmt.Sprintf("rows of groups of %d, %s", spec.Group, level)
		functions, built = groupedRows[F](level, spec.Group)
	} else if all := assembledRows[F](level); all != nil {
		functions, built = all[spec.Morphology], true
	}
	refusal := kernel.LevelRefusal(built, level, spec.Level)
	if refusal == "" {
		refusal = vectorDepthwiseRefusal(&spec, functions.lanes)
	}
	return kernel.Candidate[*Depthwise]{Name: name, Refusal: refusal, Plan: func() *Depthwise { return newVectorDepthwise(spec, functions).depthwise() }}
}

// conv presents a depthwise convolution of one result a channel as a convolution
// in as many groups.
func (d *Depthwise) conv() *Kernel {
	return &Kernel{
		Packed: d.Packed, PackUnits: 1, Units: d.Units, Scratch: d.Scratch, run: d.run,
		pack: func(packed, filter *tensor.Tensor, _ int) { d.pack(packed, filter) },
	}
}

// patternOf is about how many numbers of a row one call takes. The weights of a tap
// are repeated to that length, so that pictures of few channels do not need a call
// for each pixel.
const patternOf = 96

func newDepthwise[F tensor.Floating](spec DepthwiseSpec) *Depthwise {
	k := &depthwise[F]{DepthwiseSpec: spec, channels: spec.C * spec.Multiplier, rows: newRows(&spec.Gather), repeat: 1, merge: morphologyMerger[F](&spec)}
	if k.Gather[2].Stride == 1 && spec.Multiplier == 1 && spec.C > 0 {
		k.repeat = max(1, patternOf/spec.C)
	}
	k.taps = spec.Gather[0].Size * spec.Gather[1].Size * spec.Gather[2].Size
	return &Depthwise{
		Packed:  k.taps*k.channels*k.repeat + 1,
		Units:   spec.N * k.rows.units(),
		Scratch: 8 * kernel.Words[F](k.channels*k.repeat),
		pack:    k.pack,
		run:     k.run,
	}
}

// depthwise is a planned kernel in plain Go. Its packed filter is [tap][repeat][channel]
// and then a number that is not 0 when a weight is infinite or NaN.
type depthwise[F tensor.Floating] struct {
	DepthwiseSpec
	channels int // of the destination
	taps     int
	repeat   int // destinations of one call
	rows     rows
	merge    kernel.Merger[F]
}

func (k *depthwise[F]) pack(packedTensor, filterTensor *tensor.Tensor) {
	packed, filter := tensor.Of[F](packedTensor), tensor.Of[F](filterTensor)
	packed[len(packed)-1] = 0
	for t := range k.taps {
		tap := t
		if k.Morphology == Erode {
			tap = k.taps - 1 - t
		}
		weights := packed[t*k.repeat*k.channels:][:k.repeat*k.channels]
		for i := range weights {
			c := i % k.channels
			weights[i] = filter[tap*k.Filter.Tap+c/k.Multiplier*k.Filter.Group+c%k.Multiplier*k.Filter.Dst]
			if notFinite(weights[i]) {
				packed[len(packed)-1] = 1
			}
		}
	}
}

func (k *depthwise[F]) run(s *kernel.Scratch, dstTensor, srcTensor, packedTensor, biasTensor *tensor.Tensor, unit int) {
	packed := tensor.Of[F](packedTensor)
	s.Reset()
	part := kernel.Take[F](s, k.channels*k.repeat)
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

// multiplyAdd adds x·w to out. Each number of x has multiplier weights.
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

// addVoids adds 0 times the weights of the taps that lie on padding. That is NaN
// for infinite and NaN weights.
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

// morphologyMerger returns the function that keeps the better of two sums.
func morphologyMerger[F tensor.Floating](s *DepthwiseSpec) kernel.Merger[F] {
	switch {
	case s.Morphology == Dilate && s.IgnoreNaN:
		return kernel.MergeMaxIgnoreNaN[F]
	case s.Morphology == Erode && s.IgnoreNaN:
		return kernel.MergeMinIgnoreNaN[F]
	case s.Morphology == Erode:
		return kernel.MergeMin[F]
	}
	return kernel.MergeMax[F]
}

func notFinite[F tensor.Floating](w F) bool { return w-w != 0 }
