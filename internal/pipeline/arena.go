package pipeline

import (
	"cmp"
	"slices"
)

// region is a part of the arena that is in use from its first task to its last,
// both included.
type region struct {
	words       int
	first, last int // tasks
	at          int // its offset, once it is placed
}

// end returns the word after the region.
func (r *region) end() int { return r.at + r.words }

// mostWords bounds an arena: its bytes fit an int.
const mostWords = 1<<60 - 1

// place gives every region an offset so that no two overlap both in memory and
// in time, and returns how many words that takes; ok is false if that number
// does not fit. The largest are placed first, each at the lowest place where
// there is room for it (greedy by size: Pisarchyk and Lee 2020, Efficient
// Memory Management for Deep Neural Net Inference).
func place(regions []*region) (words int, ok bool) {
	bySize := slices.Clone(regions)
	slices.SortStableFunc(bySize, func(a, b *region) int { return cmp.Compare(b.words, a.words) })
	var placed []*region // by place
	for _, r := range bySize {
		if r.words == 0 {
			continue
		}
		r.at = 0
		for _, other := range placed {
			if other.first > r.last || other.last < r.first {
				continue
			}
			if other.at >= r.end() {
				break
			}
			r.at = max(r.at, other.end())
		}
		if r.words > mostWords-r.at {
			return 0, false
		}
		i, _ := slices.BinarySearchFunc(placed, r, func(a, b *region) int { return cmp.Compare(a.at, b.at) })
		placed = slices.Insert(placed, i, r)
		words = max(words, r.end())
	}
	return words, true
}
