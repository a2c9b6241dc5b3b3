package kernel

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Spread is one pass of the adjoint of summing windows: along one axis, every
// input cell gets the sum of the windows that see it. The passes of all axes
// one after another are the gradient of sum pooling.
type Spread struct {
	Axis  geom.Axis
	Outer int // repetitions before the axis
	Inner int // contiguous numbers of one cell
	DType tensor.DType
}

// spreadOf is how many cells a unit covers.
const spreadOf = 64

func (p *Spread) blocks() int { return (p.Axis.In + spreadOf - 1) / spreadOf }

// Units returns how many pieces of work there are.
func (p *Spread) Units() int { return p.Outer * p.blocks() }

// Scratch returns the bytes that a worker needs.
func (p *Spread) Scratch() int { return 8 * p.Inner }

// Run computes the units lo <= i < hi.
func (p *Spread) Run(s *Scratch, dst, src *tensor.Tensor, lo, hi int) {
	if p.DType == tensor.Float32 {
		spread[float32](p, s, dst, src, lo, hi)
		return
	}
	spread[float64](p, s, dst, src, lo, hi)
}

func spread[F tensor.Floating](p *Spread, s *Scratch, dstTensor, srcTensor *tensor.Tensor, lo, hi int) {
	dst, src := tensor.Of[F](dstTensor), tensor.Of[F](srcTensor)
	s.reset()
	sum := take[float64](s, p.Inner)
	for unit := lo; unit < hi; unit++ {
		outer, first := unit/p.blocks(), unit%p.blocks()*spreadOf
		for i := first; i < min(first+spreadOf, p.Axis.In); i++ {
			clear(sum)
			o0, o1 := p.Axis.Reach(i)
			for o := o0; o < o1; o++ {
				if _, sees := p.Axis.Tap(o, i); !sees {
					continue
				}
				row := src[(outer*p.Axis.Out+o)*p.Inner:][:len(sum)]
				for j, v := range row {
					sum[j] += float64(v)
				}
			}
			out := dst[(outer*p.Axis.In+i)*p.Inner:][:len(sum)]
			for j, v := range sum {
				out[j] = F(v)
			}
		}
	}
}

// Shares divides an upstream gradient by what the averages were divided by.
type Shares struct{ PoolSpec }

// images returns how many rows of outputs there are and how many numbers a
// cell has.
func (k *Shares) layout() (rows, inner int) {
	g := &k.Geometry
	rows, inner = g.N*g.Axes[0].Out*g.Axes[1].Out, g.C
	if k.ChannelsFirst {
		rows, inner = rows*g.C, 1
	}
	return rows, inner
}

// Units returns how many pieces of work there are: rows of outputs.
func (k *Shares) Units() int { rows, _ := k.layout(); return rows }

// Run computes the units lo <= i < hi. skipped counts the NaN of each window,
// or is nil.
func (k *Shares) Run(dst, upstream, skipped *tensor.Tensor, lo, hi int) {
	if upstream.DType == tensor.Float32 {
		share[float32](k, dst, upstream, skipped, lo, hi)
		return
	}
	share[float64](k, dst, upstream, skipped, lo, hi)
}

func share[F tensor.Floating](k *Shares, dstTensor, upstreamTensor, skippedTensor *tensor.Tensor, lo, hi int) {
	g := &k.Geometry
	_, inner := k.layout()
	width := g.Axes[2].Out
	f := finishing[F, F]{spec: &k.PoolSpec}
	var skipped []F
	if skippedTensor != nil {
		skipped = tensor.Of[F](skippedTensor)
	}
	for row := lo; row < hi; row++ {
		f.y, f.z = row%g.Axes[1].Out, row/g.Axes[1].Out%g.Axes[0].Out
		from, perOutput := f.divisor()
		at := row * width * inner
		dst, upstream := tensor.Of[F](dstTensor)[at:], tensor.Of[F](upstreamTensor)[at:]
		for x := range width {
			divisor := from
			if perOutput {
				divisor *= f.taps(2, x)
			}
			for i := x * inner; i < (x+1)*inner; i++ {
				d := float64(divisor)
				if skipped != nil && k.Reduction == Average && k.Divisor == 0 {
					d -= float64(skipped[at+i])
				}
				dst[i] = F(float64(upstream[i]) / d)
			}
		}
	}
}

// Combine computes dst[i] = f(a[i], b[i]) for lo <= i < hi; all three are of
// one floating-point type.
func Combine(dst, a, b *tensor.Tensor, lo, hi int, f func(a, b float64) float64) {
	if dst.DType == tensor.Float32 {
		combine[float32](dst, a, b, lo, hi, f)
		return
	}
	combine[float64](dst, a, b, lo, hi, f)
}

func combine[F tensor.Floating](dstTensor, aTensor, bTensor *tensor.Tensor, lo, hi int, f func(a, b float64) float64) {
	dst, a, b := tensor.Of[F](dstTensor), tensor.Of[F](aTensor), tensor.Of[F](bTensor)
	for i := lo; i < hi; i++ {
		dst[i] = F(f(float64(a[i]), float64(b[i])))
	}
}
