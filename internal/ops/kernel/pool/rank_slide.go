package pool

import (
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Sliding gives each cell of a tile a key, its value's place among all values of
// the tile, and counts the keys of a window. Values of 8 bits are their own keys.

// nanKey is that of NaN, which are not counted among the others.
const nanKey = ^uint32(0)

// A block is so many keys; their counts have a sum of their own.
const (
	blockBits = 6
	blockKeys = 1 << blockBits
)

func valueKeys[T tensor.Real]() bool { return tensor.TypeOf[T]().Size() == 1 }

// slideWords returns the words of scratch memory for a tile of so many cells.
func slideWords[T tensor.Real](cells int) int {
	keys := kernel.RoundUp(max(cells, 1<<8), blockKeys)
	return kernel.Words[uint32](cells) + kernel.Words[T](max(cells, 1<<8)) + kernel.Words[uint32](keys) + kernel.Words[uint32](keys/blockKeys)
}

// order counts the keys of a window. It remembers the block in which it found the
// last place: that of the next window is near.
type order struct {
	counts, blocks []uint32
	nans           int
	block, before  int // the keys of all blocks before that one
}

func (o *order) clear() {
	clear(o.counts)
	clear(o.blocks)
	o.nans, o.block, o.before = 0, 0, 0
}

func (o *order) add(key uint32) {
	if key == nanKey {
		o.nans++
		return
	}
	o.counts[key]++
	block := int(key >> blockBits)
	o.blocks[block]++
	if block < o.block {
		o.before++
	}
}

func (o *order) drop(key uint32) {
	if key == nanKey {
		o.nans--
		return
	}
	o.counts[key]--
	block := int(key >> blockBits)
	o.blocks[block]--
	if block < o.block {
		o.before--
	}
}

// find returns the key of place k, which must be there.
func (o *order) find(k int) int {
	for o.before > k {
		o.block--
		o.before -= int(o.blocks[o.block])
	}
	for o.before+int(o.blocks[o.block]) <= k {
		o.before += int(o.blocks[o.block])
		o.block++
	}
	key, left := o.block*blockKeys, k-o.before
	for left >= int(o.counts[key]) {
		left -= int(o.counts[key])
		key++
	}
	return key
}

// slideTile is a tile of one channel under computation.
type slideTile[T tensor.Real] struct {
	order
	keys   []uint32
	values []T    // of each key
	at     [3]int // first cell of the tile along each axis
	cells  [3]int // of the tile
}

// slideUnit takes a tile of one channel.
func (k *ranked[T, O]) slideUnit(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int) {
	s.Reset()
	axes := &k.Geometry.Axes
	p, out := k.part(unit), k.results(dst, argmax)
	channel := p.image % k.inner
	p.image /= k.inner
	w := k.window(src, p.image)
	w.data = w.data[channel:]

	var u slideTile[T]
	for i := range axes {
		u.at[i], u.cells[i] = reached(&axes[i], w.step[i], p.o0[i], p.o1[i])
	}
	u.load(s, &w)
	for z := p.o0[0]; z < p.o1[0]; z++ {
		w.first[0], w.count[0] = axes[0].Cells(z)
		for y := p.o0[1]; y < p.o1[1]; y++ {
			w.first[1], w.count[1] = axes[1].Cells(y)
			at := (((p.image*axes[0].Out+z)*axes[1].Out+y)*axes[2].Out)*k.inner + channel
			u.clear()
			w.count[2] = 0
			for x := p.o0[2]; x < p.o1[2]; x++ {
				first, count := axes[2].Cells(x)
				u.move(&w, first, count)
				lo, hi := k.slideFrom(&u, &w)
				out.write(at+x*k.inner, &w, p.image, channel, lo, hi)
			}
		}
	}
}

// reached returns the first cell that outputs o0 <= o < o1 of an axis see, and how
// far it is to the end of the last. Dilated windows that the border clips may begin
// behind later ones.
func reached(a *geom.Axis, step, o0, o1 int) (first, cells int) {
	first, end := a.In, 0
	for o := o0; o < o1; o++ {
		cell, n := a.Cells(o)
		first, end = min(first, cell), max(end, cell+(n-1)*step+1)
	}
	return first, end - first
}

// load gives each cell of the tile its key.
func (u *slideTile[T]) load(s *kernel.Scratch, w *rankWindow[T]) {
	n := u.cells[0] * u.cells[1] * u.cells[2]
	u.keys = kernel.Take[uint32](s, n)
	u.values = kernel.Take[T](s, max(n, 1<<8))
	kinds := 1 << 8
	if valueKeys[T]() {
		u.loadBytes(w)
	} else {
		kinds = u.loadSorted(w)
	}
	keys := kernel.RoundUp(max(kinds, 1), blockKeys)
	u.counts, u.blocks = kernel.Take[uint32](s, keys), kernel.Take[uint32](s, keys/blockKeys)
}

// row returns where a row of the tile stands in the image.
func (u *slideTile[T]) row(w *rankWindow[T], z, y int) int {
	return (((u.at[0]+z)*w.extent[1]+u.at[1]+y)*w.extent[2] + u.at[2]) * w.inner
}

func (u *slideTile[T]) loadBytes(w *rankWindow[T]) {
	least := 0
	if tensor.TypeOf[T]() == tensor.Int8 {
		least = -128
	}
	for i := range 1 << 8 {
		u.values[i] = T(i + least)
	}
	i := 0
	for z := range u.cells[0] {
		for y := range u.cells[1] {
			at := u.row(w, z, y)
			for range u.cells[2] {
				u.keys[i] = uint32(int(w.data[at]) - least)
				at += w.inner
				i++
			}
		}
	}
}

// loadSorted returns how many keys there are.
func (u *slideTile[T]) loadSorted(w *rankWindow[T]) int {
	n := 0
	u.eachCell(w, func(_ int, v T) {
		if v == v {
			u.values[n] = v
			n++
		}
	})
	slices.Sort(u.values[:n])
	u.values = slices.Compact(u.values[:n])
	u.eachCell(w, func(i int, v T) {
		u.keys[i] = nanKey
		if v == v {
			key, _ := slices.BinarySearch(u.values, v)
			u.keys[i] = uint32(key)
		}
	})
	return len(u.values)
}

func (u *slideTile[T]) eachCell(w *rankWindow[T], do func(i int, v T)) {
	i := 0
	for z := range u.cells[0] {
		for y := range u.cells[1] {
			at := u.row(w, z, y)
			for range u.cells[2] {
				do(i, w.data[at])
				at += w.inner
				i++
			}
		}
	}
}

// move makes the window begin at another cell of the row. Cells that both windows
// have are left as they are.
func (u *slideTile[T]) move(w *rankWindow[T], first, count int) {
	step := w.step[2]
	from, end := w.first[2], w.first[2]+w.count[2]*step
	keep := first
	if from <= first && first < end && (first-from)%step == 0 {
		keep = end
		end = first
	}
	for x := from; x < end; x += step {
		u.dropColumn(w, x)
	}
	for x := keep; x < first+count*step; x += step {
		u.addColumn(w, x)
	}
	w.first[2], w.count[2] = first, count
}

func (u *slideTile[T]) addColumn(w *rankWindow[T], x int) {
	for z := range w.count[0] {
		at, down := u.column(w, z, x)
		for range w.count[1] {
			u.add(u.keys[at])
			at += down
		}
	}
}

func (u *slideTile[T]) dropColumn(w *rankWindow[T], x int) {
	for z := range w.count[0] {
		at, down := u.column(w, z, x)
		for range w.count[1] {
			u.drop(u.keys[at])
			at += down
		}
	}
}

// column returns where the first key of a column of the window stands, in one of
// its planes, and how far it is to the next.
func (u *slideTile[T]) column(w *rankWindow[T], z, x int) (at, down int) {
	plane, row := w.first[0]+z*w.step[0]-u.at[0], w.first[1]-u.at[1]
	return (plane*u.cells[1]+row)*u.cells[2] + x - u.at[2], w.step[1] * u.cells[2]
}

// slideFrom finds the cells that make the result of the window.
func (k *ranked[T, O]) slideFrom(u *slideTile[T], w *rankWindow[T]) (lo, hi T) {
	n := w.count[0]*w.count[1]*w.count[2] - u.nans
	a, b := k.places(n)
	if u.nans > 0 && !k.IgnoreNaN || b >= n {
		nan := w.firstNaN()
		return nan, nan
	}
	lo = u.values[u.find(a)]
	if b > a {
		return lo, u.values[u.find(b)]
	}
	return lo, lo
}
