package report

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Bins is the number of bins of a histogram.
const Bins = 32

// Summary is the result of Inspect. Min, Max, Mean, Std and the histogram cover
// the finite elements only.
type Summary struct {
	Schema   string  `json:"schema"`
	Name     string  `json:"name,omitempty"` // the caller's word for the tensor, such as its file
	DType    string  `json:"dtype"`
	Shape    []int   `json:"shape"`
	Elements int     `json:"elements"`
	Bytes    int     `json:"bytes"`
	Min      Value   `json:"min"`
	Max      Value   `json:"max"`
	Mean     Value   `json:"mean"`
	Std      Value   `json:"std"`              // population standard deviation, as numpy.std computes it
	Median   Value   `json:"median,omitempty"` // InspectChannels alone finds it
	Zeros    int     `json:"zeros"`
	Share    float64 `json:"zero_share"` // share of zeros among all elements
	NaN      int     `json:"nan"`
	PosInf   int     `json:"pos_inf"`
	NegInf   int     `json:"neg_inf"`

	Histogram Histogram `json:"histogram"`

	Channels []ChannelSummary `json:"channels,omitempty"`

	// Unreadable says why nothing was measured: the elements are of a type that
	// poolctl does not compute with. It is empty otherwise.
	Unreadable string `json:"unreadable,omitempty"`
}

// Histogram counts finite elements in bins of equal width between Lo and Hi.
// Each bin includes its lower edge; the last one its upper edge too. The range
// is 0 to 256 for uint8 and that of the elements otherwise, widened by 0.5 to
// both sides when they are all equal.
type Histogram struct {
	Lo     Value `json:"lo"`
	Hi     Value `json:"hi"`
	Counts []int `json:"counts"`
}

// Inspect measures a tensor in two passes, with a fixed amount of memory.
func Inspect(t *tensor.Tensor) Summary {
	n := t.Len()
	s := Summary{
		Schema: "poolctl.inspect/v1", DType: t.DType.String(), Shape: listOf(t.Shape),
		Elements: n, Bytes: n * t.DType.Size(), Histogram: Histogram{Counts: []int{}},
	}
	r := Measure(t)
	s.Zeros, s.NaN, s.PosInf, s.NegInf = r.Zeros, r.NaN, r.PosInf, r.NegInf
	if n > 0 {
		s.Share = float64(r.Zeros) / float64(n)
	}
	if r.Finite == 0 {
		return s
	}
	s.Min, s.Max = r.Min, r.Max
	lo, hi := r.Lo, r.Hi
	switch {
	case t.DType == tensor.Uint8:
		lo, hi = 0, 256
	case lo == hi:
		lo, hi = widenedRange(lo)
	}
	scale := scaleFor(lo, hi)
	bins := newBinner(lo*scale, hi*scale)
	var m moments
	if lowest, counts := tally(t); counts != nil {
		addTally(lowest, counts, bins, &m)
		n = 0
	}
	buf := make([]float64, block)
	for i := 0; i < n; i += block {
		part := buf[:min(block, n-i)]
		tensor.Widen(part, t, i)
		if r.Finite < n {
			part = finite(part)
		}
		if scale != 1 {
			floats.Scale(scale, part)
		}
		bins.add(part)
		m.add(part)
	}
	s.Mean, s.Std = ValueOf(m.mean/scale), ValueOf(math.Sqrt(m.square/m.count)/scale)
	s.Histogram = Histogram{ValueOf(lo), ValueOf(hi), bins.counts}
	return s
}

// Unread returns the summary of an array whose elements are of a type that
// poolctl does not compute with: what its header says, and why nothing was
// measured.
func Unread(dtype string, shape tensor.Shape, why string) Summary {
	n, _ := shape.Elements() // checked when the header was read
	return Summary{
		Schema: "poolctl.inspect/v1", DType: dtype, Shape: listOf(shape), Elements: n,
		Histogram: Histogram{Counts: []int{}}, Unreadable: why,
	}
}

// widenedRange returns a range around a single value: 0.5 to both sides, or one
// unit in the last place if that is more.
func widenedRange(v float64) (lo, hi float64) {
	lo, hi = v-0.5, v+0.5
	if lo == v || hi == v {
		lo, hi = math.Nextafter(v, math.Inf(-1)), math.Nextafter(v, math.Inf(1))
	}
	return max(lo, -math.MaxFloat64), min(hi, math.MaxFloat64)
}

// finite moves the finite elements to the front and returns them.
func finite(part []float64) []float64 {
	kept := part[:0]
	for _, v := range part {
		if v-v == 0 {
			kept = append(kept, v)
		}
	}
	return kept
}

// binner counts values in bins of equal width.
type binner struct {
	lo, perUnit float64
	counts      []int
}

func newBinner(lo, hi float64) *binner {
	return &binner{lo, Bins / (hi - lo), make([]int, Bins)}
}

// add counts in four tables in turn. With one table, equal neighbours would
// increment the same counter, and each increment would wait for the one before.
func (b *binner) add(part []float64) {
	var columns [4][Bins]int32 // a part is at most one block
	for ; len(part) >= 4; part = part[4:] {
		columns[0][b.bin(part[0])]++
		columns[1][b.bin(part[1])]++
		columns[2][b.bin(part[2])]++
		columns[3][b.bin(part[3])]++
	}
	for _, v := range part {
		columns[0][b.bin(v)]++
	}
	for i := range b.counts {
		for _, column := range columns {
			b.counts[i] += int(column[i])
		}
	}
}

