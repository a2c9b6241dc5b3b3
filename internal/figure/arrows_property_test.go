package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/scene"
	"github.com/poolctl/poolctl/internal/tensor"
)

// hints reads a document strictly and returns what its arrow heads say.
func hints(t rapid.TB, document []byte) (list []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(document))
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			open = append(open, token.Name.Local)
			if !slices.Contains([]string{"svg", "title", "rect", "path", "polygon", "text"}, token.Name.Local) {
				t.Fatalf("element %s in a drawing", token.Name.Local)
			}
			for _, a := range token.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Fatalf("%s has %s=%q", token.Name.Local, a.Name.Local, a.Value)
				}
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 1 && open[len(open)-2] == "polygon" {
				list = append(list, string(token))
			}
		}
	}
	return list
}

// anyGeometry is a geometry within the limits.
var anyGeometry = rapid.Custom(func(t *rapid.T) geom.Geometry {
	rank := rapid.IntRange(1, 2).Draw(t, "rank")
	most := []int{ArrowLength, 9}[rank-1]
	var w geom.Window
	var spatial []int
	for range rank {
		in := rapid.IntRange(1, most).Draw(t, "in")
		spatial = append(spatial, in)
		w.Size = append(w.Size, rapid.IntRange(1, min(in, 4)).Draw(t, "size"))
		w.Stride = append(w.Stride, rapid.IntRange(1, 3).Draw(t, "stride"))
		w.Dilation = append(w.Dilation, rapid.IntRange(1, 2).Draw(t, "dilation"))
	}
	w.Padding = rapid.SampledFrom([]geom.Padding{geom.Valid, geom.Same, geom.SameLower}).Draw(t, "padding")
	w.Pooling = true
	g, err := geom.Resolve(1, spatial, 1, w)
	if err != nil {
		return geom.Geometry{}
	}
	return g
}).Filter(func(g geom.Geometry) bool {
	return g.Rank > 0 && (&ArrowCase{Geometry: g}).checkSize() == nil
})

// anyCases draws values for a geometry, pooled both ways.
func anyCases(t *rapid.T) []ArrowCase {
	g := anyGeometry.Draw(t, "geometry")
	cells, outputs := g.Axes[1].In*g.Axes[2].In, g.Axes[1].Out*g.Axes[2].Out
	value := rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Map(rapid.IntRange(-9, 99), func(n int) float64 { return float64(n) / 4 }))
	maximum, average := pooledBoth(g, rapid.SliceOfN(value, cells, cells).Draw(t, "input"), rapid.SliceOfN(value, outputs, outputs).Draw(t, "upstream"))
	return []ArrowCase{maximum, average}
}

func TestEveryShareHasItsArrow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cases := anyCases(t)
		document, err := ArrowsSVG(cases...)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range cases {
			for _, s := range cases[i].Shares {
				if cases[i].Upstream[s.Out] != 0 {
					want = append(want, cases[i].hint(s))
				}
			}
		}
		got := hints(t, document)
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%s: arrows\n%q, want\n%q", cases[0].Geometry, got, want)
		}
	})
}

func TestArrowsLeadIntoTheirCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cases := anyCases(t)
		s, fonts, err := arrows(cases)
		if err != nil {
			t.Fatal(err)
		}
		m := measureArrows(cases, fonts)
		for i := range cases {
			c := &cases[i]
			if c.Geometry.Rank == 1 {
				continue
			}
			p := newPicturePanel(c, m)
			tips := map[[2]int]bool{}
			for _, r := range p.routes {
				if lowest := p.first + p.gap*float64(r.lane); lowest > p.grid.height-4 {
					t.Fatalf("%s: lane %d at %g of a row of %g", c.Geometry, r.lane, lowest, p.grid.height)
				}
				for _, share := range r.shares {
					x := p.headAt(share, r.lane) - p.grid.column(share.In%p.grid.columns.In)
					if x < scene.HeadWidth/2 || x > p.grid.width-scene.HeadWidth/2 {
						t.Fatalf("%s: head at %g of a cell of %g", c.Geometry, x, p.grid.width)
					}
					key := [2]int{share.In, int(x)}
					if tips[key] {
						t.Fatalf("%s: two heads at the same place of cell %d", c.Geometry, share.In)
					}
					tips[key] = true
				}
			}
		}
		for _, b := range textBoxes(s, fonts) {
			if b.X < 0 || b.Y < 0 || b.X+b.Width > s.Width || b.Y+b.Height > s.Height {
				t.Fatalf("%s: a text at %v of a drawing of %g x %g", cases[0].Geometry, b, s.Width, s.Height)
			}
		}
	})
}

