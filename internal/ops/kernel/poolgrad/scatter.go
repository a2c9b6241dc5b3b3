package poolgrad

import (
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Duplicates is a rule for several values that go to one cell.
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
	Index      pool.Index
	Values     int // cells of a plane of values
	Duplicates Duplicates
	DType      tensor.DType // a Real type
}

// listOf is the number of values that are handled together. They have a common range
// of targets, and a list of them fits in the nearest cache.
const listOf = 512

// mostBands is the most bands that targets are cut into for the threads, where there
// are fewer images than that. Each band goes through all lists of values that may
// reach it; where indices are in no order, that is all of them.
const mostBands = 8

// lists returns how many lists the values of an image make.
func (u *Unpool) lists() int { return (u.Values*u.Index.Channels + listOf - 1) / listOf }

// Lists returns how many lists of values there are, the units of Range and
// Gather.
func (u *Unpool) Lists() int { return u.Index.N * u.lists() }

// list returns the positions of the values of a list.
func (u *Unpool) list(i int) (lo, hi int) {
	values := u.Values * u.Index.Channels
	image, first := i/u.lists(), i%u.lists()*listOf
	return image*values + first, image*values + min(first+listOf, values)
}

// groups returns how many groups of targets there are, and of how many images:
// values stay in their image unless the indices count through the batch.
func (u *Unpool) groups() (groups, images int) {
	if x := &u.Index; x.Convention == pool.PyTorch || x.Convention == pool.TensorFlow && !x.Batch {
		return x.N, 1
	}
	return 1, u.Index.N
}

// bands returns how many bands the targets of a group are cut into, and their
// size.
func (u *Unpool) bands() (bands, size int) {
	groups, images := u.groups()
	targets := images * u.Index.Plane() * u.Index.Channels
	bands = max(1, min((mostBands+groups-1)/max(1, groups), targets/bandOf))
	return bands, (targets + bands - 1) / bands
}

// Units returns how many pieces of work Place and Gradient have: bands of
// targets.
func (u *Unpool) Units() int {
	groups, _ := u.groups()
	bands, _ := u.bands()
	return groups * bands
}

// band is the share of a unit: the targets lo <= t < hi, which only values of
// the lists list0 <= i < list1 reach.
type band struct{ lo, hi, list0, list1 int }

func (u *Unpool) band(unit int) band {
	_, images := u.groups()
	bands, size := u.bands()
	group, first := unit/bands, unit%bands*size
	targets := images * u.Index.Plane() * u.Index.Channels
	return band{group*targets + min(first, targets), group*targets + min(first+size, targets),
		group * images * u.lists(), (group + 1) * images * u.lists()}
}

// targets fills list with the targets of the values from position first on, less
// lo; targets that are not within lo <= t < hi become -1.
func (u *Unpool) targets(list []int, index []int64, first, lo, hi int) {
	x := &u.Index
	index = index[first : first+len(list)]
	image, c := first/(u.Values*x.Channels), first%x.Channels
	base, size := image*x.Plane()*x.Channels-lo, uint(hi-lo)
	switch x.Convention {
	case pool.PyTorch:
		for len(index) > 0 {
			cell := list[:min(x.Channels-c, len(list))]
			for i, v := range index[:len(cell)] {
				if cell[i] = base + int(v)*x.Channels + c + i; uint(cell[i]) >= size {
					cell[i] = -1
				}
			}
			list, index, c = list[len(cell):], index[len(cell):], 0
		}
	case pool.TensorFlow:
		if x.Batch {
			base = -lo
		}
		for i, v := range index {
			if list[i] = base + int(v); uint(list[i]) >= size {
				list[i] = -1
			}
		}
	case pool.ONNX, pool.ONNXColumnMajor:
		for i, v := range index {
			n, channel, cell := x.Decode(v, image, c)
			if list[i] = (n*x.Plane()+cell)*x.Channels + channel - lo; uint(list[i]) >= size {
				list[i] = -1
			}
			if c++; c == x.Channels {
				c = 0
			}
		}
	}
}

