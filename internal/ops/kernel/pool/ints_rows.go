package pool

import (
	"math"
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// intOp is how two accumulators are combined: a maximum or minimum of one
// element type, or an addition of sums of 16 or 32 bits.
type intOp int

// The first four are maxima and the next four minima, in the order of the
// element types Uint8, Int8, Uint16, Int16.
const (
	opMin  intOp = 4
	opAdd  intOp = 8 // of 16 bits, then of 32
	intOps intOp = 10
)

// intTable holds the row functions of a CPU level for 8- and 16-bit integers;
// without them everything is done in plain Go. Lengths are bytes of dst and at
// least a vector.
type intTable struct {
	vector  int // bytes
	fold    [intOps]func(dst, src *byte, taps *int, ntaps, n, outputs, step, stream int)
	halve   [intOps]func(dst, src *byte, taps *int, ntaps, n int, shuffle *byte, stream int)
	squeeze [intOps]func(dst, src *byte, taps *int, ntaps, groups, step, bytes int, shuffle *byte)
	merge   [opAdd]func(dst, a, b *byte, n int)
	advance [opAdd]func(dst, longer, prefix, more, suffix *byte, n int)

	// By type of element and sum: those of bytes to 16 bits, to 32, and those of
	// 16 bits.
	sums  [6]func(dst, src *byte, taps *int, ntaps, n int)
	slide [6]func(dst, src, add, sub *byte, n int)

	quotient [3]func(dst, src *byte, n int, by float32, multiply, stream int) // of unsigned and signed sums of 16 bits, of 32
	precise  func(dst, src *byte, n int, divisor float64)
	magic    func(dst, src *byte, n, down, up, magic, shift, stream int)
	round    [2]func(dst, src *byte, n int, by float32, multiply int) // to bytes, to 16 bits
}

// view returns memory as a slice of another type; its length is a multiple of
// the type's size and it is aligned.
func view[T any](b []byte) []T {
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(t)))
}

// memory returns a slice's memory.
func memory[T tensor.Real](s []T) []byte {
	var t T
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(t)))
}

// plain is the functions of one operation in plain Go.
type plain struct {
	merge func(dst, a, b []byte)
	cells func(dst, src []byte, taps []int, n, outputs, step int)
}

func plainly[T tensor.Real](merge kernel.Merger[T], cells func(dst, src []T, taps []int, n, outputs, step int)) plain {
	return plain{
		func(dst, a, b []byte) { merge(view[T](dst), view[T](a), view[T](b)) },
		func(dst, src []byte, taps []int, n, outputs, step int) {
			size := int(unsafe.Sizeof(*new(T)))
			cells(view[T](dst), view[T](src), taps, n/size, outputs, step/size)
		},
	}
}

var plainOps = [intOps]plain{
	plainly(kernel.MergeMax[uint8], maxCells[uint8]), plainly(kernel.MergeMax[int8], maxCells[int8]),
	plainly(kernel.MergeMax[uint16], maxCells[uint16]), plainly(kernel.MergeMax[int16], maxCells[int16]),
	plainly(kernel.MergeMin[uint8], minCells[uint8]), plainly(kernel.MergeMin[int8], minCells[int8]),
	plainly(kernel.MergeMin[uint16], minCells[uint16]), plainly(kernel.MergeMin[int16], minCells[int16]),
	plainly(mergeAdd[uint16], addCells[uint16]), plainly(mergeAdd[uint32], addCells[uint32]),
}

func mergeAdd[T uint16 | uint32](dst, a, b []T) {
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = a[i] + b[i]
	}
}

// maxCells, minCells and addCells reduce outputs of n numbers that are step
// numbers apart; taps are in bytes.

func maxCells[T uint8 | int8 | uint16 | int16](dst, src []T, taps []int, n, outputs, step int) {
	for o := range outputs {
		for i := range n {
			v := src[taps[0]/int(unsafe.Sizeof(src[0]))+o*step+i]
			for _, t := range taps[1:] {
				v = max(v, src[t/int(unsafe.Sizeof(v))+o*step+i])
			}
			dst[o*n+i] = v
		}
	}
}

