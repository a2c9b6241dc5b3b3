package kerneltest

import (
	"math"
	"math/rand/v2"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Palette says what kind of numbers fills a tensor.
type Palette string

// The palettes.
const (
	Ties     Palette = "ties"     // few values, both zeros
	Specials Palette = "specials" // NaN and infinities among them
	Extremes Palette = "extremes" // the ends of the type's range
	Spread   Palette = "spread"   // many magnitudes
)

// Palettes lists all of them.
var Palettes = []Palette{Ties, Specials, Extremes, Spread}

// Fill makes n numbers of a palette.
func Fill[T tensor.Real](random *rand.Rand, p Palette, n int) []T {
	data := make([]T, n)
	for i := range data {
		data[i] = Value[T](random, p)
	}
	return data
}

// Value makes one number of a palette.
func Value[T tensor.Real](random *rand.Rand, p Palette) T {
	var v any
	var zero T
	pick := random.IntN(20)
	switch any(zero).(type) {
	case uint64:
		v = []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, 1 << 63, 1<<53 + 1, random.Uint64(), random.Uint64() >> random.IntN(64)}[pick%8]
	case int64:
		v = []int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MinInt64 + 1, 1<<53 + 1, int64(random.Uint64())}[pick%8]
	case float32:
		v = float32(realNumber(random, p, pick, math.MaxFloat32, math.SmallestNonzeroFloat32))
	case float64:
		v = realNumber(random, p, pick, math.MaxFloat64, math.SmallestNonzeroFloat64)
	default: // up to 32 bits: keep the low ones
		bits := random.Uint32()
		if p == Ties {
			bits = uint32(random.IntN(5)) - 2
		}
		return T(int64(int32(bits))) // wraps
	}
	return v.(T)
}

func realNumber(random *rand.Rand, p Palette, pick int, largest, smallest float64) float64 {
	small := []float64{0, math.Copysign(0, -1), 1, -1, 2, -2, 3, 0.5}[random.IntN(8)]
	switch p {
	case Specials:
		switch pick {
		case 0, 1:
			return math.NaN()
		case 2:
			return math.Inf(1)
		case 3:
			return math.Inf(-1)
		}
		return small
	case Extremes:
		return []float64{largest, -largest, largest / 2, -largest / 2, smallest, -smallest, 1, 0}[pick%8]
	case Spread:
		return random.NormFloat64() * math.Pow(10, float64(random.IntN(9)-4))
	case Ties:
	}
	return small
}
