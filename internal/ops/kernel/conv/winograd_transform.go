package conv

import (
	"unsafe"

	"github.com/poolctl/poolctl/internal/tensor"
)

// transform applies a linear transform to the columns and then to the rows of a
// square of numbers, for each channel. Output transforms add bias to the results;
// filter and input transforms take none. The number of row r and column c of the
// first channel is r*srcRow + c*srcCell bytes from src; results are placed likewise.
// last is where the last vector of channels begins, in bytes; it may overlap the one
// before it.
type transform[F tensor.Floating] func(dst, src, bias *F, dstRow, dstCell, srcRow, srcCell, last int)

// winogradTransforms are the transforms of one size of tile. lanes is the number of
// channels of a vector.
type winogradTransforms[F tensor.Floating] struct {
	lanes                 int
	filter, input, output transform[F]
}

// The points at which polynomials are taken for tiles of 4x4, beside 0 and
// infinity: ±2/3 and ±3/2. Those of 2x2 are 0, ±1 and infinity. Every transform
// below is one of numbers x in a line.
const (
	pointA, pointB   = 2.0 / 3, 3.0 / 2
	squareA, squareB = pointA * pointA, pointB * pointB
	cubeA, cubeB     = squareA * pointA, squareB * pointB
	scaleA           = 1 / (2 * squareA * (squareA - squareB))
	scaleB           = 1 / (2 * squareB * (squareB - squareA))
)

// winogradLine is the most numbers of a line.
const winogradLine = 6

func plainTransforms[F tensor.Floating](out int) winogradTransforms[F] {
	t := winogradTransforms[F]{lanes: 1}
	if out == 2 {
		t.filter = plainTransform(3, 4, func(x *[winogradLine]F) [winogradLine]F {
			even, odd := (x[0]+x[2])/2, x[1]/2
			return [winogradLine]F{x[0], even + odd, even - odd, x[2]}
		})
		t.input = plainTransform(4, 4, func(x *[winogradLine]F) [winogradLine]F {
			return [winogradLine]F{x[0] - x[2], x[1] + x[2], x[2] - x[1], x[1] - x[3]}
		})
		t.output = plainTransform(4, 2, func(x *[winogradLine]F) [winogradLine]F {
			return [winogradLine]F{x[0] + x[1] + x[2], x[1] - x[2] - x[3]}
		})
		return t
	}
	t.filter = plainTransform(3, 6, func(x *[winogradLine]F) [winogradLine]F {
		evenA, oddA := scaleA*x[0]+scaleA*squareA*x[2], scaleA*pointA*x[1]
		evenB, oddB := scaleB*x[0]+scaleB*squareB*x[2], scaleB*pointB*x[1]
		return [winogradLine]F{x[0], evenA + oddA, evenA - oddA, evenB + oddB, evenB - oddB, x[2]}
	})
	t.input = plainTransform(6, 6, func(x *[winogradLine]F) [winogradLine]F {
		evenA, oddA := x[4]-squareB*x[2], pointA*(x[3]-squareB*x[1])
		evenB, oddB := x[4]-squareA*x[2], pointB*(x[3]-squareA*x[1])
		return [winogradLine]F{
			x[0] + x[4] - (squareA+squareB)*x[2], evenA + oddA, evenA - oddA,
			evenB + oddB, evenB - oddB, x[1] + x[5] - (squareA+squareB)*x[3],
		}
	})
	t.output = plainTransform(6, 4, func(x *[winogradLine]F) [winogradLine]F {
		sumA, sumB, difA, difB := x[1]+x[2], x[3]+x[4], x[1]-x[2], x[3]-x[4]
		return [winogradLine]F{
			x[0] + sumA + sumB, pointA*difA + pointB*difB,
			squareA*sumA + squareB*sumB, cubeA*difA + cubeB*difB + x[5],
		}
	})
	return t
}

// plainTransform makes the transform of a square of in numbers a side to one of out
// from the transform of a line, in plain Go.
func plainTransform[F tensor.Floating](in, out int, line func(*[winogradLine]F) [winogradLine]F) transform[F] {
	return func(dst, src, bias *F, dstRow, dstCell, srcRow, srcCell, last int) {
		for at := 0; at <= last; at += int(unsafe.Sizeof(*src)) {
			var square, x [winogradLine][winogradLine]F
			for c := range in {
				for r := range in {
					x[c][r] = *beside(src, at+r*srcRow+c*srcCell)
				}
				for r, v := range line(&x[c]) {
					square[r][c] = v
				}
			}
			for r := range out {
				results := line(&square[r])
				for c, v := range results[:out] {
					if bias != nil {
						v += *beside(bias, at)
					}
					*beside(dst, at+r*dstRow+c*dstCell) = v
				}
			}
		}
	}
}

// beside returns a pointer to the number that is the given number of bytes from p.
func beside[F any](p *F, bytes int) *F { return (*F)(unsafe.Add(unsafe.Pointer(p), bytes)) }
