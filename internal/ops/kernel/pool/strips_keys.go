package pool

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// A key packs a number and its place into one int64. The upper half is the number's
// order among all of its type, the lower half the complement of its offset within
// the image. So the maximum of keys, merged in any order, belongs to the first of
// the best numbers. -0 and 0 have the same order; the number itself is read again
// at the place that won.

// keyOrder says how numbers are ordered.
type keyOrder struct {
	reverse int32 // -1 for minima: all bits turned
	nan     int32 // the order of NaN: above all others, or below when they are ignored
}

// keysUpTo is the most elements of an image whose places fit into half a key.
const keysUpTo = math.MaxUint32

func newKeyOrder(spec *Spec) keyOrder {
	o := keyOrder{nan: math.MaxInt32}
	if spec.Reduction == Min {
		o.reverse = -1
	}
	if spec.IgnoreNaN {
		o.nan = math.MinInt32
	}
	return o
}

// key32 reports whether numbers of the type have an order of 32 bits.
func key32(d tensor.DType) bool { return d.Size() <= 4 }

// loadKeys makes the keys of numbers of at most 32 bits, the first of which
// stands at an offset within the image.
func loadKeys[T tensor.Real](acc []int64, src []T, at int, o keyOrder) {
	for i, v := range src {
		acc[i] = int64(o.of(orderOf(v), v != v))<<32 | int64(^uint32(at+i))
	}
}

// loadIntegerKeys is loadKeys for integers that are their own order.
func loadIntegerKeys[T tensor.Real](acc []int64, src []T, at int, o keyOrder) {
	acc = acc[:len(src)]
	for i, v := range src {
		acc[i] = int64(int32(v)^o.reverse)<<32 | int64(^uint32(at+i))
	}
}

func (o keyOrder) of(order int32, nan bool) int32 {
	if nan {
		return o.nan
	}
	return order ^ o.reverse
}

// orderOf numbers the values of a type of at most 32 bits in their order; 0 and
// -0 are one.
func orderOf[T tensor.Real](number T) int32 {
	switch v := any(number).(type) {
	case float32:
		bits := int32(math.Float32bits(v + 0))
		return bits ^ bits>>31&math.MaxInt32
	case uint32:
		return int32(v ^ 1<<31)
	default:
		return int32(int64(number))
	}
}

func mergeKeys(dst, a, b []int64) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = max(a[i], b[i])
	}
}

// keyLoader returns the loader of keys.
func keyLoader[T tensor.Real](spec *Spec) loader[T, int64] {
	order := newKeyOrder(spec)
	fast, ok := any(foldTables[spec.Level].load).(func(acc []int64, src []T, at int, o keyOrder))
	switch d := tensor.TypeOf[T](); {
	case ok && fast != nil:
	case d.IsInteger() && d != tensor.Uint32:
		fast = loadIntegerKeys[T]
	default:
		fast = loadKeys[T]
	}
	return func(acc []int64, src []T, at int) { fast(acc, src, at, order) }
}

func finishKeys[T tensor.Real](f Finishing[T, T], acc []int64) {
	dst, argmax := f.dst[f.at:][:len(acc)], f.argmax[f.at:][:len(acc)]
	x := &f.Spec.Index
	switch {
	case f.Spec.ChannelsFirst:
		n, c := f.image/x.Channels, f.image%x.Channels
		for i, key := range acc {
			at := ^uint32(key)
			dst[i], argmax[i] = f.src[at], x.Encode(n, c, int(at))
		}
	case x.Convention == TensorFlow: // the offset in memory, but for the batch
		base := int64(0)
		if x.Batch {
			base = int64(f.image * len(f.src))
		}
		for i, key := range acc {
			at := ^uint32(key)
			dst[i], argmax[i] = f.src[at], base+int64(at)
		}
	default:
		for i, key := range acc {
			at := int(^uint32(key))
			dst[i], argmax[i] = f.src[at], x.Encode(f.image, at%f.inner, at/f.inner)
		}
	}
}
