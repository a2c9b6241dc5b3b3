package figure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/scene"
)

const (
	sumLine      = 14.0 // from one line of a sum to the next
	sumMargin    = 8.0  // beside a sum in its cell, both sides together
	sumRowHeight = 20.0 // of the sums beside the gradient
	mostLines    = 4    // of a sum; a longer one is replaced by its number of shares
)

// summands returns the terms whose sum is the gradient of a cell, equal ones
// together: "2 × 1/9", "1/6". A cell with fewer than two shares has none.
func (c *ArrowCase) summands(in int) (parts []string, shares int) {
	var values []string
	var counts []int
	for _, s := range c.Shares {
		if s.In != in {
			continue
		}
		shares++
		value := fraction(s.Weight * c.Upstream[s.Out])
		if i := slices.Index(values, value); i >= 0 {
			counts[i]++
			continue
		}
		values, counts = append(values, value), append(counts, 1)
	}
	if shares < 2 {
		return nil, shares
	}
	for i, value := range values {
		if counts[i] > 1 {
			value = fmt.Sprintf("%d × %s", counts[i], value)
		}
		parts = append(parts, value)
	}
	if len(parts) == 1 && shares == 2 {
		return []string{values[0], values[0]}, shares
	}
	return parts, shares
}

// sumLines returns the sum in lines that fit a cell of the given width, in
// pixels.
func (c *ArrowCase) sumLines(in int, width float64, fonts *scene.Fonts) (lines []string) {
	parts, shares := c.summands(in)
	line := ""
	for i, part := range parts {
		if i > 0 {
			part = signed(part)
		}
		if line != "" && roomy*fonts.Width(line+" "+part, smallSize, false) > width-sumMargin {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimPrefix(line+" "+part, " ")
	}
	if line != "" {
		lines = append(lines, line)
	}
	if len(lines) > mostLines {
		return []string{fmt.Sprintf("%d shares", shares)}
	}
	return lines
}

// signed returns a term that follows another one, with its sign.
func signed(part string) string {
	if size, negative := strings.CutPrefix(part, "−"); negative {
		return "− " + size
	}
	if count, size, found := strings.Cut(part, " × −"); found {
		return "− " + count + " × " + size
	}
	return "+ " + part
}

// rest returns the sum of the gradient minus that of the upstream gradient, and
// whether the difference is more than rounding.
func (c *ArrowCase) rest() (difference float64, ok bool) {
	const relative = 1e-3 // of gradients computed in half precision
	size := 0.0
	for _, v := range slices.Concat(c.Upstream, c.Gradient) {
		size += math.Abs(v)
	}
	difference = total(c.Gradient) - total(c.Upstream)
	return difference, math.Abs(difference) > relative*size
}

// A sumRow is a line beside the gradient: what is summed, and the sum.
type sumRow struct{ name, sum string }

// sumRows returns the sums of the upstream gradient and of the gradient. If
// they differ, the difference stands between them.
func (c *ArrowCase) sumRows() []sumRow {
	rows := []sumRow{{"∑ upstream", brief(total(c.Upstream))}, {"∑ gradient", brief(total(c.Gradient))}}
	difference, differ := c.rest()
	if !differ {
		return rows
	}
	rest := sumRow{c.Rest, brief(difference)}
	if rest.name == "" {
		rest.name = "difference"
	}
	if difference > 0 {
		rest.sum = "+" + rest.sum
	}
	return slices.Insert(rows, 1, rest)
}

// sumsWidth returns the width of the names of the sums, and of the whole.
func (c *ArrowCase) sumsWidth(fonts *scene.Fonts) (names, whole float64) {
	values := 0.0
	for _, r := range c.sumRows() {
		names = max(names, roomy*fonts.Width(r.name, bodySize, false)+12)
		values = max(values, roomy*fonts.Width(r.sum, bodySize, true))
	}
	return names, names + values
}

// sums writes the rows at x. Of two rows the first has its baseline at y.
func (f *drawing) sums(c *ArrowCase, x, y float64) {
	rows := c.sumRows()
	names, _ := c.sumsWidth(f.fonts)
	y -= sumRowHeight * float64(len(rows)-2) / 2
	for i, r := range rows {
		line := y + sumRowHeight*float64(i)
		f.write(x, line, scene.Start, bodySize, false, softColor, r.name)
		f.write(x+names, line, scene.Start, bodySize, true, inkColor, r.sum)
	}
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}
