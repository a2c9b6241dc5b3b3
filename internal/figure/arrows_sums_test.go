package figure

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/scene"
)

// textsOf returns the texts of a document, in order.
func textsOf(t rapid.TB, document []byte) (list []string) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(document))
	inText := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			inText = token.Name.Local == "text"
		case xml.EndElement:
			inText = false
		case xml.CharData:
			if inText {
				list = append(list, string(token))
			}
		}
	}
}

// valueOf reads a sum such as "1/4 + 2 × 1/6 − 0.5", as a reader would.
func valueOf(t rapid.TB, sum string) (value float64) {
	t.Helper()
	number := func(text string) float64 {
		text = strings.ReplaceAll(text, "−", "-")
		above, below, quotient := strings.Cut(text, "/")
		p, err := strconv.ParseFloat(above, 64)
		q := 1.0
		if quotient && err == nil {
			q, err = strconv.ParseFloat(below, 64)
		}
		if err != nil {
			t.Fatalf("%q in the sum %q: %v", text, sum, err)
		}
		return p / q
	}
	sign, factor := 1.0, 1.0
	words := strings.Fields(sum)
	for i, word := range words {
		switch {
		case word == "+":
			sign = 1
		case word == "−":
			sign = -1
		case word == "×":
		case i+1 < len(words) && words[i+1] == "×":
			factor = number(word)
		default:
			value += sign * factor * number(word)
			sign, factor = 1, 1
		}
	}
	return value
}

func TestEveryGradientOfSeveralSharesSaysWhatItIsTheSumOf(t *testing.T) {
	fonts, err := scene.LoadFonts()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		cases := anyCases(t)
		m := measureArrows(cases, fonts)
		for i := range cases {
			c := &cases[i]
			for in, gradient := range c.Gradient {
				shares, size := 0, 0.0
				for _, s := range c.Shares {
					if s.In == in {
						shares++
						size += math.Abs(s.Weight * c.Upstream[s.Out])
					}
				}
				lines := c.sumLines(in, m.width, fonts)
				if (len(lines) > 0) != (shares > 1) {
					t.Fatalf("%s: cell %d of %d shares has the sum %q", c.Geometry, in, shares, lines)
				}
				for _, line := range lines {
					if fonts.Width(line, smallSize, false) > m.width {
						t.Fatalf("%s: %q does not fit a cell of %g", c.Geometry, line, m.width)
					}
				}
				if len(lines) == 0 || strings.HasSuffix(lines[0], " shares") {
					continue
				}
				// Terms have three digits at least.
				if got := valueOf(t, strings.Join(lines, " ")); math.Abs(got-gradient) > 5e-3*size {
					t.Fatalf("%s: cell %d: the sum %q is %g, the gradient %g", c.Geometry, in, lines, got, gradient)
				}
			}
		}
	})
}

func TestUnlikeSharesAreSummedToo(t *testing.T) {
	// Stride 1 and SAME: windows of 4, 6 and 9 real cells overlap.
	_, average := pooledBoth(resolve(t, 1, []int{4, 4}, 1, geom.Window{Size: []int{3}, Padding: geom.Same, Pooling: true}), mixed(16), slices.Repeat([]float64{1}, 16))
	fonts, err := scene.LoadFonts()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(average.sumLines(0, 300, fonts), "|"); got != "1/4 + 2 × 1/6 + 1/9" {
		t.Errorf("the corner is %q, want 1/4 + 2 × 1/6 + 1/9", got)
	}
	if got := strings.Join(average.sumLines(0, 70, fonts), "|"); got != "1/4|+ 2 × 1/6|+ 1/9" {
		t.Errorf("the corner of 70 pixels is %q, want three lines", got)
	}
}

func TestSumsThatDifferSayWhy(t *testing.T) {
	g := resolve(t, 1, []int{3, 3}, 1, geom.Window{Size: []int{3}, Padding: geom.Same, Pooling: true})
	_, c := pooledBoth(g, mixed(9), slices.Repeat([]float64{1}, 9))
	rows := func() []string {
		document, err := ArrowsSVG(c)
		if err != nil {
			t.Fatal(err)
		}
		texts := textsOf(t, document)
		from := slices.Index(texts, "∑ upstream")
		return texts[from : slices.Index(texts, "∑ gradient")+2]
	}
	if got := rows(); !slices.Equal(got, []string{"∑ upstream", "9", "∑ gradient", "9"}) {
		t.Errorf("equal sums: %q", got)
	}
	clear(c.Gradient)
	for i := range c.Shares { // padding counts: each cell gets a ninth
		c.Shares[i].Weight = 1.0 / 9
		c.Gradient[c.Shares[i].In] += 1.0 / 9
	}
	c.Rest = "into padding"
	if got := rows(); !slices.Equal(got, []string{"∑ upstream", "9", "into padding", "−3.56", "∑ gradient", "5.44"}) {
		t.Errorf("with padding: %q", got)
	}
	c.Rest = ""
	if got := rows(); got[2] != "difference" {
		t.Errorf("without a reason: %q", got)
	}
}
