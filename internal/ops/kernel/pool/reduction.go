package pool

import "fmt"

// Reduction is what pooling does with the cells of a window.
type Reduction uint8

// The reductions. LP is (Σ|x|^p)^(1/p).
const (
	Max Reduction = iota
	Min
	Average
	Sum
	LP
)

// reductions says of each what several kernels need to know. A kernel refuses a
// reduction that it does not name.
var reductions = [...]struct {
	name      string
	extremum  bool // the largest or the smallest cell
	sum       bool // a sum of the cells, divided by something or not
	keepsType bool // the result is a cell of the window
}{
	Max:     {name: "maxima", extremum: true, keepsType: true},
	Min:     {name: "minima", extremum: true, keepsType: true},
	Average: {name: "averages", sum: true},
	Sum:     {name: "sums", sum: true},
	LP:      {name: "Lp norms"},
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

// KeepsType reports whether results have the type of the cells.
func (r Reduction) KeepsType() bool { return r.known() && reductions[r].keepsType }
