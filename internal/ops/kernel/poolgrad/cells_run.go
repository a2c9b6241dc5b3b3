package poolgrad

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Route computes the units lo <= i < hi of the gradient of a maximum or minimum. The
// upstream gradient of a window goes to the cell that its code names (see Winners).
func (k *CellGradient) Route(s *kernel.Scratch, dst, upstream, codes *tensor.Tensor, lo, hi int) {
	switch {
	case k.lanes == 0 && k.DType == tensor.Float32:
		scatterCodes[float32](k, s, dst, upstream, codes, lo, hi)
	case k.lanes == 0:
		scatterCodes[float64](k, s, dst, upstream, codes, lo, hi)
	case k.DType == tensor.Float32:
		route[float32](k, s, dst, upstream, codes, lo, hi)
	default:
		route[float64](k, s, dst, upstream, codes, lo, hi)
	}
}

// Match computes the units lo <= i < hi of the gradient of a maximum or minimum
// that goes to every cell of x that equals its window's result, the number in
// top; NaN equals NaN.
func (k *CellGradient) Match(s *kernel.Scratch, dst, upstream, x, top *tensor.Tensor, lo, hi int) {
	if k.DType == tensor.Float32 {
		match[float32](k, s, dst, upstream, x, top, lo, hi)
		return
	}
	match[float64](k, s, dst, upstream, x, top, lo, hi)
}

// Spread computes the units lo <= i < hi of the gradient of an average or sum.
func (k *CellGradient) Spread(s *kernel.Scratch, dst, upstream *tensor.Tensor, lo, hi int) {
	if k.DType == tensor.Float32 {
		spreadCells[float32](k, s, dst, upstream, lo, hi)
		return
	}
	spreadCells[float64](k, s, dst, upstream, lo, hi)
}

// output is where a unit's cells are written.
type output[F tensor.Floating] struct {
	k      *CellGradient
	table  *cellTable[F]
	dst    []F
	phases []F // of a row
	stream int // for cells that may be written past the caches
}

func newOutput[F tensor.Floating](k *CellGradient, s *kernel.Scratch, dst *tensor.Tensor) output[F] {
	o := output[F]{k: k, table: cellTableOf[F](k.level), dst: tensor.Of[F](dst), phases: kernel.Take[F](s, k.phases())}
	if k.stream && k.lanes > 0 && len(o.dst) > 0 && k.inner%k.lanes == 0 && kernel.Misaligned(o.dst, k.lanes) == 0 {
		o.stream = 1
	}
	return o
}

// write computes cells by vectors, or by plain Go where they are too few. Small cells
// are first computed side by side with others of their phase.
func (o *output[F]) write(c cells, vectors func(dst *F, c cells, stream int), plain func(dst []F, c cells)) {
	k := o.k
	switch {
	case c.apart > 0:
		phase := o.phases[c.phase*k.phase:]
		if n := c.n * c.number; len(c.links) == 0 {
			clear(phase[:n])
		} else {
			vectors(&phase[0], cells{at: c.at, n: n, number: 1, links: c.links}, 0)
		}
		if c.last {
			o.interleave(c)
		}
	case len(c.links) == 0:
		for j := range c.number {
			clear(o.dst[c.at+j*c.step:][:c.n])
		}
	case k.lanes == 0 || c.n < k.lanes:
		plain(o.dst, c)
	default:
		vectors(&o.dst[c.at], c, o.stream)
	}
}

// interleave puts the cells of all phases in their places.
func (o *output[F]) interleave(c cells) {
	n, size := c.n, o.k.DType.Size()
	dst := o.dst[c.at-c.phase*n:][:c.apart*n]
	// A cell is moved as 16 or 32 bytes. The next cell overwrites the excess, but
	// behind the last one nothing may be written.
	width := 16
	if n*size > width {
		width = 32
	}
	groups := 0
	if room := len(dst)*size - width + n*size; room > 0 {
		groups = room / (c.phases * n * size)
	}
	if groups > 0 {
		o.table.interleave(&dst[0], &o.phases[0], c.phases, o.k.phase, n, groups, width)
	}
	for cell := groups * c.phases; cell < c.apart; cell++ {
		copy(dst[cell*n:(cell+1)*n], o.phases[cell%c.phases*o.k.phase+cell/c.phases*n:])
	}
}

