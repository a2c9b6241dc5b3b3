package ops

import (
	"math"
	"time"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Roofline is the speed limit of the machine with the threads of a team.
type Roofline struct {
	Copy      float64 // bytes read and written per second by the fastest copy
	PlainCopy float64 // the same with ordinary stores
	Flops     float64 // float32 operations per second in registers; a multiply-add counts as two
}

const (
	// rooflineBytes is the size of each of the two buffers that are copied. It
	// is several times the size of most caches.
	rooflineBytes  = 128 << 20
	rooflineBlock  = 256 << 10 // piece of a plain copy, below the size from which copy streams
	rooflineTrials = 7         // the fastest counts
	rooflineRounds = 1 << 14   // multiply-adds in a piece
	rooflinePieces = 64
)

// RooflineBytes is the memory that MeasureRoofline needs.
const RooflineBytes = 2 * rooflineBytes

// MeasureRoofline times copies of large buffers and multiply-adds in registers,
// on all threads of the team, with the kernels of a level. It takes about a
// quarter of a second.
func MeasureRoofline(team *Team, level kernel.Level) Roofline {
	m := kernel.MachineOf(level)
	src, dst := tensor.Zeros[uint8](rooflineBytes), tensor.Zeros[uint8](rooflineBytes)
	copying := func(do func(dst, src []byte)) func() {
		return func() {
			team.Do(rooflineBytes/rooflineBlock, 0, func(_, lo, hi int) {
				for i := lo; i < hi; i++ {
					at := i * rooflineBlock
					do(dst[at:at+rooflineBlock], src[at:])
				}
			})
		}
	}
	plain := func(dst, src []byte) { copy(dst, src) }
	team.Do(rooflineBytes/rooflineBlock, 0, func(_, lo, hi int) {
		for i := lo * rooflineBlock; i < hi*rooflineBlock; i++ {
			src[i] = byte(i) // unwritten memory is a single page of zeros
		}
	})
	streamTime, plainTime := alternately(copying(m.Copy), copying(plain))
	multiplyTime, _ := alternately(func() {
		team.Do(rooflinePieces, 1, func(_, lo, hi int) { m.MultiplyAdd((hi - lo) * rooflineRounds) })
	}, func() {})
	bytes := 2 * float64(rooflineBytes)
	return Roofline{
		Copy:      bytes / min(streamTime, plainTime),
		PlainCopy: bytes / plainTime,
		Flops:     float64(rooflinePieces*rooflineRounds*m.RoundFlops) / multiplyTime,
	}
}

// alternately runs two functions in turn and returns the shortest time of each,
// in seconds.
func alternately(a, b func()) (leastA, leastB float64) {
	leastA, leastB = math.Inf(1), math.Inf(1)
	for range rooflineTrials {
		start := time.Now()
		a()
		middle := time.Now()
		b()
		leastA = min(leastA, middle.Sub(start).Seconds())
		leastB = min(leastB, time.Since(middle).Seconds())
	}
	return leastA, leastB
}

// Bound is the limit of the machine that an operation meets first.
type Bound struct {
	Seconds float64 // lower bound of the time
	Name    string  // "memory" or "compute"
}

// Bound returns the limit of a plan that reads and writes that many bytes.
// Computing counts the multiply-adds of the definition; an algorithm that needs
// fewer may be faster than the bound.
func (r Roofline) Bound(p *Plan, bytes int64) Bound {
	flops := r.Flops
	if p.Buffers[0].DType.Averaged().Size() == 8 {
		flops /= 2 // a vector holds half as many
	}
	memory := float64(bytes) / r.Copy
	compute := 2 * float64(p.MultiplyAdds) / flops
	if compute > memory {
		return Bound{compute, "compute"}
	}
	return Bound{memory, "memory"}
}
