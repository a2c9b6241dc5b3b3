package conv

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// FilterGradientSpec is the gradient of a convolution with respect to its
// filter. Large is the tensor on the input side of the axes: the input of a
// convolution, or the upstream gradient of a transposed one. Small is the tensor on
// the output side:
//
//	d[t, i, o] = Σ large[n, cell of tap t of window w, i] * small[n, w, o]
//
// Both are channels last; padding adds nothing.
type FilterGradientSpec struct {
	Geometry     geom.Geometry
	Large, Small int // channels of all groups
	Groups       int
	Filter       FilterStrides // Src: of large channels, Dst: of small ones
	DType        tensor.DType
	Level        kernel.Level // the best that may be used
	Want         string       // the implementation to run if it can, empty for the best
}

// FilterGradient is a planned gradient in three stages. Pack may copy the small
// tensor in another order, Run computes parts of the sums, and Finish adds the parts.
// A buffer of Packed numbers holds what a stage leaves for the next. The parts and
// the order in which they are added do not depend on the number of threads.
type FilterGradient struct {
	Packed      int
	PackUnits   int
	Units       int
	FinishUnits int
	Scratch     int // bytes, for Run and Finish
	kernel.Choice
	pack   func(packed, small *tensor.Tensor, unit int)
	run    func(s *kernel.Scratch, large, small, packed *tensor.Tensor, unit int)
	finish func(s *kernel.Scratch, dst, large, small, packed *tensor.Tensor, unit int)
}

// Pack packs the units lo <= u < hi of the small tensor. All of them must be
// packed before the first Run.
func (k *FilterGradient) Pack(packed, small *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		k.pack(packed, small, unit)
	}
}

// Run computes the units lo <= u < hi. All of them must be computed before the
// first Finish.
func (k *FilterGradient) Run(s *kernel.Scratch, large, small, packed *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		k.run(s, large, small, packed, unit)
	}
}

// Finish writes the units lo <= u < hi of the gradient.
func (k *FilterGradient) Finish(s *kernel.Scratch, dst, large, small, packed *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		k.finish(s, dst, large, small, packed, unit)
	}
}

// NewFilterGradient plans the gradient with the best implementation that the
// level and the build allow.
func NewFilterGradient(spec FilterGradientSpec) *FilterGradient {
	if spec.DType == tensor.Float32 {
		return newFilterGradient[float32](spec)
	}
	return newFilterGradient[float64](spec)
}

func newFilterGradient[F tensor.Floating](spec FilterGradientSpec) *FilterGradient {
	var list []kernel.Candidate[*FilterGradient]
	for level := kernel.AVX512; level > kernel.Generic; level-- {
		tiles := assembledOuters[F](level)
		list = append(list, kernel.Candidate[*FilterGradient]{Name: gemmName[F](level), Refusal: kernel.LevelRefusal(tiles != nil, level, spec.Level),
			Plan: func() *FilterGradient { return newFilterGemm(spec, tiles).gradient() }})
	}
	list = append(list, kernel.Candidate[*FilterGradient]{Name: "taps by channel blocks, go", Plan: func() *FilterGradient { return newPlainFilterGradient[F](spec) }})
	k, choice := kernel.Choose(list, spec.Want)
	k.Choice = choice
	return k
}

// filterRows is how many large channels a unit of the plain kernel covers.
const filterRows = 4

// newPlainFilterGradient plans the gradient in plain Go, all of it in Finish.
func newPlainFilterGradient[F tensor.Floating](spec FilterGradientSpec) *FilterGradient {
	blocks := (spec.Large/spec.Groups + filterRows - 1) / filterRows
	return &FilterGradient{
		FinishUnits: spec.Geometry.Taps() * spec.Groups * blocks, Scratch: spec.plainScratch(),
		finish: func(s *kernel.Scratch, dst, large, small, _ *tensor.Tensor, unit int) {
			first := unit % blocks * filterRows
			rows := min(filterRows, spec.Large/spec.Groups-first)
			filterGradient[F](&spec, s, dst, large, small, unit/blocks/spec.Groups, unit/blocks%spec.Groups, first, rows)
		},
	}
}

