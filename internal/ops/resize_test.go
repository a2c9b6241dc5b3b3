package ops_test

import (
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/tensor"
)

// To sizes whose weights every element type holds.
var _ = conform("resize", resizeReference,
	fixture{params: "size=46,31", x: tensor.Shape{2, 23, 31, 3}},
	fixture{params: "size=41,12 method=bilinear coordinates=align-corners", x: tensor.Shape{2, 21, 23, 3}},
	fixture{params: "size=7,4,19 method=nearest coordinates=asymmetric", x: tensor.Shape{2, 5, 9, 8, 3}},
	fixture{params: "size=8 method=area", x: tensor.Shape{2, 16, 32, 3}},
	fixture{params: "size=200 method=bicubic coordinates=align-corners", x: tensor.Shape{3, 399, 2}},
	fixture{params: "size=3,5 method=bicubic coordinates=half-pixel", x: tensor.Shape{2, 9, 15, 3}},
	fixture{params: "size=10,3 method=nearest coordinates=half-pixel", x: tensor.Shape{2, 5, 12, 3}},
	fixture{params: "size=10,3 method=nearest coordinates=asymmetric", x: tensor.Shape{2, 5, 12, 3}},
	fixture{params: "size=9,5 method=nearest coordinates=align-corners", x: tensor.Shape{2, 5, 9, 3}},
	fixture{params: "size=10,4 coordinates=asymmetric", x: tensor.Shape{2, 5, 12, 3}},
	fixture{params: "size=3,4 method=bilinear", x: tensor.Shape{2, 6, 16, 3}},
	fixture{params: "size=12,5 method=bicubic coordinates=asymmetric", x: tensor.Shape{2, 6, 20, 3}},
)

// share is how much of a cell of the input an output is made of, along an axis.
type share struct {
	cell   int
	weight float64
}

// resizeReference sums the cells of the input by the products of their shares
// along every axis.
func resizeReference(c *call) []grid {
	x := c.in[0]
	size := c.ints("size", len(x.spatial()), nil)
	axes := make([][][]share, len(size))
	for i, n := range x.spatial() {
		for o := range size[i] {
			axes[i] = append(axes[i], resizeShares(c.values["method"], c.values["coordinates"], o, n, size[i]))
		}
	}
	return []grid{fill(slices.Concat(x.shape[:1], size, []int{x.channels()}), func(o []int) (sum float64) {
		counts := make([]int, len(size))
		for i := range size {
			counts[i] = len(axes[i][o[1+i]])
		}
		each(counts, func(k []int) {
			from, weight := slices.Clone(o), 1.0
			for i := range size {
				s := axes[i][o[1+i]][k[i]]
				from[1+i] = s.cell
				weight *= s.weight
			}
			sum += weight * x.at(from...)
		})
		return sum
	})}
}

// resizeShares returns what cell o of out is made of, of in cells.
func resizeShares(method, coordinates string, o, in, out int) (list []share) {
	ratio := float64(in) / float64(out)
	if method == "area" { // the length of each cell within the part
		lo, hi := float64(o)*ratio, float64(o+1)*ratio
		for i := range in {
			if w := min(hi, float64(i+1)) - max(lo, float64(i)); w > 0 {
				list = append(list, share{i, w / ratio})
			}
		}
		return list
	}
	place := float64(o) * ratio
	switch coordinates {
	case "half-pixel":
		place = (float64(o)+0.5)*ratio - 0.5
	case "align-corners":
		if out > 1 {
			place = float64(o) * float64(in-1) / float64(out-1)
		}
	case "asymmetric":
	default:
		panic("the reference has no --coordinates " + coordinates)
	}
	within := func(i float64) int { return int(min(max(i, 0), float64(in-1))) }
	below := math.Floor(place)
	switch {
	case method == "nearest" && coordinates == "asymmetric":
		return []share{{within(below), 1}}
	case method == "nearest":
		return []share{{within(math.Floor(place + 0.5)), 1}}
	case method == "bilinear":
		return []share{{within(below), 1 - (place - below)}, {within(below + 1), place - below}}
	case method != "bicubic":
		panic("the reference has no --method " + method)
	}
	total := 0.0
	for i := below - 1; i <= below+2; i++ {
		a, d := -0.75, math.Abs(place-i)
		if coordinates == "half-pixel" {
			if a = -0.5; i < 0 || i >= float64(in) {
				continue
			}
		}
		w := (a+2)*d*d*d - (a+3)*d*d + 1
		if d > 1 {
			w = a*d*d*d - 5*a*d*d + 8*a*d - 4*a
		}
		list = append(list, share{within(i), w})
		total += w
	}
	for i := range list {
		list[i].weight /= total
	}
	return list
}
