package geom

import (
	"math"
	"testing"
)

// TestFieldsAreTheCellsThatAreSeen: over many axes, every cell that a window
// sees lies in the field, and some window sees the whole of it. So it is for
// transposed convolutions, whose cells are those that taps link.
func TestFieldsAreTheCellsThatAreSeen(t *testing.T) {
	none := 0
	for size := 1; size <= 6; size++ {
		for stride := 1; stride <= 6; stride++ {
			for dilation := 1; dilation <= 6; dilation++ {
				for lo := 0; lo <= (size-1)*dilation; lo += 1 + lo {
					a := Axis{In: 121, Size: size, Stride: stride, Dilation: dilation, Lo: lo, Hi: lo}
					a.Out = (a.In+a.Lo+a.Hi-a.Effective())/stride + 1
					f, ok := a.Field()
					checkField(t, "windows", a, f, ok, a.Out, func(o int) (first, end int) {
						first, n := a.Cells(o)
						return first, first + (n-1)*dilation + min(n, 1)
					})
					f, ok = a.TransposedField()
					if divides := stride%dilation == 0 || dilation%stride == 0; ok != divides {
						t.Errorf("%+v: a transposed field: %v", a, ok)
					}
					if !ok {
						none++
						continue
					}
					g := a.Backward()
					checkField(t, "transposed", a, f, ok, a.In, func(j int) (first, end int) {
						l := g.At(j)
						return l.Cell + (l.N-1)*g.CellStep, l.Cell + min(l.N, 1)
					})
				}
			}
		}
	}
	if none == 0 {
		t.Error("every transposed axis has a field")
	}
}

// checkField compares a field with the cells first <= i < end that each of the
// outputs sees.
func checkField(t *testing.T, what string, a Axis, f Field, ok bool, outputs int, seen func(o int) (first, end int)) {
	t.Helper()
	widest := 0
	for o := range outputs {
		first, end := seen(o)
		if first >= end {
			continue
		}
		widest = max(widest, end-first)
		middle := f.Start + float64(o)*f.Jump
		if far := max(math.Abs(float64(first)-middle), math.Abs(float64(end-1)-middle)); far >= f.Size/2 {
			t.Fatalf("%s %+v: output %d sees cells %d to %d, %+v has its middle at %g", what, a, o, first, end-1, f, middle)
		}
	}
	if !ok || float64(widest) != f.Size {
		t.Fatalf("%s %+v: %+v (%v), the widest sees %d cells", what, a, f, ok, widest)
	}
}

// TestUnevenWindowsHaveNoField but adaptive ones that divide the input have.
func TestUnevenWindowsHaveNoField(t *testing.T) {
	even := Axis{In: 6, Out: 2, Size: 3, Bounds: [][2]int{{0, 3}, {3, 6}}}
	if f, ok := even.Field(); !ok || f != (Field{3, 3, 1}) {
		t.Errorf("%+v, %v", f, ok)
	}
	for _, bounds := range [][][2]int{{{0, 3}, {2, 5}}, {{0, 3}, {3, 5}}, {{0, 2}, {2, 5}}} {
		if f, ok := (Axis{In: 5, Out: 2, Size: 3, Bounds: bounds}).Field(); ok {
			t.Errorf("%v: %+v", bounds, f)
		}
	}
}