func route[F tensor.Floating](k *CellGradient, s *kernel.Scratch, dst, upstreamTensor, codesTensor *tensor.Tensor, lo, hi int) {
	s.Reset()
	out := newOutput[F](k, s, dst)
	links := kernel.Take[int](s, 2*k.links)
	whole := k.whole()
	outputs := whole.depth * whole.height * whole.width * k.inner
	for i := lo; i < hi; i++ {
		u := k.unit(i)
		upstream := tensor.Of[F](upstreamTensor)[u.image*outputs:][:outputs]
		codes := tensor.Of[uint8](codesTensor)[u.image*outputs:][:outputs]
		k.each(links, u, whole, func(c cells) {
			out.write(c, func(dst *F, c cells, stream int) {
				out.table.route(dst, &upstream[0], &codes[0], &c.links[0], len(c.links)/2, c.n, c.number, c.step, stream)
			}, func(dst []F, c cells) { routePlain(dst, upstream, codes, c) })
		})
	}
	kernel.StoreFence()
}

func routePlain[F tensor.Floating](dst, upstream []F, codes []uint8, c cells) {
	for j := range c.number {
		for i := range c.n {
			var sum F
			for l := 0; l < len(c.links); l += 2 {
				if at := c.links[l] + j*c.n + i; int(codes[at]) == c.links[l+1] {
					sum += upstream[at]
				}
			}
			dst[c.at+j*c.step+i] = sum
		}
	}
}

func match[F tensor.Floating](k *CellGradient, s *kernel.Scratch, dst, upstreamTensor, xTensor, topTensor *tensor.Tensor, lo, hi int) {
	s.Reset()
	out := newOutput[F](k, s, dst)
	links := kernel.Take[int](s, 2*k.links)
	whole := k.whole()
	outputs := whole.depth * whole.height * whole.width * k.inner
	x := tensor.Of[F](xTensor)
	for i := lo; i < hi; i++ {
		u := k.unit(i)
		upstream := tensor.Of[F](upstreamTensor)[u.image*outputs:][:outputs]
		top := tensor.Of[F](topTensor)[u.image*outputs:][:outputs]
		k.each(links, u, whole, func(c cells) {
			plain := func(dst []F, c cells) { matchPlain(dst, upstream, x, top, c) }
			if c.apart > 0 { // x would have to be gathered like dst
				plain(out.dst, c)
				return
			}
			out.write(c, func(dst *F, c cells, stream int) {
				out.table.match(dst, &x[c.at], &upstream[0], &top[0], &c.links[0], len(c.links)/2, c.n, c.number, c.step, stream)
			}, plain)
		})
	}
	kernel.StoreFence()
}

func matchPlain[F tensor.Floating](dst, upstream, x, top []F, c cells) {
	for j := range c.number {
		for i := range c.n {
			place := c.at + j*c.step + i
			var sum F
			for l := 0; l < len(c.links); l += 2 {
				at := c.links[l] + j*c.n + i
				if v, y := x[place], top[at]; v == y || v != v && y != y {
					sum += upstream[at]
				}
			}
			dst[place] = sum
		}
	}
}

func spreadCells[F tensor.Floating](k *CellGradient, s *kernel.Scratch, dst, upstreamTensor *tensor.Tensor, lo, hi int) {
	s.Reset()
	out := newOutput[F](k, s, dst)
	links, shares := kernel.Take[int](s, 2*k.links), kernel.Take[F](s, k.shares)
	f := k.whole()
	outputs := f.depth * f.height * f.width * k.inner
	for i := lo; i < hi; i++ {
		u := k.unit(i)
		upstream := tensor.Of[F](upstreamTensor)[u.image*outputs:][:outputs]
		if k.Reduction == pool.Average {
			f = k.frame(u)
			divideFrame(k, out.table, shares, upstream, f)
			upstream = shares
		}
		k.each(links, u, f, func(c cells) {
			out.write(c, func(dst *F, c cells, stream int) {
				out.table.spread(dst, &upstream[0], &c.links[0], len(c.links)/2, c.n, c.number, c.step, stream)
			}, func(dst []F, c cells) { spreadPlain(dst, upstream, c) })
		})
	}
	kernel.StoreFence()
}

func spreadPlain[F tensor.Floating](dst, upstream []F, c cells) {
	for j := range c.number {
		for i := range c.n {
			at := j*c.n + i
			sum := float64(upstream[c.links[0]+at])
			for l := 2; l < len(c.links); l += 2 {
				sum += float64(upstream[c.links[l]+at])
			}
			dst[c.at+j*c.step+i] = F(sum)
		}
	}
}

