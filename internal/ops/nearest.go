package ops

import (
	"fmt"
	"strings"
)

// Nearest returns the known word that a misspelt one is nearest to, the first of
// several, or "" if none is near.
func Nearest(word string, known []string) string {
	if near := allNearest(word, known); near != nil {
		return near[0]
	}
	return ""
}

// Suggestion asks, in parentheses after a space, whether the nearest known word is
// meant: all of them if several are equally near, as float16, float32 and float64
// are to float. It is "" if none is near.
func Suggestion(word string, known []string) string {
	near := allNearest(word, known)
	if near == nil {
		return ""
	}
	var list strings.Builder
	for i, k := range near {
		switch {
		case i == 0:
		case i == len(near)-1:
			list.WriteString(" or ")
		default:
			list.WriteString(", ")
		}
		fmt.Fprintf(&list, "%q", k)
	}
	return " (did you mean " + list.String() + "?)"
}

// allNearest returns the known words that a misspelt one is nearest to.
func allNearest(word string, known []string) (near []string) {
	distance := 2
	for _, k := range known {
		d := edits(strings.ToLower(word), strings.ToLower(k))
		if d > distance || d >= len(k) || 3*d > max(len(k), 3) {
			continue
		}
		if d < distance {
			near, distance = nil, d
		}
		near = append(near, k)
	}
	return near
}

// edits returns the edit distance of two words: insertions, deletions,
// substitutions and swaps of neighbours.
func edits(a, b string) int {
	before, row := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := row[j]
			if a[i] != b[j] {
				cost++
			}
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				cost = min(cost, before[j-1]+1)
			}
			next[j+1] = min(cost, row[j+1]+1, next[j]+1)
		}
		before, row = row, next
	}
	return row[len(b)]
}
