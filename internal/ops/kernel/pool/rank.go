package pool

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// ranked takes the cell of a window that has a certain place in the order of their
// values, or the mean of two. Each channel is on its own. O is the type of averages
// of T.
//
// Two ways lead to the cell. Selection copies the cells of a window and finds the
// one that is wanted; its time grows with the cells. Sliding counts the values of a
// window and moves from one window of a row to the next, adding the cells that come
// and dropping those that go; its time grows with their number, the square root of
// that of a square window.
type ranked[T tensor.Real, O tensor.Floating] struct {
	Spec
	inner  int // numbers a cell
	slides bool

	tile  [3]int // outputs of a unit along each axis
	count [3]int // tiles along each axis
	cells [3]int // most input cells of a tile along each axis
}

const (
	slideCells = 20      // cells that a window has at least for sliding to pay
	sortedTile = 64      // outputs of a tile along an axis, at least where there are as many
	byteTile   = 256     // of values of 8 bits, which need not be sorted
	slideMost  = 1 << 24 // cells of a tile
	selectRows = 1 << 12 // outputs of a unit of selection, about
)

// rankCandidates take medians and other order statistics.
func rankCandidates(spec *Spec) []candidate {
	if spec.DType.IsNarrow() {
		return noRankCandidates("there is none for " + spec.DType.String())
	}
	return rankCandidatesPerType.For(spec.DType)(spec)
}

// rankCandidatesPerType has the type of averages beside each type.
var rankCandidatesPerType = tensor.PerReal(rankCandidatesOf[uint8, float32], rankCandidatesOf[int8, float32],
	rankCandidatesOf[uint16, float32], rankCandidatesOf[int16, float32],
	rankCandidatesOf[uint32, float64], rankCandidatesOf[int32, float64], rankCandidatesOf[uint64, float64], rankCandidatesOf[int64, float64],
	rankCandidatesOf[float32, float32], rankCandidatesOf[float64, float64])

func noRankCandidates(refusal string) []candidate {
	return []candidate{{Name: "sliding order", Refusal: refusal}, {Name: "selection", Refusal: refusal}}
}

func rankCandidatesOf[T tensor.Real, O tensor.Floating](spec *Spec) []candidate {
	switch r := spec.Reduction; {
	case !r.IsRank():
		return noRankCandidates("there is none for " + r.String())
	case spec.Argmax && !r.HasArgmax():
		return noRankCandidates(r.String() + " have no argmax")
	}
	size := WindowSize(&spec.Geometry)
	slide := candidate{Name: fmt.Sprintf("sliding order %s, go", size), Plan: func() *Kernel { return newRanked[T, O](spec, true) }}
	g := &spec.Geometry
	tiles := newRankTiles(g, slideOutputs[T]())
	switch {
	case tiles.elements() > slideMost:
		slide.Refusal = fmt.Sprintf("a window with its gaps has more than %d cells", slideMost)
	case g.Taps() < slideCells:
		slide.Unasked = fmt.Sprintf("windows of %d cells are sooner selected (sliding pays from %d)", g.Taps(), slideCells)
	case 2*g.Axes[2].Stride >= g.Axes[2].Effective() || g.Axes[2].Stride%g.Axes[2].Dilation != 0:
		slide.Unasked = "neighbouring windows have less than half of their cells in common"
	}
	return []candidate{slide, {Name: fmt.Sprintf("selection %s, go", size), Plan: func() *Kernel { return newRanked[T, O](spec, false) }}}
}

// slideOutputs returns the outputs along an axis that a tile aims at.
func slideOutputs[T tensor.Real]() int {
	if valueKeys[T]() {
		return byteTile
	}
	return sortedTile
}

// rankTiles cuts the outputs of an image into parts whose cells are sorted once.
type rankTiles struct{ tile, count, cells [3]int }

func newRankTiles(g *geom.Geometry, outputs int) (t rankTiles) {
	for i, a := range g.Axes {
		least := max(outputs, (a.Effective()+a.Stride-1)/a.Stride) // so that less than half of a tile is shared
		t.tile[i] = min(a.Out, max(1, least))
		if i == 0 {
			t.tile[i] = 1
		}
		t.count[i] = (a.Out + t.tile[i] - 1) / t.tile[i]
		if a.Bounds == nil {
			t.cells[i] = min(a.In, (t.tile[i]-1)*a.Stride+a.Effective())
			continue
		}
		for o := 0; o < a.Out; o += t.tile[i] {
			last := min(o+t.tile[i], a.Out) - 1
			t.cells[i] = max(t.cells[i], a.Bounds[last][1]-a.Bounds[o][0])
		}
	}
	return t
}

func (t rankTiles) elements() int { return t.cells[0] * t.cells[1] * t.cells[2] }