func (b *binner) bin(v float64) int { return min(max(int((v-b.lo)*b.perUnit), 0), Bins-1) }

// moments gathers the mean and the sum of squared deviations block by block.
// Each block takes two passes (gonum); blocks are merged by the update of Chan,
// Golub and LeVeque (Technical Report STAN-CS-79-773, 1979, formula 2.1).
type moments struct{ count, mean, square float64 }

func (m *moments) add(part []float64) {
	if len(part) == 0 {
		return
	}
	n := float64(len(part))
	mean, variance := stat.PopMeanVariance(part, nil)
	total := m.count + n
	delta := mean - m.mean
	m.mean += delta * (n / total)
	m.square += variance*n + delta*delta*m.count*(n/total)
	m.count = total
}

// scaleFor returns 1, or a power of two that brings the range near 1 if the
// squares of its values would overflow or vanish.
func scaleFor(lo, hi float64) float64 {
	const safe = 400 // 2^800 times any count is finite, 2^-800 far from subnormal
	_, e := math.Frexp(max(math.Abs(lo), math.Abs(hi)))
	if e > safe || (e < -safe && (lo != 0 || hi != 0)) {
		return math.Ldexp(1, max(-1000, min(1000, -e)))
	}
	return 1
}

// WriteText writes the summary as a table with a histogram drawn by block
// characters, for people.
func (s Summary) WriteText(w io.Writer) error {
	t := keyTable()
	if s.Name != "" {
		t.AppendRow(table.Row{"name", s.Name})
	}
	if s.Unreadable != "" {
		t.AppendRows([]table.Row{
			{"type", s.DType},
			{"shape", tensor.Shape(s.Shape).String()},
			{"elements", grouped(int64(s.Elements))},
			{"not readable", s.Unreadable},
		})
		return writeLines(w, t.Render())
	}
	t.AppendRows([]table.Row{
		{"type", s.DType},
		{"shape", tensor.Shape(s.Shape).String()},
		{"elements", fmt.Sprintf("%s (%s)", grouped(int64(s.Elements)), byteSize(int64(s.Bytes)))},
		{"range", fmt.Sprintf("%s to %s", s.Min, s.Max)},
		{"mean", s.Mean.String()},
		{"deviation", s.Std.String()},
	})
	if s.Channels != nil {
		t.AppendRow(table.Row{"median", s.Median.String()})
	}
	t.AppendRows([]table.Row{
		{"zeros", fmt.Sprintf("%s (%s %%)", grouped(int64(s.Zeros)), strconv.FormatFloat(100*s.Share, 'g', 3, 64))},
	})
	if s.NaN+s.PosInf+s.NegInf > 0 {
		t.AppendRows([]table.Row{
			{"NaN", grouped(int64(s.NaN))},
			{"+Inf", grouped(int64(s.PosInf))},
			{"-Inf", grouped(int64(s.NegInf))},
		})
	} else {
		t.AppendRow(table.Row{"NaN, Inf", "none"})
	}
	for i, line := range s.Histogram.bars(3) {
		t.AppendRow(table.Row{once(i, "histogram"), line})
	}
	if s.Channels != nil {
		return writeLines(w, t.Render()+"\n\n"+channelTable(s.Channels))
	}
	return writeLines(w, t.Render())
}

// WriteJSON writes the summary as one object of the schema poolctl.inspect/v1.
func (s Summary) WriteJSON(w io.Writer) error { return writeJSON(w, s) }

// WriteJSONLine writes the same object on one line.
func (s Summary) WriteJSONLine(w io.Writer) error {
	line, err := marshal(s)
	if err != nil {
		return err
	}
	_, err = w.Write(line)
	return err
}

// WriteSummaries writes several summaries as one list of such objects.
func WriteSummaries(w io.Writer, list []Summary) error {
	return writeJSON(w, append([]Summary{}, list...)) // never null
}

// bars draws the counts as columns, the largest as many lines high as height
// says, with the range below. A bin that is not empty shows at least an eighth
// of a line.
func (h Histogram) bars(height int) []string {
	if len(h.Counts) == 0 {
		return nil
	}
	most := 0
	for _, c := range h.Counts {
		most = max(most, c)
	}
	const levels = " ▁▂▃▄▅▆▇█"
	steps := []rune(levels)
	lines := make([]string, height, height+1)
	for i := range lines {
		var b strings.Builder
		floor := (height - 1 - i) * 8
		for _, c := range h.Counts {
			eighths := int(math.Ceil(float64(c) / float64(max(most, 1)) * float64(8*height)))
			b.WriteRune(steps[min(max(eighths-floor, 0), 8)])
		}
		lines[i] = b.String()
	}
	lo, hi := h.Lo.String(), h.Hi.String()
	gap := max(1, len(h.Counts)-len(lo)-len(hi))
	return append(lines, lo+strings.Repeat(" ", gap)+hi)
}
