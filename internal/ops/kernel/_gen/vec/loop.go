package vec

import (
	"strings"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Label begins what branches go to, and says what that is as [Note] does.
func Label(name, format string, groups ...any) {
	build.Label(name)
	Note(format, groups...)
}

// Sub names a label within a part of a function that has a label, or is all of it.
func Sub(label, name string) string {
	if label == "" {
		return strings.ToLower(name[:1]) + name[1:]
	}
	return label + name
}

// Row is a loop over a row: so many vectors at a time, then one at a time. The
// last vector overlaps the one before it, so that a row may have any length from
// a vector on; computing a few numbers twice costs less than a tail.
type Row struct {
	Label string   // before those of its parts: Many, One, Whole, End
	N     Register // the length of the row
	Step  int      // how much of it a vector takes
	Many  int      // vectors at a time
	At    Register // how far the loop is
	Left  Register // scratch
}

// NewRow allocates the registers of a loop over a row of n, of which a vector
// takes step.
func NewRow(label string, n Register, step, many int) Row {
	return Row{Label: label, N: n, Step: step, Many: many, At: build.GP64(), Left: build.GP64()}
}

// Each writes the loop. The body computes so many vectors from r.At on; its labels
// begin with label.
func (r Row) Each(body func(vectors int, label string)) {
	build.XORQ(r.At, r.At)
	r.EachMany(Sub(r.Label, "One"), func(label string) { body(r.Many, label) })
	r.EachOne(Sub(r.Label, "End"), func(label string) { body(1, label) })
}

// EachMany writes the first of the two loops, which goes on at the label rest.
func (r Row) EachMany(rest string, body func(label string)) {
	label := Sub(r.Label, "Many")
	Label(label, "%d vectors at a time; % of % is done.", r.Many, r.At, r.N)
	build.MOVQ(r.N, r.Left)
	build.SUBQ(r.At, r.Left)
	build.CMPQ(r.Left, U32(uint32(r.Many*r.Step)))
	build.JL(LabelRef(rest))
	body(label)
	build.ADDQ(U32(uint32(r.Many*r.Step)), r.At)
	build.JMP(LabelRef(label))
}

// EachOne writes the second of the two loops, with the label rest before it and
// end behind it.
func (r Row) EachOne(end string, body func(label string)) {
	label, whole := Sub(r.Label, "One"), Sub(r.Label, "Whole")
	Label(label, "One vector at a time; % of % is done.", r.At, r.N)
	build.MOVQ(r.N, r.Left)
	build.SUBQ(r.At, r.Left)
	build.JZ(LabelRef(end))
	build.CMPQ(r.Left, U32(uint32(r.Step)))
	build.JGE(LabelRef(whole))
	build.LEAQ(Mem{Base: r.N, Disp: -r.Step}, r.At)
	Label(whole, "A whole vector. Where less was left, it overlaps the one before it.")
	body(label)
	build.ADDQ(U32(uint32(r.Step)), r.At)
	build.JMP(LabelRef(label))
	Label(end, "The row is done.")
}

// Ref refers to a label.
func Ref(label string) LabelRef { return LabelRef(label) }
