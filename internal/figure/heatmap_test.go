package figure

import (
	"math"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

func TestHeatmapPicture(t *testing.T) {
	x := waves(1, 24, 32, 2)
	data := tensor.Of[float32](x)
	data[3], data[100], data[101] = float32(nan), float32(inf), float32(-inf)
	p, err := Heatmap(x, tensor.NHWC, "gradient of the input")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "heatmap", p)
}

func TestZeroIsNeutralAndSignsAreOpposite(t *testing.T) {
	if z := heat(0, 3); z != divergingTable[128] || max(z.R, z.G, z.B)-min(z.R, z.G, z.B) > 2 {
		t.Errorf("zero is %v, want a grey", z)
	}
	for _, v := range []float64{0.5, 1, 3, inf} {
		above, below := heat(v, 3), heat(-v, 3)
		if above.R <= above.B || below.B <= below.R {
			t.Errorf("±%g: %v and %v, want red and blue", v, above, below)
		}
		if d := math.Abs(luma(above) - luma(below)); d > 0.12 {
			t.Errorf("±%g: brightness differs by %.2f", v, d)
		}
	}
	if heat(nan, 1) != nanColor || heat(0, 0) != divergingTable[128] {
		t.Errorf("NaN %v, zero among zeros %v", heat(nan, 1), heat(0, 0))
	}
}

func TestHeatmapIsNeutralWhereValuesAreZero(t *testing.T) {
	p, err := Heatmap(tensor.From([]float64{0, 0, 0, -1}, 2, 2), tensor.HW, "a - b")
	if err != nil {
		t.Fatal(err)
	}
	img := pictureOf(t, p)
	seen := map[uint32]int{}
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := img.NRGBAAt(x, y)
			seen[uint32(c.R)<<16|uint32(c.G)<<8|uint32(c.B)]++
		}
	}
	count := func(v float64) int { c := heat(v, 1); return seen[uint32(c.R)<<16|uint32(c.G)<<8|uint32(c.B)] }
	cell := largestDot * largestDot
	if got := count(0); got < 3*cell || got >= 4*cell {
		t.Errorf("%d neutral pixels, want three cells of %d", got, cell)
	}
	if got := count(-1); got < cell || got >= 2*cell {
		t.Errorf("%d pixels of -1, want a cell of %d", got, cell)
	}
}
