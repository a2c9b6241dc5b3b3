package geom

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Padding is a rule for the cells that are added around the input.
type Padding uint8

// The padding rules. If the total is odd, Same puts the extra cell at the end,
// as TensorFlow and ONNX (SAME_UPPER) do; SameLower puts it at the start.
const (
	Valid Padding = iota
	Same
	SameLower
	Explicit
)

var paddingNames = [...]string{Valid: "VALID", Same: "SAME", SameLower: "SAME_LOWER", Explicit: "EXPLICIT"}

// String returns the rule's name on the command line.
func (p Padding) String() string { return paddingNames[p] }

// MaxParameter is the largest window, stride, dilation and padding amount.
const MaxParameter = math.MaxInt32

// MaxExtent is the largest extent of an axis.
const MaxExtent = 1 << 48

// Window is the windows of an operation as a user gives them: one number for
// each spatial axis, outermost first. A list of one number applies to every
// axis. An empty Stride or Dilation means 1.
type Window struct {
	Size     []int
	Stride   []int
	Dilation []int // distance between two taps, at least 1
	Padding  Padding
	Amounts  [][2]int // cells before and after, for Explicit
	Ceil     bool     // keep a last window that reaches past the end; ignored under Same and SameLower
	Pooling  bool     // refuse padding that leaves a window without an input cell
}

// Error names the parameter that is wrong as the command line does, its value,
// and the rule that it breaks.
type Error struct {
	Field, Problem string
	Advice         string // what to do about it on the command line; may be empty
}

func (e *Error) Error() string { return e.Field + ": " + e.Problem }

// Hint returns the advice.
func (e *Error) Hint() string { return e.Advice }

func fieldError(field, format string, args ...any) error {
	return &Error{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Check reports windows that are wrong whatever the input is.
func (w Window) Check() error {
	type parameter struct {
		field  string
		values []int
	}
	lists := []parameter{{"window", w.Size}, {"strides", w.Stride}, {"dilations", w.Dilation}}
	for _, list := range lists {
		for _, v := range list.values {
			if v < 1 {
				return fieldError(list.field, "got %d, want >= 1", v)
			}
			if v > MaxParameter {
				return fieldError(list.field, "got %d, want <= %d", v, MaxParameter)
			}
		}
	}
	for _, pair := range w.Amounts {
		for _, v := range pair {
			if v < 0 {
				return fieldError("padding", "got %d, want >= 0", v)
			}
			if v > MaxParameter {
				return fieldError("padding", "got %d, want <= %d", v, MaxParameter)
			}
		}
	}
	rank, first := 1, ""
	for _, list := range append(lists, parameter{"padding", make([]int, len(w.Amounts))}) {
		n := len(list.values)
		if n > 3 {
			return fieldError(list.field, "got %d numbers, want one for each spatial dimension (1 to 3)", n)
		}
		if n <= 1 {
			continue
		}
		if rank != 1 && n != rank {
			return fieldError(list.field, "got %d numbers where %s has %d, want as many, or a single one for every dimension", n, first, rank)
		}
		rank, first = n, list.field
	}
	return nil
}

// effective returns the extent of a window with its gaps: (size-1)*dilation+1.
func effective(size, dilation int) int { return (size-1)*dilation + 1 }

// pick returns the number of a list for one axis.
func pick(list []int, axis, otherwise int) int {
	switch len(list) {
	case 0:
		return otherwise
	case 1:
		return list[0]
	default:
		return list[axis]
	}
}

// checkRank reports a list that has neither one number nor one for each axis.
func (w Window) checkRank(rank int) error {
	for _, list := range []struct {
		field string
		n     int
	}{{"window", len(w.Size)}, {"strides", len(w.Stride)}, {"dilations", len(w.Dilation)}, {"padding", len(w.Amounts)}} {
		if list.n > 1 && list.n != rank {
			return fieldError(list.field, "got %d numbers, want 1 or %d (one for each spatial dimension of the input)", list.n, rank)
		}
	}
	return nil
}

// windowText formats the windows as they appear in a descriptor:
// k3x3_s2x2_pSAME_d1x1.
func (g *Geometry) windowText() string {
	var size, stride, dilation, pads []string
	for _, a := range g.Spatial() {
		size = append(size, strconv.Itoa(a.Size))
		stride = append(stride, strconv.Itoa(a.Stride))
		dilation = append(dilation, strconv.Itoa(a.Dilation))
		pads = append(pads, fmt.Sprintf("%d:%d", a.Lo, a.Hi))
	}
	padding := g.Rule.String()
	if g.Rule == Explicit {
		padding = strings.Join(pads, ",")
	}
	x := func(words []string) string { return strings.Join(words, "x") }
	return fmt.Sprintf("k%s_s%s_p%s_d%s", x(size), x(stride), padding, x(dilation))
}
