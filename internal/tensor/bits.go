package tensor

import "unsafe"

// Data that is only moved needs no more than its size: it is moved as bytes, or
// as Bits of that size.

// Bits is the set of types that elements are moved as, whatever they are.
type Bits interface {
	uint8 | uint16 | uint32 | uint64 | float32 | float64
}

// Bytes returns the memory of t's elements.
func Bytes(t *Tensor) []byte {
	r := t.DType.row()
	return unsafe.Slice((*byte)(r.memory(t.Data)), t.Len()*r.size())
}

// BitsOf returns t's elements as the bits that they are made of. B must have
// their size.
func BitsOf[B Bits](t *Tensor) []B {
	r := t.DType.row()
	if SizeOf[B]() != r.size() {
		panic("tensor: bits of another size than " + t.DType.String())
	}
	return unsafe.Slice((*B)(r.memory(t.Data)), t.Len())
}

// CopyRuns copies, for lo <= o < hi, run elements from position o·srcStep + srcAt
// of src to o·dstStep + dstAt of dst, which is of the same type.
func CopyRuns(dst, src *Tensor, run, dstStep, dstAt, srcStep, srcAt, lo, hi int) {
	size := dst.DType.Size()
	to, from := Bytes(dst), Bytes(src)
	run, dstStep, dstAt, srcStep, srcAt = run*size, dstStep*size, dstAt*size, srcStep*size, srcAt*size
	switch run {
	case 0:
		return
	case 1: // the runs that one instruction moves
		for o := lo; o < hi; o++ {
			to[o*dstStep+dstAt] = from[o*srcStep+srcAt]
		}
	case 2:
		for o := lo; o < hi; o++ {
			*(*[2]byte)(to[o*dstStep+dstAt:]) = [2]byte(from[o*srcStep+srcAt:])
		}
	case 4:
		for o := lo; o < hi; o++ {
			*(*[4]byte)(to[o*dstStep+dstAt:]) = [4]byte(from[o*srcStep+srcAt:])
		}
	case 8:
		for o := lo; o < hi; o++ {
			*(*[8]byte)(to[o*dstStep+dstAt:]) = [8]byte(from[o*srcStep+srcAt:])
		}
	default:
		for o := lo; o < hi; o++ {
			copy(to[o*dstStep+dstAt:][:run], from[o*srcStep+srcAt:])
		}
	}
}

// Repeat fills dst with the elements of src, which is of the same type, again
// and again.
func Repeat(dst, src *Tensor) {
	to, period := Bytes(dst), Bytes(src)
	for len(to) > 0 && len(period) > 0 {
		to = to[copy(to, period):]
	}
}

// Zero sets every element to 0.
func Zero(t *Tensor) { clear(Bytes(t)) }
