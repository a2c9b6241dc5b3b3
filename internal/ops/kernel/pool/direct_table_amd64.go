//go:build amd64 && !purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

//go:generate go -C ../_gen run ./direct

// directTables holds the direct kernels of every level.
var directTables = [...]directTable{
	kernel.AVX2: {
		lanes: 8,
		extrema: [4]func(r Run, lanes *[16]int32){
			windowsAVX2(wideMaxAVX2, evenMaxAVX2, quadMaxAVX2, narrowMaxAVX2),
			windowsAVX2(wideMaxIgnoreNaNAVX2, evenMaxIgnoreNaNAVX2, quadMaxIgnoreNaNAVX2, narrowMaxIgnoreNaNAVX2),
			windowsAVX2(wideMinAVX2, evenMinAVX2, quadMinAVX2, narrowMinAVX2),
			windowsAVX2(wideMinIgnoreNaNAVX2, evenMinIgnoreNaNAVX2, quadMinIgnoreNaNAVX2, narrowMinIgnoreNaNAVX2),
		},
		locate: [4]func(r Run, mask *[16]int32){
			locator(quadLocators[0], wideLocator{8, locateWideMaxAVX2}),
			locator(quadLocators[1], wideLocator{8, locateWideMaxIgnoreNaNAVX2}),
			locator(quadLocators[2], wideLocator{8, locateWideMinAVX2}),
			locator(quadLocators[3], wideLocator{8, locateWideMinIgnoreNaNAVX2}),
		},
		average:    averager(4, averageWideAVX2),
		bands:      bandAverager(4, averageBandAVX2),
		average3x3: averager3x3(16, averageBand3x3AVX2),
		extrema3x3: [2]bandFunc{extremum3x3(16, bandMax3x3AVX2), extremum3x3(16, bandMin3x3AVX2)},
		gather:     func(lanes *[16]int32, n, _ int) { MaskLanes(lanes, n) },
	},
	kernel.AVX512: {
		lanes: 16,
		extrema: [4]func(r Run, lanes *[16]int32){
			windowsAVX512(wideMaxAVX512, permutedMaxAVX512),
			windowsAVX512(wideMaxIgnoreNaNAVX512, permutedMaxIgnoreNaNAVX512),
			windowsAVX512(wideMinAVX512, permutedMinAVX512),
			windowsAVX512(wideMinIgnoreNaNAVX512, permutedMinIgnoreNaNAVX512),
		},
		locate: [4]func(r Run, mask *[16]int32){
			locator(quadLocators[0], wideLocator{16, locateWideMaxAVX512}, wideLocator{8, locateWideMaxAVX2}),
			locator(quadLocators[1], wideLocator{16, locateWideMaxIgnoreNaNAVX512}, wideLocator{8, locateWideMaxIgnoreNaNAVX2}),
			locator(quadLocators[2], wideLocator{16, locateWideMinAVX512}, wideLocator{8, locateWideMinAVX2}),
			locator(quadLocators[3], wideLocator{16, locateWideMinIgnoreNaNAVX512}, wideLocator{8, locateWideMinIgnoreNaNAVX2}),
		},
		average:    averager(8, averageWideAVX512),
		bands:      bandAverager(8, averageBandAVX512),
		average3x3: averager3x3(16, averageBand3x3AVX512),
		extrema3x3: [2]bandFunc{extremum3x3(16, bandMax3x3AVX512), extremum3x3(16, bandMin3x3AVX512)},
		gather:     gatherLanes,
	},
}

type (
	wideFunc     = func(dst, src *float32, taps *int, ntaps, n, outputs, step, stream, fetches int)
	evenFunc     = func(dst, src *float32, taps *int, ntaps, outputs, fetches int)
	quadFunc     = func(dst, src *float32, taps *int, ntaps, n, outputs, step, fetches int)
	narrowFunc   = func(dst, src *float32, taps *int, ntaps, n, outputs, step int, mask *int32)
	permutedFunc = func(dst, src *float32, taps *int, ntaps, n, outputs, step int, lanes *int32, low, high, store int)
)

