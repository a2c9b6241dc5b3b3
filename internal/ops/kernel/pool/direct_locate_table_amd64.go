//go:build amd64 && !purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

//go:generate go -C ../_gen run ./direct_locate

type (
	locateWideFunc   = func(dst, src *float32, taps *int, ntaps, n, outputs, step int, codes *int32, argmax, lanes *int64, base, baseStep, laneStep, stream, fetches int)
	locateQuadFunc   = func(dst, src *float32, taps *int, ntaps, n, outputs, step int, codes *int32, argmax, lanes *int64, base, baseStep, laneStep int)
	locateNarrowFunc = func(dst, src *float32, taps *int, ntaps, n, outputs, step int, codes *int32, argmax, lanes *int64, base, baseStep, laneStep int, mask *int32)
)

// wideLocator is a function for cells of at least so many lanes.
type wideLocator struct {
	lanes  int
	reduce locateWideFunc
}

// quadLocator holds the functions for smaller cells.
type quadLocator struct {
	quad   locateQuadFunc
	narrow locateNarrowFunc
}

var quadLocators = [4]quadLocator{
	{locateQuadMaxAVX2, locateNarrowMaxAVX2},
	{locateQuadMaxIgnoreNaNAVX2, locateNarrowMaxIgnoreNaNAVX2},
	{locateQuadMinAVX2, locateNarrowMinAVX2},
	{locateQuadMinIgnoreNaNAVX2, locateNarrowMinIgnoreNaNAVX2},
}

// locator joins the functions for large and small cells; the widest come first.
func locator(small quadLocator, wide ...wideLocator) func(r Run, mask *[16]int32) {
	return func(r Run, mask *[16]int32) {
		for i := range wide {
			if r.locateWide(&wide[i]) {
				return
			}
		}
		x, done := &r.number, r.Quads()
		if done > 0 {
			small.quad(&r.dst[0], &r.src[0], &r.taps[0], len(r.taps), r.N, done, 4*r.Step, &r.codes[0], &r.argmax[0], &x.lanes[0], x.base, x.baseStep, x.laneStep)
		}
		if done < r.Outputs {
			small.narrow(&r.dst[done*r.N], &r.src[done*r.Step], &r.taps[0], len(r.taps), r.N, r.Outputs-done, 4*r.Step,
				&r.codes[0], &r.argmax[done*r.N], &x.lanes[0], x.base+done*x.baseStep, x.baseStep, x.laneStep, &mask[0])
		}
	}
}

// locateWide is wide with argmax. Outputs of stride 1 are one large cell if they
// are numbered like its channels.
func (r *Run) locateWide(wide *wideLocator) bool {
	n, outputs, x := r.N, r.Outputs, &r.number
	if r.Step == n && x.baseStep == n*x.laneStep {
		n, outputs = n*outputs, 1
	}
	if n < wide.lanes {
		return false
	}
	off := kernel.Misaligned(r.dst, wide.lanes)
	if kernel.Misaligned(r.argmax, wide.lanes) != off { // values and indices are not aligned together
		r.stream = false
	}
	r.split(wide.lanes, n, outputs, off, func(at, n, stream int) {
		wide.reduce(&r.dst[at], &r.src[at], &r.taps[0], len(r.taps), n, outputs, 4*r.Step,
			&r.codes[0], &r.argmax[at], &x.lanes[0], x.base+at*x.laneStep, x.baseStep, x.laneStep, stream, r.fetches)
	})
	return true
}
