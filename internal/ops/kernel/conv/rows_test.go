package conv_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
)

// TestLongRows: so many destinations side by side that they are computed as a row,
// with every number of them left over by the tiles.
func TestLongRows(t *testing.T) {
	random := rand.New(rand.NewPCG(21, 22))
	same := geom.Window{Size: []int{3}, Padding: geom.Same}
	for n := 95; n < 125; n++ {
		checkConvLevels(t, newConvCase[float32](t, 2, []int{n}, same, 3, []int{16, 24, 32, 9, 20, 44, 71}[n%7], 1, false, "TIO", random.NormFloat64))
		checkConvLevels(t, newConvCase[float64](t, 1, []int{n}, same, 2, []int{4, 8, 12, 7, 10}[n%5], 1, n%2 == 1, "TOI", random.NormFloat64))
	}
	for _, w := range []geom.Window{
		{Size: []int{3, 3}, Padding: geom.Same},
		{Size: []int{1, 1}},
		{Size: []int{2, 7}, Stride: []int{2, 2}, Padding: geom.SameLower},
		{Size: []int{3, 2}, Stride: []int{1, 3}, Dilation: []int{2, 5}, Padding: geom.Explicit, Amounts: [][2]int{{3, 1}, {4, 9}}},
	} {
		for _, channels := range []int{1, 3, 5, 8} {
			checkConvLevels(t, newConvCase[float32](t, 1, []int{4, 613}, w, channels, 40, 1, false, "OIT", random.NormFloat64))
			checkConvLevels(t, newConvCase[float32](t, 3, []int{7, 299}, w, channels, 9+4*channels, 1, false, "TIO", random.NormFloat64))
			checkConvLevels(t, newConvCase[float32](t, 2, []int{3, 301}, w, channels, 8, 1, true, "TIO", random.NormFloat64))
			checkConvLevels(t, newConvCase[float32](t, 2, []int{9, 801}, w, 7, channels, 1, true, "TIO", random.NormFloat64))
		}
	}
}

// TestRowsOfHeavyFilters: units share the panels, the last of which is not full.
func TestRowsOfHeavyFilters(t *testing.T) {
	random := rand.New(rand.NewPCG(31, 32))
	checkConvLevels(t, newConvCase[float32](t, 1, []int{800}, geom.Window{Size: []int{128}, Padding: geom.Same}, 2, 1029, 1, false, "TIO", random.NormFloat64))
}

// TestDrawnLongRows: wide shapes at random, phases without taps among them.
func TestDrawnLongRows(t *testing.T) {
	random := rand.New(rand.NewPCG(27, 28))
	upTo := func(n int) int { return 1 + random.IntN(n) }
	for range 60 {
		w := geom.Window{
			Size: []int{upTo(3), upTo(4)}, Stride: []int{upTo(2), upTo(3)}, Dilation: []int{1, 1},
			Padding: []geom.Padding{geom.Same, geom.Valid, geom.SameLower}[random.IntN(3)],
		}
		if random.IntN(2) == 0 {
			w.Stride, w.Dilation = w.Dilation, w.Stride
		}
		in := []int{8 + upTo(12), 100 + upTo(400)}
		channels, outputs, transposed, layout := upTo(6), upTo(40), random.IntN(2) == 0, filterLayouts[random.IntN(len(filterLayouts))]
		checkConvLevels(t, newConvCase[float32](t, 1, in, w, channels, outputs, 1, transposed, layout, random.NormFloat64))
		checkConvLevels(t, newConvCase[float64](t, 1, in, w, channels, upTo(12), 1, transposed, layout, random.NormFloat64))
	}
}

// TestRowsBeforePatches: more destinations over padding than there are patches at a
// time. The last of them are the end of a row that others of the row write into.
func TestRowsBeforePatches(t *testing.T) {
	random := rand.New(rand.NewPCG(25, 26))
	for _, padding := range []int{249, 250, 251, 255, 256, 257} {
		w := geom.Window{Size: []int{125}, Padding: geom.Explicit, Amounts: [][2]int{{padding, 0}}}
		checkConvLevels(t, newConvCase[float64](t, 1, []int{25_000}, w, 2, 1, 1, false, "TIO", random.NormFloat64))
	}
}

// TestStreamedRows: rows of two images are written past the caches, and have the
// same bits as those of each image alone, which is too small for that.
func TestStreamedRows(t *testing.T) {
	random := rand.New(rand.NewPCG(23, 24))
	c := newConvCase[float32](t, 2, []int{700_001}, geom.Window{Size: []int{2}}, 1, 16, 1, false, "TIO", random.NormFloat64)
	for _, c.spec.Level = range kerneltest.EveryLevel() {
		c.spec.N = 2
		both := c.run(t, random)
		c.spec.N = 1
		for image := range 2 {
			one := *c
			one.x = c.x[image*len(c.x)/2:][:len(c.x)/2]
			if y := one.run(t, random); !slices.Equal(y, both[image*len(y):][:len(y)]) {
				t.Errorf("%s at level %v: image %d differs", c.text(), c.spec.Level, image)
			}
		}
	}
}

// TestBorderRows: destinations over padding above and below, in groups, over
// windows that see no cell, phases and blocks that end in the middle of a row.
func TestBorderRows(t *testing.T) {
	random := rand.New(rand.NewPCG(29, 30))
	for _, s := range []struct {
		in []int
		w  geom.Window
	}{
		{[]int{5, 40}, geom.Window{Size: []int{5, 3}, Padding: geom.Same}},
		{[]int{7, 30}, geom.Window{Size: []int{4, 2}, Dilation: []int{2, 1}, Padding: geom.SameLower}},
		{[]int{6, 50}, geom.Window{Size: []int{3, 3}, Stride: []int{2, 2}, Padding: geom.Explicit, Amounts: [][2]int{{7, 9}, {2, 0}}}},
		{[]int{3, 4, 25}, geom.Window{Size: []int{3, 3, 3}, Padding: geom.Same}},
		{[]int{4, 3, 28}, geom.Window{Size: []int{2, 3, 1}, Dilation: []int{3, 1, 1}, Padding: geom.Same}},
	} {
		for _, transposed := range []bool{false, true} {
			checkConvLevels(t, newConvCase[float32](t, 3, s.in, s.w, 11, 37, 1, transposed, "TIO", random.NormFloat64))
			checkConvLevels(t, newConvCase[float32](t, 1, s.in, s.w, 7, 18, 2, transposed, "TOI", random.NormFloat64))
			checkConvLevels(t, newConvCase[float64](t, 2, s.in, s.w, 10, 16, 1, transposed, "OIT", random.NormFloat64))
		}
	}
}
