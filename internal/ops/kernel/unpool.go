package kernel

import "github.com/poolctl/poolctl/internal/tensor"

// Duplicates says what becomes of several values for one cell.
type Duplicates uint8

// The rules for duplicates. LastWins means the last in row-major order of the
// channels-last values, LargestWins the first of equal ones.
const (
	LastWins Duplicates = iota
	AddUp
	LargestWins
)

// Unpool places values at indices, or gathers them from there. Values and
// indices are channels-last tensors of Index.N images with Values cells a plane;
// the indices name cells of a tensor that Index describes, and must be within
// [0, Index.Limit()).
type Unpool struct {
	Index      Index
	Values     int // cells of a plane of values
	Duplicates Duplicates
	DType      tensor.DType // a Real type
}

// channelsOf is how many channels a unit covers where values keep to their
// channel: enough for whole cache lines.
const channelsOf = 32

// part is the share of one unit: the images n0 <= n < n1 and their channels
// c0 <= c < c1, of values and of targets alike.
type part struct{ n0, n1, c0, c1 int }

// Units returns how many pieces of work there are. Values that may go to
// another channel, or another image, are placed by one unit.
func (u *Unpool) Units() int {
	switch x := &u.Index; {
	case x.Convention == PyTorch:
		return x.N * u.blocks()
	case x.Convention == TensorFlow && !x.Batch:
		return x.N
	default:
		return 1
	}
}

func (u *Unpool) blocks() int { return (u.Index.Channels + channelsOf - 1) / channelsOf }

func (u *Unpool) part(unit int) part {
	switch x := &u.Index; {
	case x.Convention == PyTorch:
		n, c0 := unit/u.blocks(), unit%u.blocks()*channelsOf
		return part{n, n + 1, c0, min(c0+channelsOf, x.Channels)}
	case x.Convention == TensorFlow && !x.Batch:
		return part{unit, unit + 1, 0, x.Channels}
	default:
		return part{0, x.N, 0, x.Channels}
	}
}

// each calls do for every value of a part, in row-major order, with its flat
// position and that of its target.
func (u *Unpool) each(p part, index []int64, do func(i, target int)) {
	x := &u.Index
	for n := p.n0; n < p.n1; n++ {
		for v := range u.Values {
			i := (n*u.Values+v)*x.Channels + p.c0
			for c := p.c0; c < p.c1; c++ {
				image, channel, cell := x.Decode(index[i], n, c)
				do(i, (image*x.Plane()+cell)*x.Channels+channel)
				i++
			}
		}
	}
}

// eachTarget calls do for every run of neighbouring targets of a part.
func (u *Unpool) eachTarget(p part, do func(lo, hi int)) {
	x := &u.Index
	if p.c0 == 0 && p.c1 == x.Channels {
		image := x.Plane() * x.Channels
		do(p.n0*image, p.n1*image)
		return
	}
	for cell := p.n0 * x.Plane(); cell < p.n1*x.Plane(); cell++ {
		do(cell*x.Channels+p.c0, cell*x.Channels+p.c1)
	}
}

// Scratch returns the bytes that a worker of Place or Gradient needs: the
// owner of every target, for the rules under which one value wins.
func (u *Unpool) Scratch(gradient bool) int {
	if u.Duplicates == AddUp || u.Duplicates == LastWins && !gradient {
		return 0
	}
	p := u.part(0)
	return 8 * (p.n1 - p.n0) * u.Index.Plane() * u.Index.Channels
}

// Place computes the units lo <= i < hi of putting the values at their targets;
// all other cells of dst become zero.
func (u *Unpool) Place(s *Scratch, dst, values, index *tensor.Tensor, lo, hi int) {
	switch u.DType {
	case tensor.Uint8:
		scatter[uint8](u, s, dst, values, index, lo, hi)
	case tensor.Int8:
		scatter[int8](u, s, dst, values, index, lo, hi)
	case tensor.Uint16:
		scatter[uint16](u, s, dst, values, index, lo, hi)
	case tensor.Int16:
		scatter[int16](u, s, dst, values, index, lo, hi)
	case tensor.Uint32:
		scatter[uint32](u, s, dst, values, index, lo, hi)
	case tensor.Int32:
		scatter[int32](u, s, dst, values, index, lo, hi)
	case tensor.Uint64:
		scatter[uint64](u, s, dst, values, index, lo, hi)
	case tensor.Int64:
		scatter[int64](u, s, dst, values, index, lo, hi)
	case tensor.Float32:
		scatter[float32](u, s, dst, values, index, lo, hi)
	default:
		scatter[float64](u, s, dst, values, index, lo, hi)
	}
}