func minCells[T uint8 | int8 | uint16 | int16](dst, src []T, taps []int, n, outputs, step int) {
	for o := range outputs {
		for i := range n {
			v := src[taps[0]/int(unsafe.Sizeof(src[0]))+o*step+i]
			for _, t := range taps[1:] {
				v = min(v, src[t/int(unsafe.Sizeof(v))+o*step+i])
			}
			dst[o*n+i] = v
		}
	}
}

func addCells[T uint16 | uint32](dst, src []T, taps []int, n, outputs, step int) {
	for o := range outputs {
		for i := range n {
			var v T
			for _, t := range taps {
				v += src[t/int(unsafe.Sizeof(v))+o*step+i]
			}
			dst[o*n+i] = v
		}
	}
}

// mergeRows combines two rows; dst may be a or b.
func (t *intTable) mergeRows(op intOp, dst, a, b []byte) {
	n := len(dst)
	if t.vector == 0 || n < t.vector {
		plainOps[op].merge(dst, a, b)
		return
	}
	_, _ = a[n-1], b[n-1]
	t.merge[op](&dst[0], &a[0], &b[0], n)
}

// advanceRows sets longer to prefix combined with more, and dst to that combined
// with suffix; longer may be prefix.
func (t *intTable) advanceRows(op intOp, dst, longer, prefix, more, suffix []byte) {
	n := len(dst)
	if t.vector == 0 || n < t.vector {
		plainOps[op].merge(longer[:n], prefix, more)
		plainOps[op].merge(dst, longer, suffix)
		return
	}
	_, _, _, _ = longer[n-1], prefix[n-1], more[n-1], suffix[n-1]
	t.advance[op](&dst[0], &longer[0], &prefix[0], &more[0], &suffix[0], n)
}

// foldRow reduces a row of windows side by side: byte i of dst is that of the
// bytes i of src from each tap on.
func (t *intTable) foldRow(op intOp, dst, src []byte, taps []int, stream bool) {
	n := len(dst)
	if t.vector == 0 || n < t.vector {
		p := &plainOps[op]
		copy(dst, src[taps[0]:])
		for _, tap := range taps[1:] {
			p.merge(dst, dst, src[tap:])
		}
		return
	}
	fold, list := t.fold[op], unsafe.SliceData(taps)
	pieces(dst, t.vector, stream, func(at, n, stream int) {
		fold(&dst[at], &src[at], list, len(taps), n, 1, 0, stream)
	})
}

// foldCells reduces outputs of n bytes that are step bytes apart in src.
// Behind what src needs there are 16 bytes more; last is 16 bytes of scratch
// memory.
func (t *intTable) foldCells(op intOp, dst, src []byte, taps []int, n, step int, shuffle *shuffling, last []byte, stream bool) {
	outputs := len(dst) / n
	switch {
	case t.vector == 0:
		plainOps[op].cells(dst, src, taps, n, outputs, step)
	case n >= t.vector:
		t.fold[op](&dst[0], &src[0], unsafe.SliceData(taps), len(taps), n, outputs, step, 0)
	case shuffle.halves && len(dst) >= t.vector:
		halve, list := t.halve[op], unsafe.SliceData(taps)
		pieces(dst, t.vector, stream, func(at, n, stream int) {
			halve(&dst[at], &src[2*at], list, len(taps), n, &shuffle.order[0], stream)
		})
	case n <= 16:
		t.squeezeCells(op, dst, src, taps, n, step, shuffle, last)
	default: // 16 bytes of a cell after another; the last ones overlap
		for o := range outputs {
			for at := 0; at < n; at += 16 {
				at = min(at, n-16)
				t.squeeze[op](&dst[o*n+at], &src[o*step+at], unsafe.SliceData(taps), len(taps), 1, step, 16, &shuffle.order[0])
			}
		}
	}
}

