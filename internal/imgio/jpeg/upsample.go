package jpeg

// upsampler brings a component to the picture's size as libjpeg-turbo does by
// default. Half the columns, half the rows or both are doubled by a triangle filter;
// other ratios repeat samples.
type upsampler struct {
	*component
	fx, fy        int  // pixels per sample, across and down
	columns, rows int  // size in samples, without padding
	triangle      bool // by the triangle filter, not by repetition
}

func newUpsampler(f *frame, c *component) upsampler {
	u := upsampler{component: c, fx: f.h / c.h, fy: f.v / c.v}
	u.columns, u.rows = ceil(f.width, u.fx), ceil(f.height, u.fy)
	// libjpeg repeats samples in planes of one or two columns.
	u.triangle = u.fx == 2 && u.fy <= 2 && u.columns > 2 || u.fx == 1 && u.fy == 2
	return u
}

// below reports whether the last row of pixels of a row of MCUs needs samples of
// the next one.
func (u *upsampler) below() bool { return u.triangle && u.fy == 2 }

// row returns row y of the picture: a part of the plane, or dst filled.
func (u *upsampler) row(dst []uint8, y int) []uint8 {
	near := y / u.fy
	at := func(row int) []uint8 { return u.plane[row*u.stride:][:u.columns] }
	src := at(near)
	if !u.triangle {
		if u.fx == 1 {
			return src
		}
		for i, v := range src {
			for k := range u.fx {
				dst[i*u.fx+k] = v
			}
		}
		return dst
	}
	if u.fy == 1 {
		triangleAcross(dst, src)
		return dst
	}
	far := near - 1
	if y%2 == 1 {
		far = near + 1
	}
	other := at(min(max(far, 0), u.rows-1))
	if u.fx == 2 {
		triangleBoth(dst, src, other)
		return dst
	}
	bias := 1 + y%2
	for i, v := range src {
		dst[i] = uint8((3*int(v) + int(other[i]) + bias) >> 2)
	}
	return dst
}

// triangleAcross doubles the columns. A new sample is 3/4 the nearest sample and
// 1/4 the next nearest.
func triangleAcross(dst, src []uint8) {
	n := len(src)
	dst[0] = src[0]
	for i := range n - 1 {
		a, b := int(src[i]), int(src[i+1])
		dst[2*i+1] = uint8((3*a + b + 2) >> 2)
		dst[2*i+2] = uint8((a + 3*b + 1) >> 2)
	}
	dst[2*n-1] = src[n-1]
}

// triangleBoth doubles columns and rows. near is the nearest row of samples, far
// the next nearest.
func triangleBoth(dst, near, far []uint8) {
	n := len(near)
	far = far[:n]
	a := 3*int(near[0]) + int(far[0])
	dst[0] = uint8((4*a + 8) >> 4)
	for i := range n - 1 {
		b := 3*int(near[i+1]) + int(far[i+1])
		dst[2*i+1] = uint8((3*a + b + 7) >> 4)
		dst[2*i+2] = uint8((a + 3*b + 8) >> 4)
		a = b
	}
	dst[2*n-1] = uint8((4*a + 7) >> 4)
}
