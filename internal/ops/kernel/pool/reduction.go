package pool

import "fmt"

// Reduction is what pooling does with the cells of a window.
type Reduction uint8

// The reductions. LP is (Σ|x|^p)^(1/p). Rank is the cell of a certain place in the
// order of values, see Spec.Rank. The median of an even number of cells is the mean
// of the lower and the upper one. Variance is the mean of the squared deviations from
// the mean, and Deviation its root.
const (
	Max Reduction = iota
	Min
	Average
	Sum
	LP
	Rank
	Median
	LowerMedian
	UpperMedian
	Variance
	Deviation
)

// reductions says of each what several kernels need to know. A kernel refuses a
// reduction that it does not name.
var reductions = [...]struct {
	name      string
	extremum  bool // the largest or the smallest cell
	sum       bool // a sum of the cells, divided by something or not
	rank      bool // of cells that have a certain place in the order of values
	moment    bool // computed from mean and squared deviations
	keepsType bool // the result is a cell of the window
}{
	Max:     {name: "maxima", extremum: true, keepsType: true},
	Min:     {name: "minima", extremum: true, keepsType: true},
	Average: {name: "averages", sum: true},
	Sum:     {name: "sums", sum: true},
	LP:      {name: "Lp norms"},

	Rank:        {name: "ranks", rank: true, keepsType: true},
	Median:      {name: "medians", rank: true},
	LowerMedian: {name: "lower medians", rank: true, keepsType: true},
	UpperMedian: {name: "upper medians", rank: true, keepsType: true},

	Variance:  {name: "variances", moment: true},
	Deviation: {name: "standard deviations", moment: true},
}

func (r Reduction) known() bool { return int(r) < len(reductions) }

// String returns the name of what the reduction computes, in the plural.
func (r Reduction) String() string {
	if !r.known() {
		return fmt.Sprintf("reduction %d", uint8(r))
	}
	return reductions[r].name
}

// IsExtremum reports whether the reduction is Max or Min.
func (r Reduction) IsExtremum() bool { return r.known() && reductions[r].extremum }

// IsSum reports whether the reduction is Average or Sum.
func (r Reduction) IsSum() bool { return r.known() && reductions[r].sum }

// IsRank reports whether the reduction takes cells by their place in the order of
// values.
func (r Reduction) IsRank() bool { return r.known() && reductions[r].rank }

// IsMoment reports whether the reduction is Variance or Deviation.
func (r Reduction) IsMoment() bool { return r.known() && reductions[r].moment }

// HasArgmax reports whether results are a cell's, of which Argmax is the place.
func (r Reduction) HasArgmax() bool { return r.KeepsType() }

// KeepsType reports whether results have the type of the cells.
func (r Reduction) KeepsType() bool { return r.known() && reductions[r].keepsType }