// plainScratch returns the bytes that the plain kernel needs: for sums of a row in
// the tensors' type, and for all sums in float64.
func (k *FilterGradientSpec) plainScratch() int { return 16 * filterRows * (k.Small / k.Groups) }

// filterGradient computes the gradient of a tap and group for some large channels:
// rows of them, from first on.
func filterGradient[F tensor.Floating](k *FilterGradientSpec, s *kernel.Scratch, dstTensor, largeTensor, smallTensor *tensor.Tensor, tap, group, first, rows int) {
	dst, large, small := tensor.Of[F](dstTensor), tensor.Of[F](largeTensor), tensor.Of[F](smallTensor)
	axes := &k.Geometry.Axes
	taps := [3]int{tap / (axes[1].Size * axes[2].Size), tap / axes[2].Size % axes[1].Size, tap % axes[2].Size}
	outs := k.Small / k.Groups
	s.Reset()
	row, total := kernel.Take[F](s, rows*outs), kernel.Take[float64](s, rows*outs)
	clear(total)
	x0, x1 := windowsOfTap(&axes[2], taps[2])
	y0, y1 := windowsOfTap(&axes[1], taps[1])
	z0, z1 := windowsOfTap(&axes[0], taps[0])
	for n := range k.Geometry.N {
		for z := z0; z < z1; z++ {
			inZ := n*axes[0].In + z*axes[0].Stride - axes[0].Lo + taps[0]*axes[0].Dilation
			for y := y0; y < y1; y++ {
				inY := inZ*axes[1].In + y*axes[1].Stride - axes[1].Lo + taps[1]*axes[1].Dilation
				window := ((n*axes[0].Out+z)*axes[1].Out + y) * axes[2].Out
				clear(row)
				for x := x0; x < x1; x++ {
					cell := inY*axes[2].In + x*axes[2].Stride - axes[2].Lo + taps[2]*axes[2].Dilation
					a := large[cell*k.Large+group*(k.Large/k.Groups)+first:][:rows]
					b := small[(window+x)*k.Small+group*outs:][:outs]
					for i, v := range a {
						sums := row[i*outs:][:len(b)]
						for o, w := range b {
							sums[o] += v * w
						}
					}
				}
				for i, v := range row {
					total[i] += float64(v)
				}
			}
		}
	}
	for i := range rows {
		for o := range outs {
			dst[tap*k.Filter.Tap+(first+i)*k.Filter.Src+o*k.Filter.Dst+group*k.Filter.Group] = F(total[i*outs+o])
		}
	}
}

// windowsOfTap returns the windows o0 <= o < o1 whose tap t lands inside the input.
func windowsOfTap(a *geom.Axis, t int) (o0, o1 int) {
	shift := a.Lo - t*a.Dilation
	if shift > 0 {
		o0 = (shift + a.Stride - 1) / a.Stride
	}
	if last := a.In - 1 + shift; last >= 0 {
		o1 = min(a.Out, last/a.Stride+1)
	}
	return o0, max(o0, o1)
}

// BiasGradient sums a channels-last gradient over everything but its channels,
// in order and in float64.
func BiasGradient(dst, upstream *tensor.Tensor) {
	if upstream.DType == tensor.Float32 {
		biasGradient[float32](dst, upstream)
		return
	}
	biasGradient[float64](dst, upstream)
}

func biasGradient[F tensor.Floating](dstTensor, upstreamTensor *tensor.Tensor) {
	dst, upstream := tensor.Of[F](dstTensor), tensor.Of[F](upstreamTensor)
	for c := range dst {
		sum := 0.0
		for i := c; i < len(upstream); i += len(dst) {
			sum += float64(upstream[i])
		}
		dst[c] = F(sum)
	}
}