// textBoxes returns the places that digits take in a drawing's texts.
func textBoxes(s *scene.Scene, fonts *scene.Fonts) (list []scene.Box) {
	for _, m := range s.Marks {
		t, ok := m.(scene.Text)
		if !ok {
			continue
		}
		width := fonts.Width(t.Line, t.Size, t.Bold)
		b := scene.Box{X: t.X, Y: t.Y - 0.72*t.Size, Width: width, Height: 0.72 * t.Size}
		switch t.Anchor {
		case scene.Start:
		case scene.Middle:
			b.X -= width / 2
		case scene.End:
			b.X -= width
		}
		list = append(list, b)
	}
	return list
}

func TestNumbersDoNotCoverEachOther(t *testing.T) {
	for name, cases := range drawings(t) {
		s, fonts, err := arrows(cases)
		if err != nil {
			t.Fatal(err)
		}
		boxes := textBoxes(s, fonts)
		for i, a := range boxes {
			for _, b := range boxes[:i] {
				if a.X < b.X+b.Width && b.X < a.X+a.Width && a.Y < b.Y+b.Height && b.Y < a.Y+a.Height {
					t.Errorf("%s: texts at %v and %v", name, a, b)
				}
			}
		}
	}
}

func TestDrawingDoesNotDependOnTheOrderOfShares(t *testing.T) {
	for name, cases := range drawings(t) {
		want, err := ArrowsSVG(cases...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range cases {
			cases[i].Shares = slices.Clone(cases[i].Shares)
			slices.Reverse(cases[i].Shares)
		}
		first := cases[0].Shares[0]
		got, err := ArrowsSVG(cases...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: another drawing of the same shares in another order", name)
		}
		if cases[0].Shares[0] != first {
			t.Errorf("%s: the caller's shares were sorted", name)
		}
	}
}

func TestPictureHasTwoPixelsForEachOfTheDocument(t *testing.T) {
	c := drawings(t)["arrows_1d"]
	s, fonts, err := arrows(c)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ArrowsPNG(c...)
	if err != nil {
		t.Fatal(err)
	}
	if h, w := float64(p.Shape[0]), float64(p.Shape[1]); h < 2*s.Height || h >= 2*s.Height+1 || w < 2*s.Width || w >= 2*s.Width+1 {
		t.Errorf("picture %s, document %g x %g", p.Shape, s.Width, s.Height)
	}
	img := pictureOf(t, p)
	for _, m := range s.Marks {
		h, ok := m.(scene.Head)
		if !ok {
			continue
		}
		// A point within the head, near its middle.
		x, y := h.Tip.X-0.5*scene.HeadLength*h.Direction.X, h.Tip.Y-0.5*scene.HeadLength*h.Direction.Y
		if got := img.NRGBAAt(int(x*s.Scale()), int(y*s.Scale())); far(got.R, h.Color.R) || far(got.G, h.Color.G) || far(got.B, h.Color.B) {
			t.Errorf("head at %v is %v, want %v", h.Tip, got, h.Color)
		}
	}
	if width := textBoxes(s, fonts); len(width) == 0 {
		t.Error("a drawing without text")
	}
}

func TestTitlesAreEscaped(t *testing.T) {
	c := drawings(t)["arrows_textbook"]
	c[0].Title, c[0].Rule = `<script>alert("&")</script>`, "a\x00b]]>"
	document, err := ArrowsSVG(c...)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(hints(t, document)); got != 4+16 {
		t.Errorf("%d arrows, want 20", got)
	}
	if !bytes.Contains(document, []byte("&lt;script&gt;")) {
		t.Error("the title is not there")
	}
}

func TestDrawingOfTheLargestCase(t *testing.T) {
	w := geom.Window{Size: []int{2}, Stride: []int{2}}
	maximum, average := pooledBoth(resolve(t, 1, []int{ArrowSide, ArrowSide}, 1, w), mixed(ArrowSide*ArrowSide), slices.Repeat([]float64{1}, ArrowOutputs))
	document, err := ArrowsSVG(maximum, average)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(hints(t, document)); got != 64+256 {
		t.Errorf("%d arrows, want 320", got)
	}
	p, err := ArrowsPNG(maximum, average)
	if err != nil {
		t.Fatal(err)
	}
	if short, long := min(p.Shape[0], p.Shape[1]), max(p.Shape[0], p.Shape[1]); long > 4096 || long > 2*short {
		t.Errorf("a picture of %dx%d pixels, want at most 4096 to a side and twice as long as wide", p.Shape[1], p.Shape[0])
	}
}

func TestArrowsRefuse(t *testing.T) {
	good := func() ArrowCase {
		c, _ := pooledBoth(resolve(t, 1, []int{4, 4}, 1, geom.Window{Size: []int{2}, Stride: []int{2}}), mixed(16), []float64{1, 2, 3, 4})
		return c
	}
	sized := func(spatial []int, w geom.Window) ArrowCase { return ArrowCase{Geometry: resolve(t, 1, spatial, 1, w)} }
	for _, c := range []struct {
		want string
		c    ArrowCase
	}{
		{"got 3 spatial dimensions, want 1 or 2", sized([]int{2, 2, 2}, geom.Window{Size: []int{2}})},
		{"input: got 17 cells in width, want 1 to 16", sized([]int{3, 17}, geom.Window{Size: []int{2}})},
		{"input: got 33 cells in width, want 1 to 32", sized([]int{33}, geom.Window{Size: []int{2}})},
		{"input: got 0 cells in height, want 1 to 16", sized([]int{0, 4}, geom.Window{Size: []int{2}})},
		{"output: got 0 cells in width, want 1 to 64", sized([]int{4, 4}, geom.Window{Size: []int{2, 5}})},
		{"output: got 81 cells, want <= 64", sized([]int{10, 10}, geom.Window{Size: []int{2}})},
		{"input: got 36 cells in height with its padding, want <= 24", sized([]int{16, 16}, geom.Window{Size: []int{11}, Stride: []int{5}, Padding: geom.Explicit, Amounts: [][2]int{{10, 10}}})},
		{"input: got 15 values, want 16 for n1h4w4c1_k2x2_s2x2_pVALID_d1x1", func() ArrowCase { c := good(); c.Input = c.Input[1:]; return c }()},
		{"output: got 0 values, want 4", func() ArrowCase { c := good(); c.Output = nil; return c }()},
		{"upstream: got 5 values, want 4", func() ArrowCase { c := good(); c.Upstream = mixed(5); return c }()},
		{"share: got output cell 4, want 0 to 3", func() ArrowCase { c := good(); c.Shares = []Share{{4, 0, 1}}; return c }()},
		{"share: got input cell -1, want 0 to 15", func() ArrowCase { c := good(); c.Shares = []Share{{0, -1, 1}}; return c }()},
		{"share: got output cell (0,1) to input cell (0,1), want an input cell of its window", func() ArrowCase { c := good(); c.Shares = []Share{{1, 1, 1}}; return c }()},
		{"share: got output cell (0,0) to input cell (1,1) twice, want at most one", func() ArrowCase { c := good(); c.Shares = []Share{{0, 5, 1}, {0, 5, 0}}; return c }()},
		{"gradient: got 1.25 at input cell (0,0), want 0 (the sum of its shares)", func() ArrowCase { c := good(); c.Gradient[0] = 1.25; return c }()},
		{"gradient: got NaN at input cell (3,3), want", func() ArrowCase { c := good(); c.Gradient[15] = nan; return c }()},
	} {
		c.c.Title = "max"
		document, err := ArrowsSVG(c.c)
		if err == nil || !strings.HasPrefix(err.Error(), "arrows: max: "+c.want) {
			t.Errorf("got %v, want arrows: max: %s", err, c.want)
		}
		if document != nil {
			t.Errorf("%s: a document beside the error", c.want)
		}
		if _, again := ArrowsPNG(c.c); fmt.Sprint(again) != fmt.Sprint(err) {
			t.Errorf("the picture says %v, the document %v", again, err)
		}
	}
	if _, err := ArrowsSVG(); err == nil {
		t.Error("no case is not refused")
	}
}

func TestGradientsOfAnyPrecisionAreAccepted(t *testing.T) {
	_, c := pooledBoth(resolve(t, 1, []int{5, 5}, 1, geom.Window{Size: []int{3}, Padding: geom.Same}), mixed(25), mixed(25))
	for i, v := range c.Gradient {
		c.Gradient[i] = float64(tensor.ToF16(float32(v)).Float32())
	}
	if _, err := ArrowsSVG(c); err != nil {
		t.Error(err)
	}
	c, _ = pooledBoth(resolve(t, 1, []int{4}, 1, geom.Window{Size: []int{2}, Stride: []int{2}}), []float64{nan, 1, inf, 2}, []float64{nan, inf})
	document, err := ArrowsSVG(c)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(hints(t, document)); got != 2 {
		t.Errorf("%d arrows, want 2", got)
	}
}

func TestNumbersInCells(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0", 7: "7", -7: "−7", 255: "255", 1024: "1024", 9999: "9999", 12345: "1.23e4", -65536: "−6.55e4", 0.25: "0.25",
		1.0 / 3: "0.333", 123.456: "123", 0.000012345: "1.23e−5", -0.5: "−0.5", inf: "∞", -inf: "−∞", 1e300: "1e300",
	} {
		if got := brief(v); got != want {
			t.Errorf("%g is written %s, want %s", v, got, want)
		}
	}
	if brief(nan) != "NaN" || fraction(nan) != "NaN" {
		t.Errorf("NaN is written %s, %s", brief(nan), fraction(nan))
	}
	for v, want := range map[float64]string{
		1: "1", 0: "0", 0.5: "1/2", float64(float32(1) / 9): "1/9", 1.0 / 256: "1/256", -0.25: "−1/4", 2.0 / 3: "2/3", 0.3: "0.3",
		0.75: "0.75", 0.3334: "0.333", -2: "−2", 1.5: "1.5", 1e-9: "1e−9", inf: "∞", 5.0 / 12: "5/12",
	} {
		if got := fraction(v); got != want {
			t.Errorf("a share of %g is written %s, want %s", v, got, want)
		}
	}
}

