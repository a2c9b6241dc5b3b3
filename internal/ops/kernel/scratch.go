package kernel

import "unsafe"

// Scratch is one worker's memory, handed out piece by piece within a unit.
type Scratch struct {
	words []uint64
	used  int // words
}

// NewScratch books n bytes.
func NewScratch(n int) Scratch { return Scratch{words: make([]uint64, (n+7)/8)} }

// ScratchOver uses the given words.
func ScratchOver(words []uint64) Scratch { return Scratch{words: words} }

// Reset makes the whole memory available again.
func (s *Scratch) Reset() { s.used = 0 }

// Take hands out n elements of uninitialised memory. T must hold no pointers.
func Take[T any](s *Scratch, n int) []T {
	words := Words[T](n)
	if n == 0 {
		return nil
	}
	part := s.words[s.used : s.used+words]
	s.used += words
	return unsafe.Slice((*T)(unsafe.Pointer(&part[0])), n)
}

// TakeLines is take from the beginning of a cache line on.
func TakeLines[T any](s *Scratch, n int) []T {
	for s.used < len(s.words) && uintptr(unsafe.Pointer(&s.words[s.used]))%64 != 0 {
		s.used++
	}
	return Take[T](s, n)
}

// LineWords is what TakeLines may need beside Words.
const LineWords = 7

// Words returns how many words take needs for n elements.
func Words[T any](n int) int {
	var t T
	return (n*int(unsafe.Sizeof(t)) + 7) / 8
}

// RoundUp returns the least multiple that is not below n >= 0.
func RoundUp(n, multiple int) int { return (n + multiple - 1) / multiple * multiple }
