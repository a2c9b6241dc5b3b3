package conv

import (
	"fmt"
	"unsafe"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// depthwiseRow computes cells of a row that use the same taps. A tap is two
// offsets in bytes: from src to the cell of the first result, and from weights to
// the tap's weights. Weights and bias are as long as a cell. The last vectors of a
// cell begin at last bytes and may overlap those before them. Results are dstStep
// and source cells srcStep bytes apart. Memory ahead bytes behind a cell is fetched
// early. Morphology has no bias. It reports whether a sum was NaN; the results are
// then wrong.
type depthwiseRow[F tensor.Floating] func(dst, src *F, taps *int, count int, weights, bias *F, cells, dstStep, srcStep, last, ahead int) (odd int)

// depthwiseRows are the functions of a reduction. Their tiles are one vector of a
// cell (single), one vector of narrowCells cells (narrow), wideVectors vectors of a
// cell (wide) and, where that is faster, of two cells (pair). The last two also
// exist with stores past the caches.
type depthwiseRows[F tensor.Floating] struct {
	lanes                        int
	single, narrow, wide, stream depthwiseRow[F]
	pair, pairStream             depthwiseRow[F]
}

const (
	narrowCells = 8
	wideVectors = 4
)

// vectorDepthwise is a planned kernel over vectors of channels.
//
// A cell with fewer channels than a vector has lanes is computed together with its
// neighbours. At stride 1 a row is one run of numbers in which the weights repeat.
// What the functions take as a cell is then the pattern: the least number that both
// channels and lanes divide.
//
// The packed filter is [tap][channel of the group][number of the pattern], with the
// weights of erosion negated, and then a number that is not 0 when a weight is
// infinite or NaN.
type vectorDepthwise[F tensor.Floating] struct {
	DepthwiseSpec
	depthwiseRows[F]
	axes     [3]axis
	taps     int
	group    int // channels
	pattern  int // numbers of a cell
	streamed bool
	merge    kernel.Merger[F]
	rows     rows
}

// vectorDepthwiseRefusal says why the kernel cannot run, or nothing.
func vectorDepthwiseRefusal(spec *DepthwiseSpec, lanes int) string {
	x := &spec.Gather[2]
	switch {
	case spec.Multiplier != 1:
		return fmt.Sprintf("there are %d results a channel", spec.Multiplier)
	case phasesOf(&spec.Gather) > mostPhases:
		return manyPhases
	case spec.C < lanes && (x.Shift != 1 || x.Period != 1):
		return fmt.Sprintf("%d channels are fewer than the %d lanes of a vector, and rows have a stride", spec.C, lanes)
	}
	return ""
}

func newVectorDepthwise[F tensor.Floating](spec DepthwiseSpec, functions depthwiseRows[F]) *vectorDepthwise[F] {
	k := &vectorDepthwise[F]{DepthwiseSpec: spec, depthwiseRows: functions, group: max(1, spec.Group), pattern: spec.C, rows: newRows(&spec.Gather), merge: morphologyMerger[F](&spec)}
	for i := range spec.Gather {
		k.axes[i] = newAxis(&spec.Gather[i])
	}
	k.taps = spec.Gather[0].Size * spec.Gather[1].Size * spec.Gather[2].Size
	for k.pattern < k.lanes || spec.C < k.lanes && k.pattern%k.lanes != 0 {
		k.pattern += spec.C
	}
	size := tensor.SizeOf[F]()
	numbers := spec.N * spec.C * (k.axes[0].dst*k.axes[1].dst*k.axes[2].dst + k.axes[0].src*k.axes[1].src*k.axes[2].src)
	k.streamed = numbers >= kernel.StreamFrom/size && spec.C%k.lanes == 0
	return k
}

func (k *vectorDepthwise[F]) depthwise() *Depthwise {
	return &Depthwise{
		Packed: k.weights() + 1, Units: k.N * k.rows.units(),
		Scratch: 8 * (kernel.Words[int](2*k.taps) + kernel.Words[F](k.pattern) + kernel.Words[F](k.C)), pack: k.pack, run: k.run,
	}
}

// weights returns the number of weights in the packed filter.
func (k *vectorDepthwise[F]) weights() int { return k.taps * k.group * k.pattern }

func (k *vectorDepthwise[F]) pack(packedTensor, filterTensor *tensor.Tensor) {
	packed, filter := tensor.Of[F](packedTensor), tensor.Of[F](filterTensor)
	packed[k.weights()] = 0
	for i := range k.weights() {
		number := i % k.pattern
		packed[i] = k.weight(filter, i/k.pattern/k.group, i/k.pattern%k.group, number%k.C)
		if notFinite(packed[i]) {
			packed[k.weights()] = 1
		}
	}
}

// weight returns the weight of channel i of the group at a tap, for a result of the
// given channel.
func (k *vectorDepthwise[F]) weight(filter []F, tap, i, channel int) F {
	if k.Morphology == Erode {
		return -filter[(k.taps-1-tap)*k.Filter.Tap+channel*k.Filter.Group]
	}
	return filter[tap*k.Filter.Tap+i*k.Filter.Src+channel%k.group*k.Filter.Dst+channel/k.group*k.Filter.Group]
}

// depthwiseUnit is a row of destinations, or a piece of one, being computed.
type depthwiseUnit[F tensor.Floating] struct {
	*vectorDepthwise[F]
	src, dst, packed, bias []F
	part                   []F   // room for a cell
	list                   []int // taps
	z, y                   *axisPhase
	z0, z1, y0, y1         int // taps that meet real cells
	cellZ, cellY           int // cell of tap 0; planes are counted through all images
	row                    int // the first destination
}

func (k *vectorDepthwise[F]) run(s *kernel.Scratch, dstTensor, srcTensor, packedTensor, biasTensor *tensor.Tensor, unit int) {
	u := depthwiseUnit[F]{vectorDepthwise: k, src: tensor.Of[F](srcTensor), dst: tensor.Of[F](dstTensor), packed: tensor.Of[F](packedTensor)}
	s.Reset()
	u.list, u.bias, u.part = kernel.Take[int](s, 2*k.taps), kernel.Take[F](s, k.pattern), kernel.Take[F](s, k.C)
	clear(u.bias)
	if k.Bias {
		for bias, i := tensor.Of[F](biasTensor), 0; i < k.pattern; i += k.C {
			copy(u.bias[i:], bias)
		}
	}
	at := k.rows.at(unit)
	z, y, x := &k.axes[0], &k.axes[1], &k.axes[2]
	u.z, u.y = &z.phases[at.z%z.period], &y.phases[at.y%y.period]
	u.cellZ, u.cellY = u.z.cell+at.z/z.period*z.shift, u.y.cell+at.y/y.period*y.shift
	u.z0, u.z1 = z.real(u.z, u.cellZ)
	u.y0, u.y1 = y.real(u.y, u.cellY)
	u.cellZ += at.image * z.src
	u.row = ((at.image*z.dst+at.z)*y.dst + at.y) * x.dst
	for i := range x.phases {
		p := &x.phases[i]
		q, q1 := max(0, geom.CeilDiv(at.x0-p.first, x.period)), max(0, geom.CeilDiv(at.x1-p.first, x.period))
		in0 := min(max(q, p.inside0), q1)
		in1 := max(in0, min(q1, p.inside1))
		for ; q < in0; q++ {
			u.cells(p, q, 1)
		}
		if q < in1 {
			u.cells(p, q, in1-q)
			q = in1
		}
		for ; q < q1; q++ {
			u.cells(p, q, 1)
		}
	}
}

// cells computes n destinations of a phase that use the same taps, from q on.
func (u *depthwiseUnit[F]) cells(p *axisPhase, q, n int) {
	x := &u.axes[2]
	cellX := p.cell + q*x.shift
	k0, k1 := x.real(p, cellX)
	count := u.listTaps(p, k0, k1)
	to := u.dst[(u.row+p.first+q*x.period)*u.C:]
	from := to // without taps nothing is read
	if count > 0 {
		from = u.src[u.cell(u.z0, u.y0, cellX+k0*x.cellStep):]
	}
	if u.C < u.lanes && n*u.C < u.pattern || u.compute(to, from, count, n) {
		for i := range n {
			u.plain(to[i*x.period*u.C:][:u.C], from[min(len(from), i*x.shift*u.C):], count)
		}
	}
	if count < u.taps && !u.SkipPadding && u.Morphology == Convolve && u.packed[u.weights()] != 0 {
		for i := range n {
			u.addVoids(to[i*x.period*u.C:][:u.C], k0, k1)
		}
	}
}

// cell returns the offset of the first channel of the cell that taps z and y and
// column x meet.
func (u *depthwiseUnit[F]) cell(z, y, x int) int {
	plane, row := u.cellZ+z*u.axes[0].cellStep, u.cellY+y*u.axes[1].cellStep
	return ((plane*u.axes[1].src+row)*u.axes[2].src + x) * u.C
}

// listTaps lists the taps that meet real cells, k0 <= k < k1 along the width.
func (u *depthwiseUnit[F]) listTaps(p *axisPhase, k0, k1 int) (count int) {
	size := tensor.SizeOf[F]()
	if u.z0 == u.z1 || u.y0 == u.y1 {
		return 0
	}
	first := u.cell(u.z0, u.y0, k0*u.axes[2].cellStep)
	for z := u.z0; z < u.z1; z++ {
		for y := u.y0; y < u.y1; y++ {
			tap := ((u.z.tap+z*u.z.tapStep)*u.Gather[1].Size + u.y.tap + y*u.y.tapStep) * u.Gather[2].Size
			for k := k0; k < k1; k++ {
				u.list[2*count] = (u.cell(z, y, k*u.axes[2].cellStep) - first) * size
				u.list[2*count+1] = (tap + p.tap + k*p.tapStep) * u.group * u.pattern * size
				count++
			}
		}
	}
	return count
}

// compute computes n destinations by vectors. It reports whether they must be
// computed again because of NaN.
func (u *depthwiseUnit[F]) compute(to, from []F, count, n int) bool {
	size := tensor.SizeOf[F]()
	dstStep, srcStep := u.axes[2].period*u.C, u.axes[2].shift*u.C
	odd, ahead := 0, 0
	if count > 0 {
		ahead = u.list[2*count-2] + u.axes[1].shift*u.axes[2].src*u.C*size
	}
	call := func(f depthwiseRow[F], at, cells, vectors int) {
		odd |= f(&to[at*dstStep], unsafe.SliceData(from[min(len(from), at*srcStep):]), unsafe.SliceData(u.list), count, &u.packed[0], &u.bias[0], cells, dstStep*size, srcStep*size, (u.pattern-vectors*u.lanes)*size, ahead)
	}
	if u.wide != nil && u.pattern >= wideVectors*u.lanes && u.pattern == u.C {
		wide, pair := u.wide, u.pair
		if u.streamed && address(to)%uintptr(u.lanes*size) == 0 {
			wide, pair = u.stream, u.pairStream
		}
		pairs := 0
		if pair != nil {
			pairs = n / 2
		}
		if pairs > 0 {
			call(pair, 0, 2*pairs, wideVectors)
		}
		if 2*pairs < n {
			call(wide, 2*pairs, n-2*pairs, wideVectors)
		}
		return odd != 0
	}
	rest := 0
	if u.pattern != u.C { // one run of numbers
		numbers := n * u.C
		dstStep, srcStep = u.pattern, u.pattern
		n, rest = numbers/u.pattern, numbers%u.pattern
	}
	if whole := n / narrowCells * narrowCells; whole == 0 {
		call(u.single, 0, n, 1)
	} else {
		call(u.narrow, 0, whole, 1)
		if whole < n {
			call(u.narrow, n-narrowCells, narrowCells, 1)
		}
	}
	if rest > 0 { // the last pattern overlaps the one before it by whole cells
		to, from = to[(n-1)*u.pattern+rest:], from[(n-1)*u.pattern+rest:]
		call(u.single, 0, 1, 1)
	}
	return odd != 0
}

// plain computes one destination in plain Go.
func (u *depthwiseUnit[F]) plain(out, from []F, count int) {
	size := tensor.SizeOf[F]()
	if u.Morphology == Convolve {
		clear(out)
	}
	for i := range count {
		cell, weights := from[u.list[2*i]/size:][:len(out)], u.packed[u.list[2*i+1]/size:]
		switch {
		case u.group > 1:
			u.multiplyGroups(out, cell, weights)
		case u.Morphology == Convolve:
			multiplyAdd(out, cell, weights[:len(out)], 1)
		case i == 0:
			shift(out, cell, weights[:len(out)], Dilate)
		default:
			shift(u.part, cell, weights[:len(out)], Dilate)
			u.merge(out, out, u.part)
		}
	}
	if u.Bias {
		for c, b := range u.bias[:len(out)] {
			out[c] += b
		}
	}
}

// multiplyGroups adds the products of a tap, for groups of several channels.
func (u *depthwiseUnit[F]) multiplyGroups(out, cell, weights []F) {
	for i := range u.group {
		for c, w := range weights[i*u.pattern:][:len(out)] {
			out[c] += cell[c/u.group*u.group+i] * w
		}
	}
}

// addVoids adds 0 times the weights of the taps that lie on padding.
func (u *depthwiseUnit[F]) addVoids(out []F, k0, k1 int) {
	height, width := u.Gather[1].Size, u.Gather[2].Size
	for tap := range u.taps {
		z, y, x := tap/width/height, tap/width%height, tap%width
		if z >= u.z0 && z < u.z1 && y >= u.y0 && y < u.y1 && x >= k0 && x < k1 {
			continue
		}
		for i := range u.group {
			for c, w := range u.packed[(tap*u.group+i)*u.pattern:][:len(out)] {
				out[c] += 0 * w
			}
		}
	}
}
