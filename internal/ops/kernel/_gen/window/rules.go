package window

import "fmt"

// What doc comments say of parameters that many functions have.
const (
	// Fetches says what the parameter fetches is.
	Fetches = "Behind the taps stand fetches offsets of what is worth fetching into L2 for the next row of windows; none if it is 0."
	// Masked says what the parameter mask is.
	Masked = "mask has eight lanes, of which the first n are -1 and the others 0."
)

// Units says what counts bytes and what counts numbers.
func Units(e Element) string {
	what := "n counts numbers"
	if e == Pairs {
		what = "n counts pairs"
	}
	return what + "; taps and step are bytes, multiples of a number's."
}

// AtLeast says how much there must be.
func AtLeast(n int) string {
	return fmt.Sprintf("n is at least %d, ntaps and outputs at least 1.", n)
}

// Streams says what stream demands.
func Streams(bytes, lanes int) string {
	return fmt.Sprintf("With stream != 0 it writes past the caches: dst must then be aligned to %d bytes and n a multiple of %d, and the caller needs a fence.", bytes, lanes)
}
