package ops

import (
	"math"
	"math/bits"
)

// philox is the counter-based generator Philox4x32-10 (Salmon et al., Parallel
// Random Numbers: As Easy as 1, 2, 3, SC 2011). Keys and counters are those of
// GuardedPhiloxRandom in TensorFlow, so that equal seeds give equal numbers.
type philox struct {
	key     [2]uint32
	counter [4]uint32
	block   [4]uint32
	used    int // numbers taken from block
}

// newPhilox returns the generator for a global and an operation seed.
func newPhilox(graph, op uint64) *philox {
	return &philox{
		key:     [2]uint32{uint32(graph), uint32(graph >> 32)},
		counter: [4]uint32{0, 0, uint32(op), uint32(op >> 32)},
		used:    4,
	}
}

// reserve returns a generator that starts here, and advances this one past n
// numbers.
func (p *philox) reserve(n int) *philox {
	reserved := *p
	reserved.used = 4
	for range (n + 3) / 4 {
		p.advance()
	}
	return &reserved
}

func (p *philox) advance() {
	for i := range p.counter {
		p.counter[i]++
		if p.counter[i] != 0 {
			return
		}
	}
}

// uint32 returns the next 32 random bits.
func (p *philox) uint32() uint32 {
	if p.used == len(p.block) {
		p.block = p.rounds()
		p.advance()
		p.used = 0
	}
	p.used++
	return p.block[p.used-1]
}

// float64 returns a number in [0, 1) with 52 random bits.
func (p *philox) float64() float64 {
	high, low := uint64(p.uint32()), uint64(p.uint32())
	return math.Float64frombits(1023<<52|high&0xfffff<<32|low) - 1
}

func (p *philox) rounds() [4]uint32 {
	const (
		multiplierA, multiplierB = 0xD2511F53, 0xCD9E8D57
		weylA, weylB             = 0x9E3779B9, 0xBB67AE85
	)
	c, k := p.counter, p.key
	for range 10 {
		hiA, loA := bits.Mul32(multiplierA, c[0])
		hiB, loB := bits.Mul32(multiplierB, c[2])
		c = [4]uint32{hiB ^ c[1] ^ k[0], loB, hiA ^ c[3] ^ k[1], loA}
		k[0] += weylA
		k[1] += weylB
	}
	return c
}
