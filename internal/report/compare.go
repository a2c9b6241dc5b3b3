package report

import (
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Difference is the result of Compare. Two elements differ if
//
//	|a - b| > atol + rtol*|b|
//
// by the rules of numpy.allclose(equal_nan=True): NaN equals only NaN, and an
// infinity equals only itself.
type Difference struct {
	Schema   string  `json:"schema"`
	Equal    bool    `json:"equal"` // same shape and no element differs
	A        Operand `json:"a"`
	B        Operand `json:"b"`
	SameType bool    `json:"same_dtype"`
	SameSize bool    `json:"same_shape"` // if false, nothing below is computed
	Rtol     float64 `json:"rtol"`
	Atol     float64 `json:"atol"`
	Elements int     `json:"elements"`
	Differ   int     `json:"differ"`     // elements beyond the tolerance
	Unequal  int     `json:"unequal"`    // elements that are not the same number, within the tolerance or not
	NaNInOne int     `json:"nan_in_one"` // elements that are NaN in one of the two

	// First is the first element, in row-major order, that differs.
	First *Place `json:"first" jsonschema:"nullable"`
	// Absolute, Relative and ULP are the places with the largest |a-b|, |a-b|/|b|
	// and distance in units in the last place. Pairs with a NaN are left out. They
	// are nil if no element differs. An infinity is infinitely far from any other
	// number; its distance in ULP is not counted.
	Absolute *Place `json:"absolute" jsonschema:"nullable"`
	Relative *Place `json:"relative" jsonschema:"nullable"`
	ULP      *Place `json:"ulp" jsonschema:"nullable"`
	// ULPType is the type whose units in the last place are counted: the narrower
	// of the two floating-point types. It is empty if both are integers.
	ULPType string `json:"ulp_dtype,omitempty"`
}

// Operand is one of the two tensors compared.
type Operand struct {
	Name  string `json:"name,omitempty"` // the caller's word for it, such as its file
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// Place is an element with a difference that was measured there.
type Place struct {
	Value Value `json:"value"`
	At    []int `json:"at"` // its coordinates
	A     Value `json:"a"`
	B     Value `json:"b"`
}

// Compare compares a with the reference b, exactly: integers of 64 bits are not
// rounded to a floating-point type first. Tolerances must be at least 0.
func Compare(a, b *tensor.Tensor, rtol, atol float64) (Difference, error) {
	for _, t := range []struct {
		name  string
		value float64
	}{{"rtol", rtol}, {"atol", atol}} {
		if !(t.value >= 0) || math.IsInf(t.value, 0) {
			return Difference{}, fmt.Errorf("%s: got %v, want a number >= 0", t.name, t.value)
		}
	}
	d := Difference{
		Schema: "poolctl.compare/v1", Rtol: rtol, Atol: atol,
		A: Operand{DType: a.DType.String(), Shape: listOf(a.Shape)}, B: Operand{DType: b.DType.String(), Shape: listOf(b.Shape)},
		SameType: a.DType == b.DType, SameSize: a.Shape.Equal(b.Shape),
	}
	if !d.SameSize {
		return d, nil
	}
	d.Elements = a.Len()
	if a.DType.IsInteger() && b.DType.IsInteger() {
		d.integers(a, b)
	} else {
		d.floats(a, b)
	}
	d.Equal = d.Differ == 0
	return d, nil
}

// within reports whether a difference is inside the tolerance.
func (d *Difference) within(difference, reference float64) bool {
	return difference <= d.Atol+d.Rtol*math.Abs(reference)
}

// worst is the place of the largest difference so far; at is -1 when there is
// none.
type worst struct {
	value float64
	at    int
}

func (w *worst) see(value float64, at int) {
	if value > w.value {
		w.value, w.at = value, at
	}
}

// count records an element that is not the same number in both tensors.
func (d *Difference) count(differs bool, at int, first *int) {
	d.Unequal++
	if differs {
		d.Differ++
		if *first < 0 {
			*first = at
		}
	}
}

func (d *Difference) floats(a, b *tensor.Tensor) {
	narrow := tensor.Float64
	for _, t := range []tensor.DType{a.DType, b.DType} {
		if t.IsFloat() && t.Precision() < narrow.Precision() {
			narrow = t
		}
	}
	d.ULPType = narrow.String()
	distance := ulpDistance(narrow)
	absolute, relative, first := worst{at: -1}, worst{at: -1}, -1
	ulp, ulpAt := uint64(0), -1
	readA, readB := newExactReader(a), newExactReader(b)
	for i := 0; i < d.Elements; i += block {
		n := min(block, d.Elements-i)
		partA, partB := readA.read(i, n), readB.read(i, n)
		for j, x := range partA {
			y := partB[j]
			rest := readA.rest[j] - readB.rest[j]
			if x == y && rest == 0 || (x != x && y != y) {
				continue
			}
			at, difference := i+j, math.Abs(x-y+rest)
			bothFinite := x-x == 0 && y-y == 0
			d.count(!bothFinite || !d.within(difference, y), at, &first)
			if x != x || y != y {
				d.NaNInOne++
				continue
			}
			absolute.see(difference, at)
			if bothFinite {
				relative.see(difference/math.Abs(y), at)
			} else {
				relative.see(math.Inf(1), at)
			}
			if u, ok := distance(x, y); ok && u > ulp {
				ulp, ulpAt = u, at
			}
		}
	}
	d.First = place(a, b, first)
	d.Absolute = place(a, b, absolute.at)
	d.Relative = placeOf(a, b, relative.at, ValueOf(relative.value))
	d.ULP = placeOf(a, b, ulpAt, Value(strconv.FormatUint(ulp, 10)))
}

func (d *Difference) integers(a, b *tensor.Tensor) {
	relative, first, absoluteAt := worst{at: -1}, -1, -1
	var absolute distance
	bufA, bufB := make([]integer, block), make([]integer, block)
	for i := 0; i < d.Elements; i += block {
		partA := bufA[:min(block, d.Elements-i)]
		partB := bufB[:len(partA)]
		widenIntegers(partA, a, i)
		widenIntegers(partB, b, i)
		for j, x := range partA {
			y := partB[j]
			if x == y {
				continue
			}
			at, difference := i+j, x.minus(y)
			d.count(!d.within(difference.float(), float64(y.magnitude)), at, &first)
			if absolute.less(difference) {
				absolute, absoluteAt = difference, at
			}
			relative.see(difference.float()/float64(y.magnitude), at)
		}
	}
	d.First = place(a, b, first)
	d.Absolute = place(a, b, absoluteAt)
	d.Relative = placeOf(a, b, relative.at, ValueOf(relative.value))
}

// place returns element i of both tensors with its absolute difference, or nil
// for i = -1.
func place(a, b *tensor.Tensor, i int) *Place {
	if i < 0 {
		return nil
	}
	if a.DType.IsInteger() && b.DType.IsInteger() {
		return placeOf(a, b, i, integerAt(a, i).minus(integerAt(b, i)).value())
	}
	readA, readB := newExactReader(a), newExactReader(b)
	x, y := readA.read(i, 1)[0], readB.read(i, 1)[0]
	return placeOf(a, b, i, ValueOf(math.Abs(x-y+(readA.rest[0]-readB.rest[0]))))
}

func placeOf(a, b *tensor.Tensor, i int, difference Value) *Place {
	if i < 0 {
		return nil
	}
	return &Place{difference, a.Shape.Index(i), elementValue(a, i), elementValue(b, i)}
}

// elementValue returns element i exactly.
func elementValue(t *tensor.Tensor, i int) Value {
	if t.DType.IsFloat() {
		return ValueOf(t.At(i))
	}
	return integerAt(t, i).value()
}

// WriteText writes the difference as a table, for people.
func (d Difference) WriteText(w io.Writer) error {
	t := keyTable()
	verdict := "equal"
	switch {
	case !d.SameSize:
		verdict = "different shapes"
	case d.Differ > 0:
		verdict = fmt.Sprintf("different: %s of %s elements (%.3g %%)", grouped(int64(d.Differ)), grouped(int64(d.Elements)), 100*float64(d.Differ)/float64(d.Elements))
	case d.Unequal > 0:
		verdict = "equal within the tolerance"
	}
	t.AppendRow(table.Row{"result", verdict})
	for i, o := range []Operand{d.A, d.B} {
		t.AppendRow(table.Row{"ab"[i : i+1], fmt.Sprintf("%s %s  %s", o.DType, tensor.Shape(o.Shape), o.Name)})
	}
	if !d.SameSize {
		return writeLines(w, t.Render())
	}
	if !d.SameType {
		t.AppendRow(table.Row{"", "different types, compared by value"})
	}
	t.AppendRow(table.Row{"tolerance", fmt.Sprintf("|a-b| <= %g + %g*|b|", d.Atol, d.Rtol)})
	t.AppendRow(table.Row{"unequal", grouped(int64(d.Unequal))})
	if d.NaNInOne > 0 {
		t.AppendRow(table.Row{"NaN in one", grouped(int64(d.NaNInOne))})
	}
	places := []struct {
		label, unit string
		place       *Place
	}{{"first", "", d.First}, {"largest absolute", "", d.Absolute}, {"largest relative", "", d.Relative}, {"largest in ULP", " of " + d.ULPType, d.ULP}}
	for _, p := range places {
		if p.place != nil {
			t.AppendRow(table.Row{p.label, fmt.Sprintf("%s%s at %s: %s and %s", p.place.Value, p.unit, tensor.Shape(p.place.At), string(p.place.A), string(p.place.B))})
		}
	}
	return writeLines(w, t.Render())
}

// WriteJSON writes the difference as one object of the schema
// poolctl.compare/v1.
func (d Difference) WriteJSON(w io.Writer) error { return writeJSON(w, d) }
