//go:build amd64 && !purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

//go:generate go -C ../_gen run ./direct_average

type averageWideFunc = func(dst, src *float32, taps *int, ntaps, n, outputs, step, nx, ny int, reciprocal float64, stream, fetches int)

// averager joins the functions for large and small cells; lanes are the numbers
// that wide takes at once.
func averager(lanes int, wide averageWideFunc) func(r Run, mask *[16]int32) {
	return func(r Run, mask *[16]int32) {
		reciprocal := 1 / float64(r.divisor)
		n, outputs := r.N, r.Outputs
		if r.Step == n {
			n, outputs = n*outputs, 1
		}
		if n >= lanes {
			r.split(lanes, n, outputs, kernel.Misaligned(r.dst, lanes), func(at, n, stream int) {
				wide(&r.dst[at], &r.src[at], &r.taps[0], len(r.taps), n, outputs, 4*r.Step, r.nx, r.ny, reciprocal, stream, r.fetches)
			})
			return
		}
		if r.N == 1 && r.Step == 2 && r.Outputs >= 4 {
			averageEvenAVX2(&r.dst[0], &r.src[0], &r.taps[0], len(r.taps), r.Outputs, r.nx, r.ny, reciprocal, r.fetches)
			return
		}
		done := r.Quads()
		if done > 0 {
			averageQuadAVX2(&r.dst[0], &r.src[0], &r.taps[0], len(r.taps), r.N, done, 4*r.Step, r.nx, r.ny, reciprocal, r.fetches)
		}
		if done < r.Outputs {
			averageNarrowAVX2(&r.dst[done*r.N], &r.src[done*r.Step], &r.taps[0], len(r.taps), r.N, r.Outputs-done, 4*r.Step, r.nx, r.ny, reciprocal, &mask[0])
		}
	}
}
