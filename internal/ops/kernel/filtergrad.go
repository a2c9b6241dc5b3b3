package kernel

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// FilterGradient is the gradient of a convolution with respect to its filter.
// Large is the tensor on the side of the axes' In (a convolution's input, a
// transposed one's upstream gradient), Small the one on the side of Out:
//
//	d[t, i, o] = Σ large[n, cell of tap t of window w, i] * small[n, w, o]
//
// Both are channels last. Every unit owns a tap and a few large channels and
// visits all images in order, so the result does not depend on threads.
type FilterGradient struct {
	Geometry     geom.Geometry
	Large, Small int // channels of all groups
	Groups       int
	Filter       FilterStrides // Src: of large channels, Dst: of small ones
	DType        tensor.DType
}

// filterRows is how many large channels a unit covers.
const filterRows = 4

func (k *FilterGradient) blocks() int { return (k.Large/k.Groups + filterRows - 1) / filterRows }

// Units returns how many pieces of work there are.
func (k *FilterGradient) Units() int { return k.Geometry.Taps() * k.Groups * k.blocks() }

// Scratch returns the bytes that a worker needs: sums of a row in the tensors'
// type, and of everything in float64.
func (k *FilterGradient) Scratch() int { return 16 * filterRows * (k.Small / k.Groups) }

// Run computes the units lo <= i < hi.
func (k *FilterGradient) Run(s *Scratch, dst, large, small *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		if k.DType == tensor.Float32 {
			filterGradient[float32](k, s, dst, large, small, unit)
		} else {
			filterGradient[float64](k, s, dst, large, small, unit)
		}
	}
}

func filterGradient[F tensor.Floating](k *FilterGradient, s *Scratch, dstTensor, largeTensor, smallTensor *tensor.Tensor, unit int) {
	dst, large, small := tensor.Of[F](dstTensor), tensor.Of[F](largeTensor), tensor.Of[F](smallTensor)
	axes := &k.Geometry.Axes
	block := unit % k.blocks()
	group := unit / k.blocks() % k.Groups
	tap := unit / k.blocks() / k.Groups
	taps := [3]int{tap / (axes[1].Size * axes[2].Size), tap / axes[2].Size % axes[1].Size, tap % axes[2].Size}
	first, outs := block*filterRows, k.Small/k.Groups
	rows := min(filterRows, k.Large/k.Groups-first)
	s.reset()
	row, total := take[F](s, rows*outs), take[float64](s, rows*outs)
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

// windowsOfTap returns the windows whose tap t lands inside the input.
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