func TestOutputCellsWithoutGradientHaveNoArrows(t *testing.T) {
	_, average := pooledBoth(resolve(t, 1, []int{4, 4}, 1, geom.Window{Size: []int{3}, Padding: geom.Same, Pooling: true}), mixed(16), append([]float64{1}, make([]float64, 15)...))
	document, err := ArrowsSVG(average)
	if err != nil {
		t.Fatal(err)
	}
	for _, hint := range hints(t, document) {
		if !strings.HasPrefix(hint, "output (0,0) to ") {
			t.Errorf("an arrow: %s", hint)
		}
	}
	if got := len(hints(t, document)); got != 4 {
		t.Errorf("%d arrows, want 4", got)
	}
	for _, text := range textsOf(t, document) {
		if strings.Contains(text, "× 0") || strings.Contains(text, "+ 0") {
			t.Errorf("a sum of nothing: %s", text)
		}
	}
	if texts := strings.Join(textsOf(t, document), " "); !strings.Contains(texts, "whose gradient is 0 sends none") {
		t.Error("no note says why there are no arrows")
	}
	if len(average.Shares) < 20 {
		t.Error("the caller's shares were deleted")
	}
}

func TestPaperReachesEveryEdge(t *testing.T) {
	all := drawings(t)
	for _, name := range []string{"arrows_1d", "arrows_textbook"} {
		p, err := ArrowsPNG(all[name]...)
		if err != nil {
			t.Fatal(err)
		}
		img := pictureOf(t, p)
		last := img.Rect.Max.Sub(image.Pt(1, 1))
		for _, edge := range []image.Rectangle{
			{image.Pt(0, 0), image.Pt(last.X+1, 1)}, {image.Pt(0, last.Y), last.Add(image.Pt(1, 1))},
			{image.Pt(0, 0), image.Pt(1, last.Y+1)}, {image.Pt(last.X, 0), last.Add(image.Pt(1, 1))},
		} {
			for y := edge.Min.Y; y < edge.Max.Y; y++ {
				for x := edge.Min.X; x < edge.Max.X; x++ {
					if got := img.NRGBAAt(x, y); got.R != paperColor.R || got.G != paperColor.G || got.B != paperColor.B {
						t.Fatalf("%s: pixel %d,%d at the edge is %v, want paper", name, x, y, got)
					}
				}
			}
		}
	}
}

func TestPartsAreNamed(t *testing.T) {
	cases := drawings(t)["arrows_textbook"]
	for i := range cases {
		cases[i].Part = "channel 1 of 3"
	}
	document, err := ArrowsSVG(cases...)
	if err != nil {
		t.Fatal(err)
	}
	if texts := textsOf(t, document); !strings.HasSuffix(texts[1], " · channel 1 of 3") {
		t.Errorf("the second line is %q", texts[1])
	}
}
