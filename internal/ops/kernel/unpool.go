package kernel

import "github.com/poolctl/poolctl/internal/tensor"

// Duplicates says what becomes of several values for one cell.
type Duplicates uint8

// The rules for duplicates. LastWins means the last in row-major order of the
// channels-last values.
const (
	LastWins Duplicates = iota
	AddUp
	LargestWins
)

// Unpool is a planned max-unpooling: every value goes to the cell that its
// index names, all other cells are zero.
type Unpool struct {
	Index      Index // of the output
	Values     int   // cells of the input's plane
	Duplicates Duplicates
	DType      tensor.DType // a Real type
}

// crosses reports whether an index may name a cell of another image.
func (u *Unpool) crosses() bool {
	x := &u.Index
	return x.Convention == ONNX || x.Convention == ONNXColumnMajor || x.Convention == TensorFlow && x.Batch
}

// Units returns how many pieces of work there are: images, or one where a value
// may go to another image than its own.
func (u *Unpool) Units() int {
	if u.crosses() {
		return 1
	}
	return u.Index.N
}

// Scratch returns the bytes that a worker needs.
func (u *Unpool) Scratch() int {
	if u.Duplicates != LargestWins {
		return 0
	}
	return 8 * scratchWords[uint64](words(u.images()*u.Index.Plane()*u.Index.Channels))
}

// images returns how many images a unit writes.
func (u *Unpool) images() int {
	if u.crosses() {
		return u.Index.N
	}
	return 1
}

func words(bits int) int { return (bits + 63) / 64 }

// Run computes the units lo <= i < hi from channels-last values and indices,
// which must be within [0, Index.Limit()).
func (u *Unpool) Run(s *Scratch, dst, values, index *tensor.Tensor, lo, hi int) {
	for unit := lo; unit < hi; unit++ {
		switch u.DType {
		case tensor.Uint8:
			unpool[uint8](u, s, dst, values, index, unit)
		case tensor.Int8:
			unpool[int8](u, s, dst, values, index, unit)
		case tensor.Uint16:
			unpool[uint16](u, s, dst, values, index, unit)
		case tensor.Int16:
			unpool[int16](u, s, dst, values, index, unit)
		case tensor.Uint32:
			unpool[uint32](u, s, dst, values, index, unit)
		case tensor.Int32:
			unpool[int32](u, s, dst, values, index, unit)
		case tensor.Uint64:
			unpool[uint64](u, s, dst, values, index, unit)
		case tensor.Int64:
			unpool[int64](u, s, dst, values, index, unit)
		case tensor.Float32:
			unpool[float32](u, s, dst, values, index, unit)
		default:
			unpool[float64](u, s, dst, values, index, unit)
		}
	}
}

func unpool[T tensor.Real](u *Unpool, s *Scratch, dstTensor, valuesTensor, indexTensor *tensor.Tensor, unit int) {
	x := &u.Index
	images := u.images()
	image := x.Plane() * x.Channels
	dst := tensor.Of[T](dstTensor)[unit*images*image:][:images*image]
	values, index := tensor.Of[T](valuesTensor), tensor.Of[int64](indexTensor)
	clear(dst)
	var filled []uint64 // which cells hold a value
	if u.Duplicates == LargestWins {
		s.reset()
		filled = take[uint64](s, words(len(dst)))
		clear(filled)
	}
	from := unit * images * u.Values * x.Channels
	for i := from; i < from+images*u.Values*x.Channels; i++ {
		at := u.target(index[i], i) - unit*images*image
		switch v := values[i]; u.Duplicates {
		case AddUp:
			dst[at] += v
		case LargestWins:
			if w := dst[at]; filled[at/64]>>(at%64)&1 == 0 || v > w || v != v {
				dst[at] = v
			}
			filled[at/64] |= 1 << (at % 64)
		default:
			dst[at] = v
		}
	}
}

// target returns the flat offset in the channels-last output of value i.
func (u *Unpool) target(index int64, i int) int {
	x := &u.Index
	c, n := i%x.Channels, i/x.Channels/u.Values
	n, c, cell := x.Decode(index, n, c)
	return (n*x.Plane()+cell)*x.Channels + c
}

// FirstDuplicate returns the flat positions of the first two values, in
// row-major channels-last order, that go to one cell; ok is false when none do.
func (u *Unpool) FirstDuplicate(index *tensor.Tensor) (first, second int, ok bool) {
	list := tensor.Of[int64](index)
	taken := make([]uint64, words(u.Index.N*u.Index.Plane()*u.Index.Channels))
	for i, v := range list {
		at := u.target(v, i)
		if taken[at/64]>>(at%64)&1 != 0 {
			for j, w := range list[:i] {
				if u.target(w, j) == at {
					return j, i, true
				}
			}
		}
		taken[at/64] |= 1 << (at % 64)
	}
	return 0, 0, false
}
