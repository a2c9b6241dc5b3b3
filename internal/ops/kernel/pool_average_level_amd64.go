//go:build amd64 && !purego

package kernel

type averageWideFunc = func(dst, src *float32, taps *int, ntaps, n, outputs, step, nx, ny int, reciprocal float64, stream, fetches int)

// averager joins the functions for large and small cells; lanes are the numbers
// that wide takes at once.
func averager(lanes int, wide averageWideFunc) func(r run, mask *[16]int32) {
	return func(r run, mask *[16]int32) {
		reciprocal := 1 / float64(r.divisor)
		n, outputs := r.n, r.outputs
		if r.step == n {
			n, outputs = n*outputs, 1
		}
		if n >= lanes {
			r.split(lanes, n, outputs, misaligned(r.dst, lanes), func(at, n, stream int) {
				wide(&r.dst[at], &r.src[at], &r.taps[0], len(r.taps), n, outputs, 4*r.step, r.nx, r.ny, reciprocal, stream, r.fetches)
			})
			return
		}
		if r.n == 1 && r.step == 2 && r.outputs >= 4 {
			averageEvenAVX2(&r.dst[0], &r.src[0], &r.taps[0], len(r.taps), r.outputs, r.nx, r.ny, reciprocal, r.fetches)
			return
		}
		done := r.quads()
		if done > 0 {
			averageQuadAVX2(&r.dst[0], &r.src[0], &r.taps[0], len(r.taps), r.n, done, 4*r.step, r.nx, r.ny, reciprocal, r.fetches)
		}
		if done < r.outputs {
			averageNarrowAVX2(&r.dst[done*r.n], &r.src[done*r.step], &r.taps[0], len(r.taps), r.n, r.outputs-done, 4*r.step, r.nx, r.ny, reciprocal, &mask[0])
		}
	}
}
