package tensor

import "slices"

// Permuted returns a copy of t with its axes reordered: axis i of the result is
// axis perm[i] of t. It returns t itself when the order does not change.
func Permuted(t *Tensor, perm []int) *Tensor {
	if slices.IsSorted(perm) {
		return t
	}
	p := NewPermuter(t.Shape, perm)
	out := New(Spec{t.DType, PermutedShape(t.Shape, perm)})
	p.Run(out, t, 0, p.Units())
	return out
}

// PermutedShape returns the shape with its axes reordered as by Permuted.
func PermutedShape(shape Shape, perm []int) Shape {
	out := make(Shape, len(perm))
	for i, p := range perm {
		out[i] = shape[p]
	}
	return out
}

// Permuter is a planned reordering of axes, as by Permuted. It is cut into units
// that are independent of each other and may run at the same time.
//
// Axes that stay neighbours are merged into one. If the last axis stays last, its
// rows are copied. Otherwise the last axes of source and result span a matrix to
// transpose. It is cut into blocks of permuteBlock by permuteBlock elements, which
// fit a core's caches, and these into tiles of PermuteTile by PermuteTile.
type Permuter struct {
	outer         []permutedAxis // all axes but row and column
	row, column   permutedAxis   // the source's last axis, and the result's
	rows, columns int            // blocks along each of them
	outside       int            // product of the sizes of outer

	// Single transposes a block of elements of four bytes, in place of plain Go:
	// dst[i*dstStep+j] = src[j*srcStep+i] for i < rows and j < columns, which are
	// positive multiples of PermuteTile. It may be nil.
	Single func(dst, src []float32, rows, columns, srcStep, dstStep int)
}

// permutedAxis is an axis with its strides in source and result, in elements.
type permutedAxis struct{ size, from, to int }

// PermuteTile is the side of a tile, in elements.
const PermuteTile = 8

const (
	permuteBlock = 128
	permuteCopy  = 1 << 14 // elements of a unit that only copies
)

// NewPermuter plans the reordering of a tensor of the given shape.
func NewPermuter(shape Shape, perm []int) *Permuter {
	p := &Permuter{row: permutedAxis{1, 1, 1}, column: permutedAxis{1, 1, 1}, outside: 1}
	to := 1
	for i := len(perm) - 1; i >= 0; i-- {
		axis := permutedAxis{shape[perm[i]], 1, to}
		for _, n := range shape[perm[i]+1:] {
			axis.from *= n
		}
		to *= axis.size
		if axis.size == 1 {
			continue
		}
		if last := len(p.outer) - 1; last >= 0 && axis.from == p.outer[last].from*p.outer[last].size {
			p.outer[last].size *= axis.size
		} else {
			p.outer = append(p.outer, axis)
		}
	}
	if to == 0 {
		return p
	}
	if len(p.outer) > 0 {
		p.column, p.outer = p.outer[0], p.outer[1:]
	}
	if i := slices.IndexFunc(p.outer, func(a permutedAxis) bool { return a.from == 1 }); i >= 0 {
		p.row = p.outer[i]
		p.outer = slices.Delete(p.outer, i, i+1)
		p.rows, p.columns = blocksOf(p.row.size, permuteBlock), blocksOf(p.column.size, permuteBlock)
	} else {
		p.rows, p.columns = 1, blocksOf(p.column.size, permuteCopy)
	}
	for _, a := range p.outer {
		p.outside *= a.size
	}
	return p
}

func blocksOf(n, block int) int { return (n + block - 1) / block }

// Units returns the number of units.
func (p *Permuter) Units() int { return p.outside * p.rows * p.columns }

// Run computes the units lo <= u < hi.
func (p *Permuter) Run(dst, src *Tensor, lo, hi int) { permuters.For(src.DType)(p, dst, src, lo, hi) }

// Elements of 4 and 8 bytes are moved in vector registers, of which there are
// enough beside those of the eight addresses. Loads and stores keep every bit.
var permuters = PerSize(permute[uint8], permute[uint16], permute[float32], permute[float64])

func permute[T Bits](p *Permuter, to, from *Tensor, lo, hi int) {
	dst, src := BitsOf[T](to), BitsOf[T](from)
	for unit := lo; unit < hi; unit++ {
		row, column, rest := unit%p.rows, unit/p.rows%p.columns, unit/p.rows/p.columns
		from, to := 0, 0
		for _, a := range p.outer {
			from, to = from+rest%a.size*a.from, to+rest%a.size*a.to
			rest /= a.size
		}
		if p.column.from == 1 {
			at := column * permuteCopy
			n := min(permuteCopy, p.column.size-at)
			copy(dst[to+at:][:n], src[from+at:])
			continue
		}
		row, column = row*permuteBlock, column*permuteBlock
		from, to = from+row*p.row.from+column*p.column.from, to+row*p.row.to+column*p.column.to
		transposeBlock(p, dst[to:], src[from:], min(permuteBlock, p.row.size-row), min(permuteBlock, p.column.size-column), p.column.from, p.row.to)
	}
}

// transposeBlock writes dst[i*dstStep+j] = src[j*srcStep+i] for i < rows and
// j < columns.
func transposeBlock[T Bits](p *Permuter, dst, src []T, rows, columns, srcStep, dstStep int) {
	tiledRows, tiledColumns := rows&^(PermuteTile-1), columns&^(PermuteTile-1)
	if single, is := any(src).([]float32); is && p.Single != nil && tiledRows > 0 && tiledColumns > 0 {
		p.Single(any(dst).([]float32), single, tiledRows, tiledColumns, srcStep, dstStep)
	} else {
		transposeTiles(dst, src, tiledRows, tiledColumns, srcStep, dstStep)
	}
	for j := tiledColumns; j < columns; j++ {
		for i, v := range src[j*srcStep:][:tiledRows] {
			dst[i*dstStep+j] = v
		}
	}
	for i := tiledRows; i < rows; i++ {
		row, at := dst[i*dstStep:][:columns], i
		for j := range row {
			row[j] = src[at]
			at += srcStep
		}
	}
}

func transposeTiles[T Bits](dst, src []T, rows, columns, srcStep, dstStep int) {
	for j := 0; j < columns; j += PermuteTile {
		for i := 0; i < rows; i += PermuteTile {
			transposeTile(dst[i*dstStep+j:], src[j*srcStep+i:], srcStep, dstStep)
		}
	}
}

// transposeTile writes one tile. Arrays of a fixed size spare bounds checks.
func transposeTile[T Bits](dst, src []T, srcStep, dstStep int) {
	type line = [PermuteTile]T
	a, b := (*line)(src), (*line)(src[srcStep:])
	c, d := (*line)(src[2*srcStep:]), (*line)(src[3*srcStep:])
	e, f := (*line)(src[4*srcStep:]), (*line)(src[5*srcStep:])
	g, h := (*line)(src[6*srcStep:]), (*line)(src[7*srcStep:])
	for i := range PermuteTile {
		to := (*line)(dst[i*dstStep:])
		to[0], to[1], to[2], to[3], to[4], to[5], to[6], to[7] = a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]
	}
}
