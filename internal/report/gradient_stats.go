package report

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Stats is the result of GradientStats. Sums, norms and the largest value cover
// the finite elements only.
type Stats struct {
	Elements    int     `json:"elements"`
	Sum         Value   `json:"sum"`
	L1          Value   `json:"l1"`
	L2          Value   `json:"l2"`
	Largest     Value   `json:"largest"`    // the value of the largest magnitude, with its sign
	LargestAt   []int   `json:"largest_at"` // its first place; empty when there is none
	Zeros       int     `json:"zeros"`
	ZeroShare   float64 `json:"zero_share"` // share of zeros among all elements
	NaN         int     `json:"nan"`
	PosInf      int     `json:"pos_inf"`
	NegInf      int     `json:"neg_inf"`
	UpstreamSum Value   `json:"upstream_sum"`
	Conserved   bool    `json:"mass_conserved"` // Sum is UpstreamSum, and all elements of both are finite
}

// massTolerance returns how far apart the sums of a gradient and of its
// upstream gradient may be and still count as equal, relative to the L1 norm.
// It allows for rounding to the gradient's type.
func massTolerance(d tensor.DType) float64 { return max(1e-6, math.Ldexp(1, 1-d.Precision())) }

// GradientStats measures a gradient and compares its sum with that of the
// upstream gradient: max and average pooling lose nothing. Sums are in float64
// with compensation, scaled so that no square overflows or vanishes.
func GradientStats(dx, upstream *tensor.Tensor) Stats {
	r, u := Measure(dx), Measure(upstream)
	in, out := totalsOf(dx, scaleFor(0, r.Scale())), totalsOf(upstream, scaleFor(0, u.Scale()))
	s := Stats{
		Elements: dx.Len(), LargestAt: []int{}, Zeros: r.Zeros, NaN: r.NaN, PosInf: r.PosInf, NegInf: r.NegInf,
		Sum: ValueOf(in.sum.value() / in.scale), L1: ValueOf(in.l1.value() / in.scale), L2: ValueOf(math.Sqrt(in.squares.value()) / in.scale),
		UpstreamSum: ValueOf(out.sum.value() / out.scale),
	}
	if s.Elements > 0 {
		s.ZeroShare = float64(r.Zeros) / float64(s.Elements)
	}
	if in.largestAt >= 0 {
		s.Largest = ValueOf(dx.At(in.largestAt))
		s.LargestAt = append(s.LargestAt, dx.Shape.Index(in.largestAt)...)
	}
	common := min(in.scale, out.scale) // the scale of the larger values
	in.rescale(common)
	out.rescale(common)
	apart := math.Abs(in.sum.value() - out.sum.value())
	s.Conserved = r.Finite == dx.Len() && u.Finite == upstream.Len() && apart <= massTolerance(dx.DType)*max(in.l1.value(), out.l1.value())
	return s
}

// totals are sums over the finite elements of a tensor, each multiplied by a
// scale that is a power of two.
type totals struct {
	scale            float64
	sum, l1, squares compensated
	largest          float64
	largestAt        int // -1 when no element is finite
}

func totalsOf(t *tensor.Tensor, scale float64) totals {
	sums := totals{scale: scale, largestAt: -1}
	buf := make([]float64, block)
	for i, n := 0, t.Len(); i < n; i += block {
		part := buf[:min(block, n-i)]
		tensor.Widen(part, t, i)
		for k, v := range part {
			if v-v != 0 {
				continue
			}
			v *= scale
			size := math.Abs(v)
			sums.sum.add(v)
			sums.l1.add(size)
			sums.squares.add(v * v)
			if sums.largestAt < 0 || size > sums.largest {
				sums.largest, sums.largestAt = size, i+k
			}
		}
	}
	return sums
}

// rescale converts the sum and the L1 norm to another scale.
func (t *totals) rescale(scale float64) {
	for _, c := range []*compensated{&t.sum, &t.l1} {
		c.sum *= scale / t.scale
		c.dropped *= scale / t.scale
	}
}

// compensated is a sum that keeps what rounding dropped: Arnold Neumaier,
// "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen",
// 1974.
type compensated struct{ sum, dropped float64 }

func (c *compensated) add(v float64) {
	sum := c.sum + v
	if math.Abs(c.sum) >= math.Abs(v) {
		c.dropped += (c.sum - sum) + v
	} else {
		c.dropped += (v - sum) + c.sum
	}
	c.sum = sum
}

func (c *compensated) value() float64 { return c.sum + c.dropped }

// WriteText writes the statistics as rows that go under a shape report.
func (s Stats) WriteText(w io.Writer) error { return writeLines(w, s.table().Render()) }

// WriteMarkdown writes the table of WriteText as Markdown.
func (s Stats) WriteMarkdown(w io.Writer) error { return writeMarkdown(w, s.table()) }

// table returns the statistics as rows of a key and a value.
func (s Stats) table() table.Writer {
	t := keyTable()
	conserved := "conserved: the upstream gradient sums to "
	if !s.Conserved {
		conserved = "not conserved: the upstream gradient sums to "
	}
	largest := s.Largest.String()
	if len(s.LargestAt) > 0 {
		largest += " at " + tensor.Shape(s.LargestAt).String()
	}
	t.AppendRows([]table.Row{
		{"gradient sum", s.Sum.String()},
		{"mass", conserved + s.UpstreamSum.String()},
		{"norms", fmt.Sprintf("L1 %s, L2 %s", s.L1, s.L2)},
		{"largest", largest},
		{"zeros", fmt.Sprintf("%s of %s (%s %%)", grouped(int64(s.Zeros)), grouped(int64(s.Elements)), strconv.FormatFloat(100*s.ZeroShare, 'g', 3, 64))},
	})
	if s.NaN+s.PosInf+s.NegInf > 0 {
		t.AppendRow(table.Row{"NaN, Inf", fmt.Sprintf("%s NaN, %s +Inf, %s -Inf", grouped(int64(s.NaN)), grouped(int64(s.PosInf)), grouped(int64(s.NegInf)))})
	} else {
		t.AppendRow(table.Row{"NaN, Inf", "none"})
	}
	return t
}
