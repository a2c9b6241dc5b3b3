package conv

import (
	"runtime"
	"slices"
	"sort"
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// gemmUnit is a unit of a gemm being computed: the tensors, and lists of
// destinations in scratch memory.
type gemmUnit[F tensor.Floating] struct {
	*gemm[F]
	phase                  *gemmPhase
	share                  []panel[F] // the unit's panels
	hollow                 bool       // padding must not be multiplied
	leaves                 bool       // taps over padding may be left out
	src, dst, packed, bias []F
	srcAt, dstAt           uintptr // addresses of src and dst
	inside, edge           tileList
	rows                   []pixelRow
	border                 tileList
	borders                []borderRow
	patch                  []F
	segments               []tapRun
	spill                  []F       // tiles of a panel that is not full
	spillAt                []uintptr // addresses of their destinations
	padded                 []F       // bias of a panel that is not full, or zeros
}

// pixelRow is n destinations of a row. src and dst are the indices of their first
// cell and channel.
type pixelRow struct{ src, dst, n int }

// borderRow is n destinations of a row, whole tiles of the list border from first
// on. Of their taps only z0 <= z < z1, y0 <= y < y1 meet real cells.
type borderRow struct{ first, n, z0, z1, y0, y1 int }

// tileList holds the destinations of tiles: the addresses of each one's cells and
// channels.
type tileList struct{ pixels, dst []uintptr }

func (l *tileList) add(pixel, dst uintptr) {
	l.pixels, l.dst = append(l.pixels, pixel), append(l.dst, dst)
}

// addRow adds n destinations that are the given steps apart.
func (l *tileList) addRow(n int, pixel, dst, pixelStep, dstStep uintptr) {
	at := len(l.pixels)
	l.pixels, l.dst = l.pixels[:at+n], l.dst[:at+n]
	pixels, dsts := l.pixels[at:], l.dst[at:]
	dsts = dsts[:len(pixels)]
	for i := range pixels {
		pixels[i], dsts[i] = pixel, dst
		pixel, dst = pixel+pixelStep, dst+dstStep
	}
}

// scratch returns the bytes that a worker needs.
func (k *gemm[F]) scratch() int {
	words := 6*kernel.Words[uintptr](k.block) + kernel.Words[pixelRow](k.mostRows()) + kernel.Words[borderRow](k.block/k.pixels) + kernel.Words[tapRun](k.segments) + kernel.Words[F](k.patches*k.patchWords) + kernel.Words[F](k.widest)
	if k.spills() {
		words += kernel.Words[uintptr](k.block) + kernel.Words[F](k.block*k.widest)
	}
	return 8 * words
}

// mostRows returns the most rows of destinations that a unit may have.
func (k *gemm[F]) mostRows() int { return k.block / rowPixels }

// spills reports whether some panel is not full.
func (k *gemm[F]) spills() bool {
	last := k.panels[len(k.panels)-1]
	return last.count < last.tile.channels
}

func (k *gemm[F]) run(s *kernel.Scratch, dstTensor, srcTensor, packedTensor, biasTensor *tensor.Tensor, unit int) {
	phase := &k.phases[sort.Search(len(k.phases), func(i int) bool { return k.phases[i].unit > unit })-1]
	unit -= phase.unit
	chunk := unit % k.chunks * k.chunk
	u := gemmUnit[F]{
		gemm: k, phase: phase, share: k.panels[chunk:min(chunk+k.chunk, len(k.panels))],
		src: tensor.Of[F](srcTensor), dst: tensor.Of[F](dstTensor), packed: tensor.Of[F](packedTensor),
	}
	if k.Bias {
		u.bias = tensor.Of[F](biasTensor)
	}
	// Addresses are computed from these. All slices were sized in planning.
	cells := func(a, b, c int) int { return k.N * a * b * c }
	_ = u.src[:cells(k.axes[0].src, k.axes[1].src, k.axes[2].src)*k.Src]
	_ = u.dst[:cells(k.axes[0].dst, k.axes[1].dst, k.axes[2].dst)*k.Dst]
	u.srcAt, u.dstAt = address(u.src), address(u.dst)

	s.Reset()
	u.inside = tileList{kernel.Take[uintptr](s, k.block)[:0], kernel.Take[uintptr](s, k.block)[:0]}
	u.edge = tileList{kernel.Take[uintptr](s, k.block)[:0], kernel.Take[uintptr](s, k.block)[:0]}
	u.rows = kernel.Take[pixelRow](s, k.mostRows())[:0]
	u.border = tileList{kernel.Take[uintptr](s, k.block)[:0], kernel.Take[uintptr](s, k.block)[:0]}
	u.borders = kernel.Take[borderRow](s, k.block/k.pixels)[:0]
	u.segments = kernel.Take[tapRun](s, k.segments)
	u.patch = kernel.Take[F](s, k.patches*k.patchWords)
	u.padded = kernel.Take[F](s, k.widest)
	if k.spills() {
		u.spillTo(kernel.Take[uintptr](s, k.block), kernel.Take[F](s, k.block*k.widest))
	}
	flagged := slices.ContainsFunc(u.packed[k.flags:][:k.packUnits()], func(flag F) bool { return flag != 0 })
	u.hollow, u.leaves = k.SkipPadding && flagged, k.SkipPadding || k.flagged && !flagged
	first := unit / k.chunks * k.block
	u.collect(first, min(first+k.block, k.N*phase.image))
	u.evenOut()
	u.compute()
	runtime.KeepAlive(s)
	runtime.KeepAlive(srcTensor)
	runtime.KeepAlive(dstTensor)
}

func address[F any](data []F) uintptr { return uintptr(unsafe.Pointer(unsafe.SliceData(data))) }

// collect puts each destination lo <= i < hi of the phase into its list.
func (u *gemmUnit[F]) collect(lo, hi int) {
	z, y, x := u.phase.axis[0], u.phase.axis[1], u.phase.axis[2]
	bytes := int(u.bytes())
	pixelStep, dstStep := uintptr(u.axes[2].shift*u.Src*bytes), uintptr(u.axes[2].period*u.Dst*bytes)
	add := u.addEdge
	if u.hollow {
		add = u.addHollow
	}
	for at := lo; at < hi; {
		n, i := at/u.phase.image, at%u.phase.image
		qx, qy, qz := i%x.count, i/x.count%y.count, i/x.count/y.count
		end := min(x.count, qx+hi-at)
		cz, cy, cx := z.cell+qz*u.axes[0].shift, y.cell+qy*u.axes[1].shift, x.cell+qx*u.axes[2].shift
		row := (n*u.axes[0].dst+z.first+qz*u.axes[0].period)*u.axes[1].dst + y.first + qy*u.axes[1].period
		dst := u.dstAt + uintptr((row*u.axes[2].dst+x.first+qx*u.axes[2].period)*u.Dst*bytes)
		in0 := min(max(x.inside0, qx), end)
		in1 := max(min(x.inside1, end), in0)
		whole := z.inside0 <= qz && qz < z.inside1 && y.inside0 <= qy && qy < y.inside1
		if !whole {
			if in1 -= (in1 - in0) % u.pixels; !u.leaves || in1 == in0 {
				in0, in1 = end, end
			}
		}
		at += end - qx
		for ; qx < in0; qx++ {
			add(n, cz, cy, cx, dst)
			cx, dst = cx+u.axes[2].shift, dst+dstStep
		}
		pixel := (((n*u.axes[0].src+cz)*u.axes[1].src+cy)*u.axes[2].src + cx) * u.Src
		if whole {
			walked := 0 // destinations that are not listed
			if u.rowwise && in1-in0 >= rowPixels {
				walked = in1 - in0 - u.rowEnd
				u.rows = append(u.rows, pixelRow{pixel, int(dst-u.dstAt) / bytes, walked})
			}
			u.inside.addRow(in1-in0-walked, u.srcAt+uintptr(pixel*bytes)+uintptr(walked)*pixelStep, dst+uintptr(walked)*dstStep, pixelStep, dstStep)
		} else if in0 < in1 {
			row := borderRow{first: len(u.border.pixels), n: in1 - in0}
			row.z0, row.z1 = u.axes[0].real(z, cz)
			row.y0, row.y1 = u.axes[1].real(y, cy)
			u.borders = append(u.borders, row)
			u.border.addRow(in1-in0, u.srcAt+uintptr(pixel*bytes), dst, pixelStep, dstStep)
		}
		dst += uintptr(in1-in0) * dstStep
		qx = in1
		cx += u.axes[2].shift * (in1 - in0)
		for ; qx < end; qx++ {
			add(n, cz, cy, cx, dst)
			cx, dst = cx+u.axes[2].shift, dst+dstStep
		}
	}
}

// evenOut moves destinations that do not fill a tile to the list of those with
// patches, which may fill a tile together.
func (u *gemmUnit[F]) evenOut() {
	left := len(u.inside.pixels) % u.pixels
	if left == len(u.inside.pixels) && len(u.edge.pixels) == 0 || u.phase.taps == 0 {
		return
	}
	for range left {
		last := len(u.inside.pixels) - 1
		cell := int(u.inside.pixels[last]-u.srcAt) / int(u.bytes()) / u.Src
		dst := u.inside.dst[last]
		u.inside.pixels, u.inside.dst = u.inside.pixels[:last], u.inside.dst[:last]
		x, row := cell%u.axes[2].src, cell/u.axes[2].src
		y, plane := row%u.axes[1].src, row/u.axes[1].src
		u.addEdge(plane/u.axes[0].src, plane%u.axes[0].src, y, x, dst)
	}
}

// addEdge adds a destination with a patch of its cells. Its tap 0 meets the given
// cell of image n.
func (u *gemmUnit[F]) addEdge(n, cz, cy, cx int, dst uintptr) {
	if len(u.edge.pixels) == u.patches {
		inside := u.inside
		u.inside = tileList{}
		u.compute()
		u.inside, u.rows = inside, u.rows[:0]
		u.border.pixels, u.border.dst, u.borders = u.border.pixels[:0], u.border.dst[:0], u.borders[:0]
		u.edge.pixels, u.edge.dst = u.edge.pixels[:0], u.edge.dst[:0]
	}
	z, y, x := u.phase.axis[0], u.phase.axis[1], u.phase.axis[2]
	words := u.phase.taps * u.Src
	patch := u.patch[len(u.edge.pixels)*words:][:words]
	clear(patch)
	z0, z1 := u.axes[0].real(z, cz)
	y0, y1 := u.axes[1].real(y, cy)
	x0, x1 := u.axes[2].real(x, cx)
	for tz := z0; tz < z1; tz++ {
		plane := n*u.axes[0].src + cz + tz*u.axes[0].cellStep
		for ty := y0; ty < y1; ty++ {
			row := u.src[(plane*u.axes[1].src+cy+ty*u.axes[1].cellStep)*u.axes[2].src*u.Src:]
			to := patch[(tz*y.taps+ty)*x.taps*u.Src:][:x.taps*u.Src]
			if u.axes[2].cellStep == 1 && x0 < x1 {
				copy(to[x0*u.Src:x1*u.Src], row[(cx+x0)*u.Src:])
				continue
			}
			for tx := x0; tx < x1; tx++ {
				copy(to[tx*u.Src:][:u.Src], row[(cx+tx*u.axes[2].cellStep)*u.Src:])
			}
		}
	}
	u.edge.add(address(patch), dst)
}

// runs lists the runs of the taps z0 <= z < z1, y0 <= y < y1 for a panel.
func (u *gemmUnit[F]) runs(g int, p *panel[F], z0, z1, y0, y1 int) []tapRun {
	bytes := int(u.bytes())
	height, along := u.phase.axis[1].taps, u.phase.along
	list := u.segments[:0]
	for z := z0; z < z1; z++ {
		for y := y0; y < y1; y++ {
			row := (z*u.axes[0].cellStep*u.axes[1].src + y*u.axes[1].cellStep) * u.axes[2].src
			for x := range along {
				cell, i := row+x*u.axes[2].cellStep, (z*height+y)*along+x
				list = append(list, tapRun{(cell*u.Src + g*u.srcGroup) * bytes, i * u.phase.run * p.tile.channels * bytes})
			}
		}
	}
	return list
}

// patchRuns lists the runs of patches for a panel.
func (u *gemmUnit[F]) patchRuns(g int, p *panel[F]) (list []tapRun, run int) {
	bytes := int(u.bytes())
	list, run = u.segments[:min(1, u.phase.taps)], u.phase.taps*u.srcGroup
	if u.Groups > 1 {
		list, run = u.segments[:u.phase.taps], u.srcGroup
	}
	for i := range list {
		list[i] = tapRun{(i*u.Src + g*u.srcGroup) * bytes, i * run * p.tile.channels * bytes}
	}
	return list, run
}

// compute multiplies the rows and all lists with all panels of the unit. A panel that
// is not full comes before the others.
func (u *gemmUnit[F]) compute() {
	insideTiles, edgeTiles := u.fill(&u.inside), u.fill(&u.edge)
	bytes := int(u.bytes())
	dstStep := u.axes[2].period * u.Dst * bytes
	for g := range u.Groups {
		for i := range u.share {
			if u.spills() {
				i = len(u.share) - 1 - i
			}
			p := &u.share[i]
			weights, bias := u.weights(u.packed, u.phase, g, p), u.biasOf(g, p)
			segments := u.runs(g, p, 0, u.phase.axis[0].taps, 0, u.phase.axis[1].taps)
			for _, r := range u.rows {
				stream := 0
				if u.stream && (address(u.dst[r.dst+p.first:])|uintptr(dstStep))%kernel.LineBytes == 0 {
					stream = 1
				}
				p.tile.row(&u.src[r.src], &u.dst[r.dst+p.first], r.n, u.axes[2].shift*u.Src*bytes, dstStep,
					head(segments), len(segments), u.phase.run/rowUnroll, u.phase.run%rowUnroll, unsafe.SliceData(weights), unsafe.SliceData(bias), stream)
			}
			if insideTiles > 0 {
				u.multiply(g, p, &u.inside, insideTiles, segments, u.phase.run, weights, bias)
			}
			for i := range u.borders {
				row := &u.borders[i]
				list := tileList{u.border.pixels[row.first:][:row.n], u.border.dst[row.first:][:row.n]}
				u.multiply(g, p, &list, row.n/u.pixels, u.runs(g, p, row.z0, row.z1, row.y0, row.y1), u.phase.run, weights, bias)
			}
			if edgeTiles > 0 {
				segments, run := u.patchRuns(g, p)
				u.multiply(g, p, &u.edge, edgeTiles, segments, run, weights, bias)
			}
		}
	}
}

// fill completes the last tile of a list by repeating its last destination. It
// returns the number of tiles.
func (u *gemmUnit[F]) fill(l *tileList) int {
	n := len(l.pixels)
	tiles := (n + u.pixels - 1) / u.pixels
	for i := n; i < tiles*u.pixels; i++ {
		l.add(l.pixels[n-1], l.dst[n-1])
	}
	return tiles
}

// biasOf returns the panel's bias, or zeros, as wide as its tile.
func (u *gemmUnit[F]) biasOf(g int, p *panel[F]) []F {
	if u.bias == nil {
		clear(u.padded)
		return u.padded
	}
	bias := u.bias[g*u.dstGroup+p.first:]
	if p.count == p.tile.channels {
		return bias[:p.count]
	}
	clear(u.padded)
	copy(u.padded, bias[:p.count])
	return u.padded
}

// spillTo sets where tiles of a panel that is not full are written.
func (u *gemmUnit[F]) spillTo(list []uintptr, spill []F) {
	u.spillAt, u.spill = list, spill
	at, step := address(spill), uintptr(u.panels[len(u.panels)-1].tile.channels)*u.bytes()
	for i := range list {
		list[i] = at
		at += step
	}
}

// multiply computes the tiles of a list for one panel. A panel that is not full is
// computed in scratch memory first, because dst has no room for its whole width.
func (u *gemmUnit[F]) multiply(g int, p *panel[F], l *tileList, tiles int, segments []tapRun, run int, weights, bias []F) {
	first := g*u.dstGroup + p.first
	dst, shift := l.dst, first*int(u.bytes())
	full := p.count == p.tile.channels
	if !full {
		dst, shift = u.spillAt, 0
	}
	p.tile.multiply(unsafe.SliceData(l.pixels), unsafe.SliceData(dst), tiles*u.pixels/p.tile.pixels, head(segments), len(segments), run,
		unsafe.SliceData(weights), unsafe.SliceData(bias), shift)
	if full {
		return
	}
	from := u.spill
	for _, at := range l.dst {
		to := u.dst[int((at-u.dstAt)/u.bytes())+first:][:p.count]
		for c := range to {
			to[c] = from[c]
		}
		from = from[p.tile.channels:]
	}
}

// addHollow computes a destination that overlaps padding without the taps there,
// because some weight is not finite and padding must add nothing.
func (u *gemmUnit[F]) addHollow(n, cz, cy, cx int, dst uintptr) {
	z, y, x := u.phase.axis[0], u.phase.axis[1], u.phase.axis[2]
	z0, z1 := u.axes[0].real(z, cz)
	y0, y1 := u.axes[1].real(y, cy)
	x0, x1 := u.axes[2].real(x, cx)
	for g := range u.Groups {
		for i := range u.share {
			p := &u.share[i]
			first := g*u.dstGroup + p.first
			to := u.dst[int((dst-u.dstAt)/u.bytes())+first:][:p.count]
			clear(to)
			weights := u.weights(u.packed, u.phase, g, p)
			for tz := z0; tz < z1; tz++ {
				plane := n*u.axes[0].src + cz + tz*u.axes[0].cellStep
				for ty := y0; ty < y1; ty++ {
					row := (plane*u.axes[1].src + cy + ty*u.axes[1].cellStep) * u.axes[2].src
					for tx := x0; tx < x1; tx++ {
						cell := u.src[(row+cx+tx*u.axes[2].cellStep)*u.Src+g*u.srcGroup:][:u.srcGroup]
						rows := weights[((tz*y.taps+ty)*x.taps+tx)*u.srcGroup*p.tile.channels:]
						for i, v := range cell {
							for c, w := range rows[i*p.tile.channels:][:p.count] {
								to[c] += v * w
							}
						}
					}
				}
			}
			if u.bias != nil {
				for c := range to {
					to[c] += u.bias[first+c]
				}
			}
		}
	}
}

// bytes returns the size of a number.
func (k *gemm[F]) bytes() uintptr {
	var size F
	return unsafe.Sizeof(size)
}