// Range finds bounds of the targets of the lists lo <= i < hi of values: ranges
// holds two int64 for each, the least target and the largest at most.
func (u *Unpool) Range(s *kernel.Scratch, ranges, index *tensor.Tensor, lo, hi int) {
	s.Reset()
	buffer := kernel.Take[int](s, listOf)
	x, images := &u.Index, u.Index.Plane()*u.Index.Channels
	for i := lo; i < hi; i++ {
		first, end := u.list(i)
		pair := tensor.Of[int64](ranges)[2*i : 2*i+2]
		if x.Convention != pool.PyTorch && x.Convention != pool.TensorFlow {
			list := buffer[:end-first]
			u.targets(list, tensor.Of[int64](index), first, 0, math.MaxInt)
			pair[0], pair[1] = int64(slices.Min(list)), int64(slices.Max(list))
			continue
		}
		list := tensor.Of[int64](index)[first:end]
		least, largest := list[0], list[0]
		for _, v := range list {
			least, largest = min(least, v), max(largest, v)
		}
		if x.Convention == pool.PyTorch { // of any channel
			least, largest = least*int64(x.Channels), (largest+1)*int64(x.Channels)-1
		}
		if !x.Batch {
			base := int64(i / u.lists() * images)
			least, largest = least+base, largest+base
		}
		pair[0], pair[1] = least, largest
	}
}

// Scratch returns the bytes that a worker needs: a list of targets and, for every
// target of a band, its owner under the rules by which one value wins, or how often
// its sum left the range of an integer type.
func (u *Unpool) Scratch(gradient bool) int {
	n := listOf
	if u.Duplicates == LargestWins || u.Duplicates == LastWins && gradient || u.wraps() && !gradient {
		_, size := u.bands()
		n += size
	}
	return 8 * kernel.Words[int](n)
}

// eachList calls do for all values that have targets in a band: with the
// position of the first one and the targets of all, less the band's beginning,
// or -1. Targets below the number of which ready tells are in use then.
func (u *Unpool) eachList(buffer []int, b band, index, ranges []int64, ready func(end int), do func(first int, list []int)) {
	for i := b.list0; i < b.list1; i++ {
		least, largest := int(ranges[2*i]), int(ranges[2*i+1])
		if largest < b.lo || least >= b.hi {
			continue
		}
		first, end := u.list(i)
		list := buffer[:end-first]
		u.targets(list, index, first, b.lo, b.hi)
		if ready != nil {
			ready(min(largest+1, b.hi) - b.lo)
		}
		do(first, list)
	}
}

// Place computes the units lo <= i < hi of putting the values at their targets;
// all other cells of dst become zero. Sums of integers are exact and then clipped
// to the type's range; Place returns how many were clipped. ranges is what Range
// found.
func (u *Unpool) Place(s *kernel.Scratch, dst, values, index, ranges *tensor.Tensor, lo, hi int) (clipped int) {
	table := scatters
	if u.wraps() {
		table = integerSums
	}
	return table.For(u.DType)(u, s, dst, values, index, ranges, lo, hi)
}

// wraps reports whether sums of integers are added up, which may pass the range of
// their type on the way.
func (u *Unpool) wraps() bool { return u.Duplicates == AddUp && u.DType.IsInteger() }

type scatterer = func(u *Unpool, s *kernel.Scratch, dst, values, index, ranges *tensor.Tensor, lo, hi int) (clipped int)

var scatters = tensor.PerReal[scatterer](scatter[uint8], scatter[int8], scatter[uint16], scatter[int16],
	scatter[uint32], scatter[int32], scatter[uint64], scatter[int64], scatter[float32], scatter[float64])

var integerSums = tensor.PerInteger[scatterer](scatterIntegers[uint8], scatterIntegers[int8], scatterIntegers[uint16], scatterIntegers[int16],
	scatterIntegers[uint32], scatterIntegers[int32], scatterIntegers[uint64], scatterIntegers[int64])

