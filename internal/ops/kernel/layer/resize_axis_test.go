package layer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// randomAxis returns an axis of up to most cells, of which a part is kept.
func randomAxis(r *rand.Rand, most int) ResizeAxis {
	a := ResizeAxis{Method: ResizeMethod(r.IntN(4)), In: 1 + r.IntN(most), Out: 1 + r.IntN(most), Wide: r.IntN(2) > 0, Gapless: r.IntN(2) > 0}
	if a.Method != ResizeArea {
		a.Coordinates = Coordinates(r.IntN(3))
	}
	a.From = r.IntN(a.Out)
	a.Kept = 1 + r.IntN(a.Out-a.From)
	return a
}

// fill returns the tables of an axis; needed has them counted among the cells
// that are needed.
func fill(a *ResizeAxis, narrowed bool) (cells []int32, weights []float64, needed []int32) {
	c, w := a.Taps()
	places, shares := tensor.New(tensor.Spec{DType: tensor.Int32, Shape: tensor.Shape{a.Kept, c}}), tensor.New(tensor.Spec{DType: tensor.Float64, Shape: tensor.Shape{a.Kept, w}})
	var list *tensor.Tensor
	if narrowed {
		list = tensor.New(tensor.Spec{DType: tensor.Int32, Shape: tensor.Shape{a.Needed()}})
	}
	a.Fill(places, shares, list)
	if narrowed {
		needed = tensor.Of[int32](list)
	}
	return tensor.Of[int32](places), tensor.Of[float64](shares), needed
}

// places reports whether number i of the table of cells is a place; the second
// one of area counts cells.
func (a *ResizeAxis) places(i int) bool { return a.Method != ResizeArea || i%3 != 1 }

// TestTablesOfNeededCells: the cells that are needed ascend, lie in the source and
// are those of the whole table, without gaps where that was asked for.
func TestTablesOfNeededCells(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		a := randomAxis(r, 60)
		whole, weights, _ := fill(&a, false)
		narrow, same, needed := fill(&a, true)
		if !slices.Equal(weights, same) {
			t.Fatalf("%+v: weights %v, of needed cells %v", a, weights, same)
		}
		used := map[int32]bool{}
		for i, c := range whole {
			if !a.places(i) {
				continue
			}
			if c < 0 || int(c) >= a.In {
				t.Fatalf("%+v: cell %d", a, c)
			}
			if narrow[i] < 0 || int(narrow[i]) >= len(needed) || needed[narrow[i]] != c {
				t.Fatalf("%+v: cell %d is number %d of %v", a, c, narrow[i], needed)
			}
			used[c] = true
		}
		for i, c := range needed {
			if i > 0 && c <= needed[i-1] || a.Gapless && int(c) != a.First()+i {
				t.Fatalf("%+v: needs %v", a, needed)
			}
			if !a.Gapless && a.Method != ResizeArea && !used[c] {
				t.Fatalf("%+v: needs cell %d, which no cell is made of", a, c)
			}
		}
	}
}

// TestWeightsSumToOne: a picture of one colour keeps it.
func TestWeightsSumToOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		a := randomAxis(r, 60)
		cells, weights, _ := fill(&a, false)
		for o := range a.Kept {
			sum := 1.0
			switch a.Method {
			case ResizeNearest:
			case ResizeLinear:
				if w := weights[o]; w < 0 || w >= 1 {
					t.Fatalf("%+v: weight %g", a, w)
				}
			case ResizeArea:
				n := float64(cells[3*o+1])
				if sum = weights[2*o] / a.Scale(); n > 1 {
					sum = (weights[2*o] + weights[2*o+1] + n - 2) / a.Scale()
				}
			case ResizeCubic:
				sum = weights[4*o] + weights[4*o+1] + weights[4*o+2] + weights[4*o+3]
			}
			if math.Abs(sum-1) > 1e-4 { // area's shares of a narrow cell far out are rounded in float32
				t.Fatalf("%+v: cell %d: the weights sum to %g", a, o, sum)
			}
		}
	}
}

// TestLongestAxes: float32 places of the longest axes still lie in the source.
func TestLongestAxes(t *testing.T) {
	for m := ResizeNearest; m <= ResizeCubic; m++ {
		for c := HalfPixel; c <= Asymmetric; c++ {
			for _, size := range [][2]int{{geom.MaxBounds, geom.MaxBounds}, {geom.MaxBounds, 3}, {geom.MaxBounds, geom.MaxBounds - 1}, {3, geom.MaxBounds}, {geom.MaxBounds - 1, geom.MaxBounds}, {1, geom.MaxBounds}} {
				a := ResizeAxis{Method: m, Coordinates: c, In: size[0], Out: size[1], From: max(0, size[1]-1000)}
				if a.Kept = size[1] - a.From; m == ResizeArea && (c != HalfPixel || a.Kept < 1000 && a.In > 1000) {
					continue
				}
				cells, _, _ := fill(&a, false)
				for i, v := range cells {
					if a.places(i) && (v < 0 || int(v) >= a.In) {
						t.Fatalf("%+v: cell %d", a, v)
					}
				}
			}
		}
	}
}