func scatter[T tensor.Real](u *Unpool, s *Scratch, dstTensor, valuesTensor, indexTensor *tensor.Tensor, lo, hi int) {
	dst, values, index := tensor.Of[T](dstTensor), tensor.Of[T](valuesTensor), tensor.Of[int64](indexTensor)
	for unit := lo; unit < hi; unit++ {
		p := u.part(unit)
		u.eachTarget(p, func(lo, hi int) { clear(dst[lo:hi]) })
		switch u.Duplicates {
		case AddUp:
			u.each(p, index, func(i, target int) { dst[target] = addClipped(dst[target], values[i]) })
		case LastWins:
			u.each(p, index, func(i, target int) { dst[target] = values[i] })
		default:
			owner, base := owners(u, s, p, values, index)
			u.each(p, index, func(i, target int) {
				if owner[target-base] == i+1 {
					dst[target] = values[i]
				}
			})
		}
	}
}

// addClipped adds; a sum of integers stays within the range of their type.
func addClipped[T tensor.Real](a, b T) T {
	sum := a + b
	if over := b >= 0 && sum < a; over || b < 0 && sum > a {
		return limit[T](over)
	}
	return sum
}

// limit returns the largest or the least integer of a type.
func limit[T tensor.Real](largest bool) T {
	top := T(1) // the highest power of two
	for top+top > top {
		top += top
	}
	if largest {
		return top - 1 + top
	}
	return -top - top
}

// owners returns for every target of a part the value that wins it, counted
// from 1 (0: none), and the position of the first target.
func owners[T tensor.Real](u *Unpool, s *Scratch, p part, values []T, index []int64) (owner []int, base int) {
	image := u.Index.Plane() * u.Index.Channels
	base = p.n0 * image
	s.reset()
	owner = take[int](s, (p.n1-p.n0)*image)
	clear(owner)
	u.each(p, index, func(i, target int) {
		before := owner[target-base]
		if u.Duplicates == LargestWins && before > 0 {
			v, w := values[i], values[before-1]
			if !(v > w || v != v && w == w) { // a NaN wins, the first one
				return
			}
		}
		owner[target-base] = i + 1
	})
	return owner, base
}

// Gather computes the units lo <= i < hi of dst[i] = src[target of i]: the
// adjoint of Place under AddUp.
func (u *Unpool) Gather(dst, src, index *tensor.Tensor, lo, hi int) {
	if u.DType == tensor.Float32 {
		gather[float32](u, dst, src, index, lo, hi)
		return
	}
	gather[float64](u, dst, src, index, lo, hi)
}

func gather[F tensor.Floating](u *Unpool, dstTensor, srcTensor, indexTensor *tensor.Tensor, lo, hi int) {
	dst, src, index := tensor.Of[F](dstTensor), tensor.Of[F](srcTensor), tensor.Of[int64](indexTensor)
	for unit := lo; unit < hi; unit++ {
		u.each(u.part(unit), index, func(i, target int) { dst[i] = src[target] })
	}
}

// Gradient computes the units lo <= i < hi of the gradient of Place with
// respect to the values: what arrives at a target goes to the value that won
// it, or to every one under AddUp.
func (u *Unpool) Gradient(s *Scratch, dst, upstream, values, index *tensor.Tensor, lo, hi int) {
	switch {
	case u.Duplicates == AddUp:
		u.Gather(dst, upstream, index, lo, hi)
	case u.DType == tensor.Float32:
		unpoolGradient[float32](u, s, dst, upstream, values, index, lo, hi)
	default:
		unpoolGradient[float64](u, s, dst, upstream, values, index, lo, hi)
	}
}

func unpoolGradient[F tensor.Floating](u *Unpool, s *Scratch, dstTensor, upstreamTensor, valuesTensor, indexTensor *tensor.Tensor, lo, hi int) {
	dst, upstream := tensor.Of[F](dstTensor), tensor.Of[F](upstreamTensor)
	values, index := tensor.Of[F](valuesTensor), tensor.Of[int64](indexTensor)
	for unit := lo; unit < hi; unit++ {
		p := u.part(unit)
		owner, base := owners(u, s, p, values, index)
		u.each(p, index, func(i, target int) {
			dst[i] = 0
			if owner[target-base] == i+1 {
				dst[i] = upstream[target]
			}
		})
	}
}

// FirstDuplicate returns the flat positions of the first two values, in
// row-major channels-last order, that go to one cell; ok is false when none do.
func (u *Unpool) FirstDuplicate(index *tensor.Tensor) (first, second int, ok bool) {
	x := &u.Index
	list, whole := tensor.Of[int64](index), part{0, x.N, 0, x.Channels}
	taken := make([]uint64, (x.N*x.Plane()*x.Channels+63)/64)
	shared := -1 // the target that is taken twice
	u.each(whole, list, func(i, target int) {
		bit := uint64(1) << (target % 64)
		if shared < 0 && taken[target/64]&bit != 0 {
			second, shared, ok = i, target, true
		}
		taken[target/64] |= bit
	})
	first = -1
	u.each(whole, list, func(i, target int) {
		if target == shared && first < 0 {
			first = i
		}
	})
	return first, second, ok
}