// zeroAhead is how many numbers are zeroed at least before values are placed
// among them, while they are in a cache.
const zeroAhead = 1 << 12

func scatter[T tensor.Real](u *Unpool, s *kernel.Scratch, dstTensor, valuesTensor, indexTensor, rangesTensor *tensor.Tensor, lo, hi int) (clipped int) {
	values, index, ranges := tensor.Of[T](valuesTensor), tensor.Of[int64](indexTensor), tensor.Of[int64](rangesTensor)
	for unit := lo; unit < hi; unit++ {
		s.Reset()
		buffer, b := kernel.Take[int](s, listOf), u.band(unit)
		place := placeLast[T]
		switch u.Duplicates {
		case LastWins:
		case AddUp:
			place = placeSum[T]
		case LargestWins:
			owner := owners(u, s, b, buffer, values, index, ranges)
			place = func(dst, values []T, first int, list []int) {
				for i, t := range list {
					if t >= 0 && owner[t] == first+i+1 {
						dst[t] = values[i]
					}
				}
			}
		}
		placeLists(u, b, buffer, tensor.Of[T](dstTensor)[b.lo:b.hi], values, index, ranges, place)
	}
	return 0
}

// scatterIntegers adds up integers. It counts how often each sum left the range of
// the type, so that the order of the values makes no difference.
func scatterIntegers[T tensor.Integer](u *Unpool, s *kernel.Scratch, dstTensor, valuesTensor, indexTensor, rangesTensor *tensor.Tensor, lo, hi int) (clipped int) {
	values, index, ranges := tensor.Of[T](valuesTensor), tensor.Of[int64](indexTensor), tensor.Of[int64](rangesTensor)
	for unit := lo; unit < hi; unit++ {
		s.Reset()
		buffer, b := kernel.Take[int](s, listOf), u.band(unit)
		dst, wraps := tensor.Of[T](dstTensor)[b.lo:b.hi], kernel.Take[int](s, b.hi-b.lo)
		clear(wraps)
		placeLists(u, b, buffer, dst, values, index, ranges, func(dst, values []T, _ int, list []int) {
			for i, t := range list {
				if t >= 0 {
					sum, wrap := kernel.AddWrapping(dst[t], values[i])
					dst[t] = sum
					wraps[t] += wrap
				}
			}
		})
		for t, n := range wraps {
			if n != 0 {
				dst[t] = kernel.Clip(dst[t], n)
				clipped++
			}
		}
	}
	return clipped
}

// placeLists zeroes a band and calls place for each list of values that reach it.
func placeLists[T tensor.Real](u *Unpool, b band, buffer []int, dst, values []T, index, ranges []int64, place func(dst, values []T, first int, list []int)) {
	zeros := 0
	zero := func(end int) {
		if end > zeros {
			end = min(end+zeroAhead, len(dst))
			clear(dst[zeros:end])
			zeros = end
		}
	}
	u.eachList(buffer, b, index, ranges, zero, func(first int, list []int) {
		place(dst, values[first:first+len(list)], first, list)
	})
	clear(dst[zeros:])
}

func placeLast[T tensor.Real](dst, values []T, _ int, list []int) {
	for i, t := range list {
		if t >= 0 {
			dst[t] = values[i]
		}
	}
}

func placeSum[T tensor.Real](dst, values []T, _ int, list []int) {
	for i, t := range list {
		if t >= 0 {
			dst[t] += values[i]
		}
	}
}

// owners returns for every target of a band the value that wins it, counted from
// 1 (0: none).
func owners[T tensor.Real](u *Unpool, s *kernel.Scratch, b band, buffer []int, values []T, index, ranges []int64) []int {
	owner := kernel.Take[int](s, b.hi-b.lo)
	clear(owner)
	largest := u.Duplicates == LargestWins
	u.eachList(buffer, b, index, ranges, nil, func(first int, list []int) {
		for i, t := range list {
			if t < 0 {
				continue
			}
			if before := owner[t]; largest && before > 0 {
				v, w := values[first+i], values[before-1]
				if !(v > w || v != v && w == w) { // a NaN wins, the first one
					continue
				}
			}
			owner[t] = first + i + 1
		}
	})
	return owner
}