// squeezeCells is foldCells for cells of up to 16 bytes. What a group writes too
// far the next one puts right; the last ones are written by way of a buffer.
func (t *intTable) squeezeCells(op intOp, dst, src []byte, taps []int, n, step int, shuffle *shuffling, last []byte) {
	outputs := len(dst) / n
	list, bytes := unsafe.SliceData(taps), shuffle.outputs*n
	groups := 0
	if len(dst) >= 16 {
		groups = (len(dst)-16)/bytes + 1
	}
	if groups > 0 {
		t.squeeze[op](&dst[0], &src[0], list, len(taps), groups, shuffle.outputs*step, bytes, &shuffle.order[0])
	}
	for o := groups * shuffle.outputs; o < outputs; o += shuffle.outputs {
		t.squeeze[op](&last[0], &src[o*step], list, len(taps), 1, 0, bytes, &shuffle.order[0])
		copy(dst[o*n:min(len(dst), o*n+bytes)], last)
	}
}

// shuffling is how outputs of n bytes, step bytes apart, are brought together
// within 16 bytes.
type shuffling struct {
	order   [16]byte
	outputs int  // of 16 bytes
	halves  bool // outputs are every other cell, and cells divide 16 bytes
}

func newShuffling(n, step int) *shuffling {
	s := &shuffling{outputs: 1, halves: step == 2*n && 8%n == 0}
	if n < 16 {
		s.outputs = min(16/n, (16-n)/step+1)
	}
	for i := range s.order {
		s.order[i] = 0x80 // zero
		if n >= 16 {
			s.order[i] = byte(i)
		} else if i < n*s.outputs {
			s.order[i] = byte(i/n*step + i%n)
		}
	}
	return s
}

// pieces calls do for all of a row, or, where it is streamed, for the whole
// vectors at addresses that are multiples of one, and for the ends on both sides,
// which overlap them.
func pieces(dst []byte, vector int, stream bool, do func(at, n, stream int)) {
	if !stream || len(dst) < 4*vector {
		do(0, len(dst), 0)
		return
	}
	head := (vector - kernel.Misaligned(dst, vector)) % vector
	whole := (len(dst) - head) &^ (vector - 1)
	if head > 0 {
		do(0, vector, 0)
	}
	do(head, whole, 1)
	if head+whole < len(dst) {
		do(len(dst)-vector, vector, 0)
	}
}

// widen is a type of elements and of sums, in the order of intTable.sums.
type widen struct {
	wider int // how many times as many bytes a sum has
	sums  func(dst, src []byte, taps []int)
	slide func(dst, add, sub []byte)
}

func widening[T uint8 | int8 | uint16 | int16, W uint16 | uint32]() widen {
	var element T
	var sum W
	size := int(unsafe.Sizeof(element))
	return widen{int(unsafe.Sizeof(sum)) / size, func(dst, src []byte, taps []int) {
		sums, from := view[W](dst), view[T](src)
		for i, v := range from[taps[0]/size:][:len(sums)] {
			sums[i] = W(v)
		}
		for _, tap := range taps[1:] {
			for i, v := range from[tap/size:][:len(sums)] {
				sums[i] += W(v)
			}
		}
	}, func(dst, add, sub []byte) {
		sums := view[W](dst)
		more, less := view[T](add)[:len(sums)], view[T](sub)[:len(sums)]
		for i := range sums {
			sums[i] += W(more[i]) - W(less[i])
		}
	}}
}

var widens = [6]widen{
	widening[uint8, uint16](), widening[int8, uint16](),
	widening[uint8, uint32](), widening[int8, uint32](),
	widening[uint16, uint32](), widening[int16, uint32](),
}

// sumRows adds up the rows of src that begin at the taps.
func (t *intTable) sumRows(kind int, dst, src []byte, taps []int) {
	if t.vector == 0 || len(dst) < t.vector {
		widens[kind].sums(dst, src, taps)
		return
	}
	t.sums[kind](&dst[0], &src[0], unsafe.SliceData(taps), len(taps), len(dst))
}

// slideRow adds a row to sums and takes another one off.
func (t *intTable) slideRow(kind int, dst, add, sub []byte) {
	n := 0
	if t.vector > 0 {
		n = len(dst) &^ (t.vector - 1) // in place: vectors must not overlap
	}
	from := n / widens[kind].wider
	_, _ = add[len(dst)/widens[kind].wider-1], sub[len(dst)/widens[kind].wider-1]
	if n > 0 {
		t.slide[kind](&dst[0], &dst[0], &add[0], &sub[0], n)
	}
	if n < len(dst) {
		widens[kind].slide(dst[n:], add[from:], sub[from:])
	}
}

