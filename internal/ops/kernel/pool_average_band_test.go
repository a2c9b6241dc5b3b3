//go:build amd64 && !purego

package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBandsAverageAsOneWindowAfterAnother: bands of every length of row from 16 to
// 83, at every alignment, past the caches and through them, to the bit; what
// stands around the rows of outputs stays.
func TestBandsAverageAsOneWindowAfterAnother(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for level := AVX2; level <= Detected(); level++ {
		for n := scratchLanes; n <= 83; n++ {
			for range 40 {
				checkBand(t, random, level, n)
			}
		}
	}
}

func checkBand(t *testing.T, random *rand.Rand, level Level, n int) {
	b := rowBand{rows: 1 + random.IntN(bandRows), step: 1 + random.IntN(2), srcRow: n + random.IntN(40)}
	b.dstRow = []int{n + random.IntN(20), roundUp(n, scratchLanes)}[random.IntN(2)]
	b.n, b.outputs, b.stream = n, 1, random.IntN(2) == 0
	b.nx, b.ny = 1+random.IntN(4), 1+random.IntN(4)
	b.divisor = []int{1, 3, 4, 9, -7, 16}[random.IntN(6)]
	reach := 0
	for range b.nx {
		b.taps = append(b.taps, 4*reach)
		reach += random.IntN(20)
	}
	rows := (b.rows-1)*b.step + b.ny
	src := make([]float32, random.IntN(16)+(rows-1)*b.srcRow+n+b.taps[b.nx-1]/4)
	for i := range src {
		src[i] = float32(random.NormFloat64())
		if random.IntN(9) == 0 {
			src[i] = hard32[random.IntN(len(hard32))]
		}
	}
	b.src = src[len(src)-((rows-1)*b.srcRow+n+b.taps[b.nx-1]/4):]
	const mark = 77
	at := margin/2 + random.IntN(margin/2)
	all := slices.Repeat([]float32{mark}, b.rows*b.dstRow+2*margin)
	b.dst = all[at:]
	buffer := slices.Repeat([]float64{mark}, bandBuffer(b.ny, b.step)+8)
	b.buffer = buffer[:len(buffer)-8]
	directTables[level].bands(b)
	for i, got := range all {
		row, x := (i-at)/b.dstRow, (i-at)%b.dstRow
		if i < at || row >= b.rows || x >= n {
			if got != mark {
				t.Fatalf("%v: %d numbers: place %d was written", level, n, i-at)
			}
			continue
		}
		sum := math.Copysign(0, -1)
		for y := range b.ny {
			cells := math.Copysign(0, -1)
			for _, tap := range b.taps {
				cells += float64(b.src[(row*b.step+y)*b.srcRow+x+tap/4])
			}
			sum += cells
		}
		want := float32(sum / float64(b.divisor))
		if math.Float32bits(got) != math.Float32bits(want) && (got == got || want == want) {
			t.Fatalf("%v: %d x %d of %d numbers by %d, row %d: number %d is %v, want %v", level, b.ny, b.nx, n, b.divisor, row, x, got, want)
		}
	}
	for _, v := range buffer[len(b.buffer):] {
		if v != mark {
			t.Fatalf("%v: %d numbers: the buffer was overrun", level, n)
		}
	}
}