// Gather computes the lists lo <= i < hi of dst[i] = src[target of i]: the
// adjoint of Place under AddUp.
func (u *Unpool) Gather(s *kernel.Scratch, dst, src, index *tensor.Tensor, lo, hi int) {
	if u.DType == tensor.Float32 {
		gather[float32](u, s, dst, src, index, lo, hi)
		return
	}
	gather[float64](u, s, dst, src, index, lo, hi)
}

func gather[F tensor.Floating](u *Unpool, s *kernel.Scratch, dstTensor, srcTensor, indexTensor *tensor.Tensor, lo, hi int) {
	dst, src, index := tensor.Of[F](dstTensor), tensor.Of[F](srcTensor), tensor.Of[int64](indexTensor)
	s.Reset()
	buffer := kernel.Take[int](s, listOf)
	for i := lo; i < hi; i++ {
		first, end := u.list(i)
		list := buffer[:end-first]
		u.targets(list, index, first, 0, math.MaxInt)
		for j, t := range list {
			dst[first+j] = src[t]
		}
	}
}

// Gradient computes the units lo <= i < hi of the gradient of Place with
// respect to the values, under a rule by which one value wins. The gradient of a
// target goes to the value that won it.
func (u *Unpool) Gradient(s *kernel.Scratch, dst, upstream, values, index, ranges *tensor.Tensor, lo, hi int) {
	if u.DType == tensor.Float32 {
		unpoolGradient[float32](u, s, dst, upstream, values, index, ranges, lo, hi)
		return
	}
	unpoolGradient[float64](u, s, dst, upstream, values, index, ranges, lo, hi)
}

func unpoolGradient[F tensor.Floating](u *Unpool, s *kernel.Scratch, dstTensor, upstreamTensor, valuesTensor, indexTensor, rangesTensor *tensor.Tensor, lo, hi int) {
	dst, upstream, values := tensor.Of[F](dstTensor), tensor.Of[F](upstreamTensor), tensor.Of[F](valuesTensor)
	index, ranges := tensor.Of[int64](indexTensor), tensor.Of[int64](rangesTensor)
	for unit := lo; unit < hi; unit++ {
		s.Reset()
		buffer, b := kernel.Take[int](s, listOf), u.band(unit)
		owner := owners(u, s, b, buffer, values, index, ranges)
		u.eachList(buffer, b, index, ranges, nil, func(first int, list []int) {
			for i, t := range list {
				if t < 0 {
					continue
				}
				dst[first+i] = 0
				if owner[t] == first+i+1 {
					dst[first+i] = upstream[b.lo+t]
				}
			}
		})
	}
}

// FirstDuplicate returns the flat positions of the first two values, in
// row-major channels-last order, that go to one cell; ok is false when none do.
func (u *Unpool) FirstDuplicate(index *tensor.Tensor) (first, second int, ok bool) {
	x := &u.Index
	taken := make([]uint64, (x.N*x.Plane()*x.Channels+63)/64)
	buffer := make([]int, listOf)
	shared := -1 // the target that is taken twice
	each := func(do func(i, target int) bool) {
		for l := range u.Lists() {
			first, end := u.list(l)
			list := buffer[:end-first]
			u.targets(list, tensor.Of[int64](index), first, 0, math.MaxInt)
			for i, t := range list {
				if !do(first+i, t) {
					return
				}
			}
		}
	}
	each(func(i, target int) bool {
		bit := uint64(1) << (target % 64)
		if taken[target/64]&bit != 0 {
			second, shared = i, target
			return false
		}
		taken[target/64] |= bit
		return true
	})
	if shared < 0 {
		return -1, 0, false
	}
	each(func(i, target int) bool {
		first = i
		return target != shared
	})
	return first, second, true
}