// exactSum is the magnitude up to which float32 holds every integer, and the
// quotient of two of them is rounded once and as float64 would have it rounded.
const exactSum = 1 << 24

// factor returns what float32 quotients by a divisor are made with: its
// reciprocal, to multiply by, where that is exact.
func factor(divisor int) (by float32, multiply int) {
	if magnitude := max(divisor, -divisor); magnitude&(magnitude-1) == 0 {
		return 1 / float32(divisor), 1
	}
	return float32(divisor), 0
}

// divideRow writes sums divided as float32. The sums are unsigned or signed of 16
// bits, or signed of 32.
func (t *intTable) divideRow(dst []float32, src []byte, kind, divisor int, large, stream bool) {
	to := memory(dst)
	least := t.vector
	if large {
		least /= 2
	}
	switch {
	case t.vector == 0 || len(to) < least:
		switch kind {
		case 0:
			divideSums(dst, view[uint16](src), divisor)
		case 1:
			divideSums(dst, view[int16](src), divisor)
		default:
			divideSums(dst, view[int32](src), divisor)
		}
	case large:
		t.precise(&to[0], &src[0], len(to), float64(divisor))
	default:
		by, multiply := factor(divisor)
		size := 2
		if kind == 2 {
			size = 4
		}
		pieces(to, t.vector, stream, func(at, n, stream int) {
			t.quotient[kind](&to[at], &src[at/4*size], n, by, multiply, stream)
		})
	}
}

func divideSums[W uint16 | int16 | int32](dst []float32, src []W, divisor int) {
	for i := range dst {
		dst[i] = float32(float64(src[i]) / float64(divisor))
	}
}

// roundRow writes sums divided and rounded as their float32 quotients would be in
// a picture: to the nearest integer, ties to even. The sums are of 16 bits and
// the results bytes where size is 1 and bits 16; else the sums are of 32 bits.
func (t *intTable) roundRow(dst, src []byte, size, bits, divisor int, large bool, stream bool) {
	switch {
	case bits == 16 && t.vector > 0 && len(dst) >= t.vector && divisor > 1:
		m := newMagic(divisor)
		pieces(dst, t.vector, stream, func(at, n, stream int) {
			t.magic(&dst[at], &src[2*at], n, m.down, m.up, m.factor, m.shift, stream)
		})
	case bits == 16:
		roundSums(dst, view[uint16](src), divisor)
	case t.vector > 0 && len(dst) >= t.vector/4*size && !large:
		by, multiply := factor(divisor)
		t.round[size-1](&dst[0], &src[0], len(dst), by, multiply)
	case size == 1:
		roundSums(dst, view[uint32](src), divisor)
	default:
		roundSums(view[uint16](dst), view[uint32](src), divisor)
	}
}

func roundSums[T uint8 | uint16, W uint16 | uint32](dst []T, src []W, divisor int) {
	for i := range dst {
		dst[i] = T(math.RoundToEven(float64(float32(float64(src[i]) / float64(divisor)))))
	}
}

// magic divides x of up to 255 times the divisor and a half by x*factor >>
// (16+shift), for divisors from 2 to mostMagic.
type magic struct{ down, up, factor, shift int }

const mostMagic = 128

func newMagic(divisor int) magic {
	shift := -1
	for d := divisor - 1; d > 0; d >>= 1 {
		shift++
	}
	return magic{(divisor - 1) / 2, divisor / 2, (1<<(16+shift) + divisor - 1) / divisor, shift}
}

// finishPicture is the separable kernel's way of making a picture.
func finishPicture[T tensor.Real](f Finishing[T, T], acc []float64) {
	eachSpan(&f, acc, func(_ int, acc []float64, dst []T, divisor float64) {
		for i, sum := range acc {
			dst[i] = T(math.RoundToEven(float64(float32(sum / divisor))))
		}
	})
}
