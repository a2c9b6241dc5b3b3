package kernel

import "unsafe"

// Scratch is one worker's memory. A unit takes it piece by piece.
type Scratch struct {
	words []uint64
	used  int // words
}

// NewScratch allocates n bytes.
func NewScratch(n int) Scratch { return Scratch{words: make([]uint64, (n+7)/8)} }

// ScratchOver uses the given words.
func ScratchOver(words []uint64) Scratch { return Scratch{words: words} }

// Reset makes the whole memory available again.
func (s *Scratch) Reset() { s.used = 0 }

// Take returns n elements of uninitialised memory. T must hold no pointers.
func Take[T any](s *Scratch, n int) []T {
	words := Words[T](n)
	if n == 0 {
		return nil
	}
	part := s.words[s.used : s.used+words]
	s.used += words
	return unsafe.Slice((*T)(unsafe.Pointer(&part[0])), n)
}

// TakeLines is Take, aligned to a cache line.
func TakeLines[T any](s *Scratch, n int) []T {
	for s.used < len(s.words) && uintptr(unsafe.Pointer(&s.words[s.used]))%64 != 0 {
		s.used++
	}
	return Take[T](s, n)
}

// LineWords is how many words TakeLines may need in addition to Words.
const LineWords = 7

// Words returns how many words Take needs for n elements.
func Words[T any](n int) int {
	var t T
	return (n*int(unsafe.Sizeof(t)) + 7) / 8
}

// RoundUp rounds n >= 0 up to a multiple.
func RoundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
