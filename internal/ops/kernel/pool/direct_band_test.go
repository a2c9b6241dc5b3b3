//go:build amd64 && !purego

package pool

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// TestBands: bands of every length of row from 16 to 83 and of some longer ones, at
// every alignment, past the caches and through them, against one window after
// another, to the bit; what stands around the rows of outputs stays.
func TestBands(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for level := kernel.AVX2; level <= kernel.Detected(); level++ {
		table := &directTables[level]
		functions := []struct {
			name   string
			bands  bandFunc
			rows   int // at most
			any    bool
			reduce func(b rowBand, window func(do func(row []float32))) float32
		}{
			{"average", table.bands, bandRows, true, averageOf},
			{"average 3x3", table.average3x3, bandRows3x3, false, averageOf},
			{"max 3x3", table.extrema3x3[0], bandRows3x3, false, extremumOf(kernel.MergeMax[float32])},
			{"min 3x3", table.extrema3x3[1], bandRows3x3, false, extremumOf(kernel.MergeMin[float32])},
		}
		for _, f := range functions {
			if f.bands == nil {
				continue
			}
			odd, even := 0, 0
			for n := scratchLanes; n <= 90; n++ {
				if n > 83 {
					n += random.IntN(200)
				}
				for range 40 {
					if checkBand(t, random, level, f.name, n, f.rows, f.any, f.bands, f.reduce) {
						odd++
					} else {
						even++
					}
				}
			}
			if even == 0 || odd == 0 && !strings.HasPrefix(f.name, "average") {
				t.Errorf("%v: %s: %d bands with NaN and %d without", level, f.name, odd, even)
			}
		}
	}
}

// averageOf sums cells to rows and rows to the window.
func averageOf(b rowBand, window func(do func(row []float32))) float32 {
	sum := math.Copysign(0, -1)
	window(func(row []float32) {
		cells := math.Copysign(0, -1)
		for _, v := range row {
			cells += float64(v)
		}
		sum += cells
	})
	return float32(sum * (1 / float64(b.divisor)))
}

func extremumOf(merge kernel.Merger[float32]) func(b rowBand, window func(do func(row []float32))) float32 {
	return func(_ rowBand, window func(do func(row []float32))) float32 {
		var acc []float32
		window(func(row []float32) {
			for i := range row {
				if acc == nil {
					acc = []float32{row[i]}
				} else {
					merge(acc, acc, row[i:i+1])
				}
			}
		})
		return acc[0]
	}
}

// checkBand reports whether the band is to be computed again because of a NaN.
func checkBand(t *testing.T, random *rand.Rand, level kernel.Level, name string, n, most int, anySize bool, bands bandFunc, reduce func(rowBand, func(func([]float32))) float32) bool {
	t.Helper()
	b := rowBand{rows: 1 + random.IntN(most), step: 1, srcRow: n + random.IntN(40)}
	b.dstRow = []int{n + random.IntN(20), kernel.RoundUp(n, scratchLanes)}[random.IntN(2)]
	b.N, b.Outputs, b.stream = n, 1, random.IntN(2) == 0
	b.nx, b.ny = 3, 3
	if anySize {
		b.step, b.nx, b.ny = 1+random.IntN(2), 1+random.IntN(4), 1+random.IntN(4)
	}
	b.divisor = []int{1, 3, 4, 9, -7, 16}[random.IntN(6)]
	reach := 0
	for range b.nx {
		b.taps = append(b.taps, 4*reach)
		reach += random.IntN(20)
	}
	rows := (b.rows-1)*b.step + b.ny
	src := make([]float32, random.IntN(16)+(rows-1)*b.srcRow+n+b.taps[b.nx-1]/4)
	hard := random.IntN(3)
	for i := range src {
		src[i] = float32(random.NormFloat64())
		if hard == 0 && random.IntN(9) == 0 {
			src[i] = hard32[random.IntN(len(hard32))]
		}
	}
	b.src = src[len(src)-((rows-1)*b.srcRow+n+b.taps[b.nx-1]/4):]
	nan := slices.ContainsFunc(b.src, func(v float32) bool { return v != v })
	const mark = 77
	at := margin/2 + random.IntN(margin/2)
	all := slices.Repeat([]float32{mark}, b.rows*b.dstRow+2*margin)
	b.dst = all[at:]
	buffer := slices.Repeat([]float64{mark}, bandBuffer(b.ny, b.step)+8)
	b.buffer = buffer[:len(buffer)-8]
	again := bands(b)
	if again && !nan {
		t.Fatalf("%v: %s of %d numbers: a NaN was found where there is none", level, name, n)
	}
	for i, got := range all {
		row, x := (i-at)/b.dstRow, (i-at)%b.dstRow
		if i < at || row >= b.rows || x >= n {
			if got != mark {
				t.Fatalf("%v: %s of %d numbers: place %d was written", level, name, n, i-at)
			}
			continue
		}
		want := reduce(b, func(do func(row []float32)) {
			for y := range b.ny {
				var cells []float32
				for _, tap := range b.taps {
					cells = append(cells, b.src[(row*b.step+y)*b.srcRow+x+tap/4])
				}
				do(cells)
			}
		})
		if math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) && !again {
			t.Fatalf("%v: %s, %d x %d of %d numbers by %d, row %d: number %d is %v, want %v", level, name, b.ny, b.nx, n, b.divisor, row, x, got, want)
		}
	}
	for _, v := range buffer[len(b.buffer):] {
		if v != mark {
			t.Fatalf("%v: %s of %d numbers: the buffer was overrun", level, name, n)
		}
	}
	return again
}
