package poolgrad

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Adjoint returns the pooling that is the adjoint of summing windows, where
// there is one: at stride 1 the windows that see a cell lie side by side, as
// many as a window has cells, so that their sums are sums of windows over the
// outputs. ok is false if there is a stride, or a cell that no window sees.
func Adjoint(spec pool.Spec) (adjoint pool.Spec, ok bool) {
	adjoint = spec
	adjoint.Reduction = pool.Sum
	for i := range adjoint.Geometry.Axes {
		a := &adjoint.Geometry.Axes[i]
		if a.Bounds != nil || a.Stride != 1 {
			return adjoint, false
		}
		if cells, _, ok := a.Unread(); !ok || cells > 0 {
			return adjoint, false
		}
		lo := a.Effective() - 1 - a.Lo
		*a = geom.Axis{In: a.Out, Out: a.In, Size: a.Size, Stride: 1, Dilation: a.Dilation, Lo: lo, Hi: a.In - 1 + a.Effective() - a.Out - lo}
	}
	return adjoint, true
}

// SpreadPasses returns the gradient of a sum as one gradient an axis, depth
// first: each is of windows along its axis alone.
func SpreadPasses(spec pool.Spec) (list []*CellGradient) {
	spec.Reduction = pool.Sum
	whole := spec.Geometry.Axes
	for i := range whole {
		if whole[i].Trivial() {
			continue
		}
		for j, a := range whole {
			extent := a.Out
			if j < i {
				extent = a.In
			}
			if j != i {
				a = geom.Axis{In: extent, Out: extent, Size: 1, Stride: 1, Dilation: 1}
			}
			spec.Geometry.Axes[j] = a
		}
		list = append(list, NewCellGradient(spec))
	}
	return list
}

// Shares divides an upstream gradient by the divisors of the averages.
type Shares struct{ pool.Spec }

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
	g, table := &k.Geometry, cellTableOf[F](k.Level)
	_, inner := k.layout()
	width := g.Axes[2].Out
	f := pool.Finishing[F, F]{Spec: &k.Spec}
	var skipped []F
	if skippedTensor != nil {
		skipped = tensor.Of[F](skippedTensor)
	}
	for row := lo; row < hi; row++ {
		f.Y, f.Z = row%g.Axes[1].Out, row/g.Axes[1].Out%g.Axes[0].Out
		from, perOutput := f.Divisor()
		at := row * width * inner
		dst, upstream := tensor.Of[F](dstTensor)[at:], tensor.Of[F](upstreamTensor)[at:]
		for x := 0; x < width; {
			divisor, n := from, width-x
			if perOutput {
				divisor *= f.Taps(2, x)
				n = f.Alike(x, width)
			}
			lo, hi := x*inner, (x+n)*inner
			x += n
			if skipped == nil {
				table.divide(dst[lo:hi], upstream[lo:hi], divisor)
				continue
			}
			for i := lo; i < hi; i++ {
				d := float64(divisor)
				if k.Reduction == pool.Average && k.Divisor == 0 {
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