func newRanked[T tensor.Real, O tensor.Floating](spec *Spec, slides bool) *Kernel {
	k := &ranked[T, O]{Spec: *spec, inner: spec.Geometry.C, slides: slides}
	images := spec.Geometry.N
	if spec.ChannelsFirst {
		k.inner, images = 1, images*k.inner
	}
	axes := &k.Geometry.Axes
	run, words := k.selectUnit, kernel.Words[T](k.Geometry.Taps())
	k.tile, k.count = [3]int{1, max(1, min(axes[1].Out, selectRows/(axes[2].Out*k.inner))), axes[2].Out}, [3]int{axes[0].Out, 0, 1}
	k.count[1] = (axes[1].Out + k.tile[1] - 1) / k.tile[1]
	if slides {
		t := newRankTiles(&k.Geometry, slideOutputs[T]())
		k.tile, k.count, k.cells = t.tile, t.count, t.cells
		run, words = k.slideUnit, slideWords[T](t.elements())
		images *= k.inner
	}
	return &Kernel{Units: images * k.count[0] * k.count[1] * k.count[2], Scratch: 8 * words, run: run}
}

// part is the outputs of a unit.
type part struct {
	image  int
	o0, o1 [3]int
}

func (k *ranked[T, O]) part(unit int) (p part) {
	for i := 2; i >= 0; i-- {
		p.o0[i] = unit % k.count[i] * k.tile[i]
		p.o1[i] = min(p.o0[i]+k.tile[i], k.Geometry.Axes[i].Out)
		unit /= k.count[i]
	}
	p.image = unit
	return p
}

// places returns which numbers of a window that has n of them make the result, the
// smallest is 0. There may be no such number.
func (s *Spec) places(n int) (lo, hi int) {
	switch s.Reduction {
	case Median:
		return (n - 1) / 2, n / 2
	case LowerMedian:
		return (n - 1) / 2, (n - 1) / 2
	case UpperMedian:
		return n / 2, n / 2
	case Rank:
		return s.Rank, s.Rank
	case Max, Min, Average, Sum, LP, Variance, Deviation:
	}
	panic("pool: " + s.Reduction.String() + " have no place") // rankCandidatesOf refuses them
}

// rankWindow is the real cells of one window, of one channel.
type rankWindow[T tensor.Real] struct {
	data   []T // of the image, from the channel on
	inner  int
	first  [3]int // cell along each axis
	count  [3]int
	step   [3]int // from one cell to the next
	extent [3]int // of the input
}

// each calls do for every cell in row-major order, until it returns false.
func (w *rankWindow[T]) each(do func(cell int, v T) bool) {
	for z := range w.count[0] {
		for y := range w.count[1] {
			cell := ((w.first[0]+z*w.step[0])*w.extent[1]+w.first[1]+y*w.step[1])*w.extent[2] + w.first[2]
			for range w.count[2] {
				if !do(cell, w.data[cell*w.inner]) {
					return
				}
				cell += w.step[2]
			}
		}
	}
}

// locate returns the first cell of a value, or the first that is NaN, and its own
// value: zeros differ in their sign.
func (w *rankWindow[T]) locate(v T) (cell int, own T) {
	w.each(func(at int, x T) bool {
		if x == v || x != x && v != v {
			cell, own = at, x
			return false
		}
		return true
	})
	return cell, own
}

// firstNaN returns the first NaN.
func (w *rankWindow[T]) firstNaN() (nan T) {
	w.each(func(_ int, x T) bool { nan = x; return x == x })
	return nan
}

// results is where a unit writes.
type results[T tensor.Real, O tensor.Floating] struct {
	spec   *Spec
	cells  []T // where results are cells
	means  []O // or else
	argmax []int64
}

func (k *ranked[T, O]) results(dst, argmax *tensor.Tensor) results[T, O] {
	r := results[T, O]{spec: &k.Spec}
	if k.Reduction.KeepsType() {
		r.cells = tensor.Of[T](dst)
	} else {
		r.means = tensor.Of[O](dst)
	}
	if k.Argmax {
		r.argmax = tensor.Of[int64](argmax)
	}
	return r
}

// write writes the result at an offset, of a window of an image (or plane) and
// channel.
func (r *results[T, O]) write(at int, w *rankWindow[T], image, channel int, lo, hi T) {
	if lo == 0 && tensor.TypeOf[T]().IsFloat() {
		_, lo = w.locate(lo)
	}
	if hi == 0 && tensor.TypeOf[T]().IsFloat() {
		_, hi = w.locate(hi)
	}
	if r.cells != nil {
		r.cells[at] = lo
	} else {
		r.means[at] = O(mean(float64(lo), float64(hi)))
	}
	if r.argmax != nil {
		cell, _ := w.locate(lo)
		if x := &r.spec.Index; r.spec.ChannelsFirst {
			r.argmax[at] = x.Encode(image/x.Channels, image%x.Channels, cell)
		} else {
			r.argmax[at] = x.Encode(image, channel, cell)
		}
	}
}

// mean is that of two numbers, whose sum may overflow.
func mean(a, b float64) float64 {
	if sum := a + b; sum-sum == 0 {
		return sum / 2
	}
	return a/2 + b/2
}
