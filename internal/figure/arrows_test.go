package figure

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// pooledBoth makes the cases of maximum and average pooling the slow way: the
// first maximum of a window gets all, each real cell of it an equal share.
func pooledBoth(g geom.Geometry, input, upstream []float64) (maximum, average ArrowCase) {
	maximum = ArrowCase{Title: "max", Rule: "all of it to the maximum", Geometry: g, Input: input, Upstream: upstream, Gradient: make([]float64, len(input))}
	average = ArrowCase{Title: "average", Rule: "an equal share to each real cell", Geometry: g, Input: input, Upstream: upstream, Gradient: make([]float64, len(input))}
	for out, dy := range upstream {
		best, sum := -1, 0.0
		var cells []int
		for in, v := range input {
			if !average.sees(out, in) {
				continue
			}
			cells = append(cells, in)
			sum += v
			if best < 0 || v > input[best] {
				best = in
			}
		}
		share := 1 / float64(len(cells))
		maximum.Output = append(maximum.Output, input[best])
		maximum.Shares = append(maximum.Shares, Share{out, best, 1})
		maximum.Gradient[best] += dy
		average.Output = append(average.Output, sum*share)
		for _, in := range cells {
			average.Shares = append(average.Shares, Share{out, in, share})
			average.Gradient[in] += dy * share
		}
	}
	return maximum, average
}

// mixed returns n whole numbers from 0 to 9 in no order.
func mixed(n int) []float64 {
	list := make([]float64, n)
	for i := range list {
		list[i] = float64((i*i*7 + i*3 + i/3) % 10)
	}
	return list
}

// drawings are the golden pictures, by name.
func drawings(t *testing.T) map[string][]ArrowCase {
	t.Helper()
	both := func(spatial []int, w geom.Window, input, upstream []float64) []ArrowCase {
		w.Pooling = true
		g := resolve(t, 1, spatial, 1, w)
		if upstream == nil {
			upstream = slices.Repeat([]float64{1}, g.Axes[1].Out*g.Axes[2].Out)
		}
		maximum, average := pooledBoth(g, input, upstream)
		return []ArrowCase{maximum, average}
	}
	filter := []float64{-1, 0, 1, -2, 0, 2, -1, 0, 1}
	conv := ArrowCase{
		Title: "convolution", Rule: "to each cell the weight of the filter that met it",
		Geometry: resolve(t, 1, []int{4, 4}, 1, geom.Window{Size: []int{3}}), Input: mixed(16), Upstream: []float64{1, 1, 1, 1}, Gradient: make([]float64, 16),
	}
	for out := range 4 {
		sum := 0.0
		for tap, w := range filter {
			in := (out/2+tap/3)*4 + out%2 + tap%3
			sum += w * conv.Input[in]
			if w != 0 {
				conv.Shares = append(conv.Shares, Share{out, in, w})
				conv.Gradient[in] += w
			}
		}
		conv.Output = append(conv.Output, sum)
	}
	return map[string][]ArrowCase{
		"arrows_textbook": both([]int{4, 4}, geom.Window{Size: []int{2}, Stride: []int{2}},
			[]float64{1, 3, 2, 1, 4, 6, 6, 8, 3, 1, 1, 0, 1, 2, 2, 4}, []float64{1, -2, 0.5, 3}),
		"arrows_overlap": both([]int{5, 5}, geom.Window{Size: []int{3}, Stride: []int{2}}, mixed(25), nil),
		"arrows_same":    both([]int{5, 5}, geom.Window{Size: []int{3}, Stride: []int{2}, Padding: geom.Same}, mixed(25), nil),
		"arrows_stride1": both([]int{4, 4}, geom.Window{Size: []int{3}, Padding: geom.Same}, mixed(16), nil),
		"arrows_dilated": both([]int{5, 6}, geom.Window{Size: []int{2}, Stride: []int{2}, Dilation: []int{2}}, mixed(30), nil),
		"arrows_1d": both([]int{8}, geom.Window{Size: []int{3}, Stride: []int{2}, Padding: geom.Same},
			[]float64{0.25, 1.5, -3, 12, 7, 7, 2, 0}, []float64{1, 2, -1, 0.5}),
		"arrows_conv": {conv},
	}
}

func TestArrowDrawings(t *testing.T) {
	for name, cases := range drawings(t) {
		t.Run(name, func(t *testing.T) {
			svg, err := ArrowsSVG(cases...)
			if err != nil {
				t.Fatal(err)
			}
			goldenText(t, name+".svg", svg)
			if name != "arrows_textbook" && name != "arrows_1d" {
				return
			}
			p, err := ArrowsPNG(cases...)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name, halved(p))
		})
	}
}

// halved returns a picture at half its size: a golden picture of the whole
// would be large.
func halved(p *tensor.Tensor) *tensor.Tensor {
	height, width := p.Shape[0]/2, p.Shape[1]/2
	from := tensor.Of[uint8](p)
	data := make([]uint8, 0, height*width*3)
	for y := range height {
		for x := range width {
			for c := range 3 {
				i := (2*y*p.Shape[1]+2*x)*3 + c
				below := i + 3*p.Shape[1]
				data = append(data, uint8((int(from[i])+int(from[i+3])+int(from[below])+int(from[below+3])+2)/4))
			}
		}
	}
	return tensor.From(data, height, width, 3)
}

// number is a coordinate in a document, or a part of a text or a colour.
var number = regexp.MustCompile(`\d+(\.\d+)?`)

// goldenText compares a document with testdata/name. Coordinates may differ in
// their last digit: compilers for some machines fuse multiplications with
// additions.
func goldenText(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := number.ReplaceAll(got, nil), number.ReplaceAll(want, nil); !bytes.Equal(a, b) {
		t.Fatalf("%s differs (look at the new one with -update)", file)
	}
	b := number.FindAll(want, -1)
	for i, a := range number.FindAll(got, -1) {
		p, errP := strconv.ParseFloat(string(a), 64)
		q, errQ := strconv.ParseFloat(string(b[i]), 64)
		if errP != nil || errQ != nil || math.Abs(p-q) > 0.0101 {
			t.Fatalf("%s: number %d is %s, want %s (look at the new one with -update)", file, i, a, b[i])
		}
	}
}