// windowsAVX2 joins the functions for large and small cells.
func windowsAVX2(wide wideFunc, even evenFunc, quad quadFunc, narrow narrowFunc) func(r Run, mask *[16]int32) {
	return func(r Run, mask *[16]int32) {
		if r.wide(8, wide) {
			return
		}
		if r.N == 1 && r.Step == 2 && r.Outputs >= 8 {
			even(&r.dst[0], &r.src[0], &r.taps[0], len(r.taps), r.Outputs, r.fetches)
			return
		}
		done := r.Quads()
		if done > 0 {
			quad(&r.dst[0], &r.src[0], &r.taps[0], len(r.taps), r.N, done, 4*r.Step, r.fetches)
		}
		if done < r.Outputs {
			narrow(&r.dst[done*r.N], &r.src[done*r.Step], &r.taps[0], len(r.taps), r.N, r.Outputs-done, 4*r.Step, &mask[0])
		}
	}
}

// Quads returns how many outputs may be computed four at a time. Cells of up to four
// numbers are then read and written as four, so enough outputs must follow that this
// stays within the run.
func (r *Run) Quads() int {
	if r.N > 4 {
		return 0
	}
	after := max((4-r.N+r.Step-1)/r.Step, (4+r.N-1)/r.N-1)
	return max(0, (r.Outputs-after)&^3)
}

// windowsAVX512 joins the functions for large and small cells.
func windowsAVX512(wide wideFunc, permuted permutedFunc) func(r Run, lanes *[16]int32) {
	return func(r Run, lanes *[16]int32) {
		if r.wide(16, wide) {
			return
		}
		at := gathered(r.N, r.Step)
		steps := r.Outputs / at
		call := func(first, outputs, steps int) {
			read := uint(outputs-1)*uint(r.Step) + uint(r.N)
			masks := uint64(1)<<read - 1
			permuted(&r.dst[first*r.N], &r.src[first*r.Step], &r.taps[0], len(r.taps), outputs*r.N, steps, 4*outputs*r.Step,
				&lanes[0], int(masks&0xffff), int(masks>>16), 1<<(outputs*r.N)-1)
		}
		if steps > 0 {
			call(0, at, steps)
		}
		if rest := r.Outputs - steps*at; rest > 0 {
			call(steps*at, rest, 1)
		}
	}
}

// gathered returns how many cells of n numbers, step numbers apart, fit into the
// 16 lanes of a vector and the 32 numbers it is gathered from.
func gathered(n, step int) int { return min(16/n, (32-n)/step+1) }

// gatherLanes says which of 32 numbers each lane takes.
func gatherLanes(lanes *[16]int32, n, step int) {
	if n >= 16 {
		return
	}
	for i := range gathered(n, step) * n {
		lanes[i] = int32(i/n*step + i%n)
	}
}

// wide reduces windows over cells of at least a vector, and those of stride 1 as
// one such cell. It reports whether it could.
func (r Run) wide(lanes int, reduce wideFunc) bool {
	n, outputs := r.N, r.Outputs
	if r.Step == n {
		n, outputs = n*outputs, 1
	}
	if n < lanes {
		return false
	}
	r.split(lanes, n, outputs, kernel.Misaligned(r.dst, lanes), func(at, n, stream int) {
		reduce(&r.dst[at], &r.src[at], &r.taps[0], len(r.taps), n, outputs, 4*r.Step, stream, r.fetches)
	})
	return true
}

// split is SplitStream for a run of outputs of n numbers.
func (r *Run) split(lanes, n, outputs, off int, do func(at, n, stream int)) {
	kernel.SplitStream(r.stream && (outputs == 1 || off == 0 && n%lanes == 0), lanes, n, off, do)
}