// divideFrame divides the gradients of a frame by the divisors of the averages.
func divideFrame[F tensor.Floating](k *CellGradient, table *cellTable[F], shares, upstream []F, fr frame) {
	if fr.width == 0 {
		return
	}
	axes := &k.Geometry.Axes
	f := pool.Finishing[F, F]{Spec: &k.Spec}
	for z := range fr.depth {
		for y := range fr.height {
			f.Z, f.Y = fr.z+z, fr.y+y
			row, perOutput := f.Divisor()
			src := upstream[((f.Z*axes[1].Out+f.Y)*axes[2].Out+fr.x)*k.inner:]
			dst := shares[(z*fr.height+y)*fr.width*k.inner:]
			for x := 0; x < fr.width; {
				divisor, n := row, fr.width-x
				if perOutput {
					divisor *= f.Taps(2, fr.x+x)
					n = f.Alike(fr.x+x, fr.x+fr.width)
				}
				table.divide(dst[x*k.inner:(x+n)*k.inner], src[x*k.inner:(x+n)*k.inner], divisor)
				x += n
			}
		}
	}
}

// divide computes dst[i] = src[i] / divisor, rounded once.
func (t *cellTable[F]) divide(dst, src []F, divisor int) {
	by, n := F(divisor), 0
	if t.lanes > 0 && int(by) == divisor {
		if n = len(src) &^ (t.lanes - 1); n > 0 {
			t.shares(&dst[0], &src[0], by, n)
		}
	}
	for i := n; i < len(src); i++ {
		dst[i] = F(float64(src[i]) / float64(divisor))
	}
}

// scatterCodes is the plain form of Route. It goes over the windows that see a unit's
// rows, and adds each gradient to its cell if the cell belongs to the unit. Windows
// come in the same order as in route, so the sums agree to the bit.
func scatterCodes[F tensor.Floating](k *CellGradient, s *kernel.Scratch, dstTensor, upstreamTensor, codesTensor *tensor.Tensor, lo, hi int) {
	s.Reset()
	taps := kernel.Take[int](s, k.Geometry.Taps())
	axes, whole := &k.Geometry.Axes, k.whole()
	outputs, line := whole.depth*whole.height*whole.width*k.inner, axes[2].In*k.inner
	for i := lo; i < hi; i++ {
		u := k.unit(i)
		dst := tensor.Of[F](dstTensor)[((u.image*axes[0].In+u.z)*axes[1].In+u.y0)*line:][:(u.y1-u.y0)*line]
		for y := 0; y < len(dst); y += line {
			clear(dst[y+u.x0*k.inner : y+u.x1*k.inner])
		}
		upstream := tensor.Of[F](upstreamTensor)[u.image*outputs:][:outputs]
		codes := tensor.Of[uint8](codesTensor)[u.image*outputs:][:outputs]
		f := k.frame(u)
		for z := f.z; z < f.z+f.depth; z++ {
			for y := f.y; y < f.y+f.height; y++ {
				if !k.inside(taps, u, z, y) {
					continue
				}
				row := (z*axes[1].Out + y) * axes[2].Out
				for x := f.x; x < f.x+f.width; x++ {
					first := x*axes[2].Stride - axes[2].Lo
					if axes[2].Bounds != nil {
						first = axes[2].Bounds[x][0]
					}
					at := (row + x) * k.inner
					for c, code := range codes[at : at+k.inner] {
						tap := taps[code]
						if tap < 0 {
							continue
						}
						if k.pieces > 1 {
							if cell := first + int(code)%axes[2].Size*axes[2].Dilation; cell < u.x0 || cell >= u.x1 {
								continue
							}
						}
						dst[first*k.inner+tap+c] += upstream[at+c]
					}
				}
			}
		}
	}
}

// inside lists where the taps of the windows of a row stand in a unit, in
// numbers from the place of the window in the unit's first row; taps of other
// rows are -1. It reports whether there are any in the unit.
func (k *CellGradient) inside(taps []int, u cellUnit, z, y int) bool {
	axes := &k.Geometry.Axes
	found := false
	for i := range taps {
		taps[i] = -1
	}
	tz, sees := axes[0].Tap(z, u.z)
	if !sees {
		return false
	}
	for row := u.y0; row < u.y1; row++ {
		ty, sees := axes[1].Tap(y, row)
		if !sees {
			continue
		}
		found = true
		for tx := range axes[2].Size {
			taps[(tz*axes[1].Size+ty)*axes[2].Size+tx] = ((row-u.y0)*axes[2].In + tx*axes[2].Dilation) * k.inner
		}
	}
	return found
}
