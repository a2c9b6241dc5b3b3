package pool

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// TestSlidingSums: the sliders of every level over rows of whole numbers, whose
// sums are exact, against the definition; and over any numbers against plain Go,
// to the bit. What stands more than two numbers beyond the row stays.
func TestSlidingSums(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for n := 2; n <= 37; n++ {
		for _, size := range []int{2, 3, 7, 31} {
			for _, cells := range []int{size, size + 1, 2*size - 1, 3*size + size/2} {
				src := make([]float64, n*cells)
				for i := range src {
					src[i] = float64(random.IntN(2000) - 1000)
				}
				want := slideRow(t, slideSums, src, n, size)
				for i := n * (size - 1); i < len(src); i++ {
					sum := 0.0
					for j := range size {
						sum += src[i-j*n]
					}
					if want[i] != sum {
						t.Fatalf("plain Go: cells of %d numbers, windows of %d, %d cells: the window that ends at %d is %v, want %v", n, size, cells, i, want[i], sum)
					}
				}
				for _, values := range [][]float64{src, drawn(random, len(src))} {
					want = slideRow(t, slideSums, values, n, size)
					for level := kernel.Generic; level <= kernel.Detected(); level++ {
						got := slideRow(t, sumSlider(level), values, n, size)
						for i := n * (size - 1); i < len(src); i++ {
							if !sameBits(got[i], want[i]) {
								t.Fatalf("%v: cells of %d numbers, windows of %d, %d cells: the window that ends at %d is %v, plain Go has %v", level, n, size, cells, i, got[i], want[i])
							}
						}
					}
				}
			}
		}
	}
}

func drawn(random *rand.Rand, n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = random.NormFloat64()
		if random.IntN(50) == 0 {
			list[i] = hard64[random.IntN(len(hard64))]
		}
	}
	return list
}

// slideRow returns the windows of a row, whatever stood in the memory before.
func slideRow(t *testing.T, slide slider[float64], src []float64, n, size int) []float64 {
	t.Helper()
	const slack, mark = 2, 77
	room := len(src) + 3*slack + n*size
	memory := make([]float64, 3*room+2*slack)
	for i := range memory {
		memory[i] = mark
	}
	row := memory[slack+slack:]
	copy(row, src)
	windows, ends := row[room:], row[2*room:]
	for at := 0; at < len(src); at += n * size {
		slide(windows, ends, row, at, n, size, min(size, len(src)/n-at/n))
	}
	for i := range slack {
		if memory[i] != mark || windows[len(src)+slack+i] != mark {
			t.Fatalf("cells of %d numbers, windows of %d: a number more than %d before or behind the row was written", n, size, slack)
		}
	}
	for i, v := range src {
		if math.Float64bits(row[i]) != math.Float64bits(v) {
			t.Fatalf("number %d of the row was written", i)
		}
	}
	return windows[:len(src)]
}
