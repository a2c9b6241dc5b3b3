//go:build amd64 && !purego

package kernel

import "unsafe"

//go:generate go -C _gen run ./roofline

// Floating-point operations of a round: 12 vectors, a multiplication and an
// addition for each number.
const (
	roundFlopsAVX2   = 12 * 8 * 2
	roundFlopsAVX512 = 12 * 16 * 2
)

func assembledMachine(level Level) (Machine, bool) {
	switch level {
	case AVX2:
		return Machine{streamed(streamCopyAVX2, 32), multiplyAddsAVX2, roundFlopsAVX2}, true
	case AVX512:
		return Machine{streamed(streamCopyAVX512, 64), multiplyAddsAVX512, roundFlopsAVX512}, true
	case Generic:
	}
	return Machine{}, false
}

// streamed makes a copy of any slices from a copy of aligned blocks. What is left at
// both ends is copied by ordinary stores.
func streamed(blocks func(to, from *byte, blocks int), vector int) func(dst, src []byte) {
	return func(dst, src []byte) {
		src = src[:len(dst)]
		if len(dst) == 0 {
			return
		}
		head := min(len(dst), int(-uintptr(unsafe.Pointer(&dst[0]))&uintptr(vector-1)))
		copy(dst[:head], src)
		dst, src = dst[head:], src[head:]
		n := len(dst) / (4 * vector)
		if n > 0 {
			blocks(&dst[0], &src[0], n)
		}
		copy(dst[n*4*vector:], src[n*4*vector:])
	}
}
