package poolgrad

import (
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
)

// viewers are the windows that see a certain number of the input.
type viewers struct {
	axes    *[3]geom.Axis
	inner   int // numbers a cell
	channel int
	cell    [3]int
	image   int // where the cell's image begins in the input; its plane where channels come first
	plane   int // numbers of that image or plane
	out     int // which one it is
}

// newViewers returns the windows that see number i of the input.
func newViewers(spec *pool.Spec, i int) viewers {
	v := viewers{axes: &spec.Geometry.Axes, inner: spec.Geometry.C}
	if spec.ChannelsFirst {
		v.inner = 1
	}
	v.channel, i = i%v.inner, i/v.inner
	v.plane = v.inner
	for axis := 2; axis >= 0; axis-- {
		in := v.axes[axis].In
		v.cell[axis], i = i%in, i/in
		v.plane *= in
	}
	v.out, v.image = i, i*v.plane
	return v
}

// each calls do for every window, with the number of its output.
func (v *viewers) each(do func(at int, window [3]int)) {
	var o0, o1 [3]int
	for i := range o0 {
		o0[i], o1[i] = v.axes[i].Reach(v.cell[i])
	}
	for z := o0[0]; z < o1[0]; z++ {
		for y := o0[1]; y < o1[1]; y++ {
			for x := o0[2]; x < o1[2]; x++ {
				if window := [3]int{z, y, x}; v.see(window) {
					do((((v.out*v.axes[0].Out+z)*v.axes[1].Out+y)*v.axes[2].Out+x)*v.inner+v.channel, window)
				}
			}
		}
	}
}

// see reports whether a window that reaches over the cell has a tap on it.
func (v *viewers) see(window [3]int) bool {
	for i := range window {
		if _, ok := v.axes[i].Tap(window[i], v.cell[i]); !ok {
			return false
		}
	}
	return true
}
