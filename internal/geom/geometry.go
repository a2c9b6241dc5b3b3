package geom

import (
	"fmt"
	"strconv"
	"strings"
)

// Geometry is windows resolved over an input: batch, channels and spatial axes.
// Missing leading axes have extent 1 and a window of one cell, so that 1-D, 2-D
// and 3-D share one loop nest.
type Geometry struct {
	N, C int
	Rank int     // spatial axes: 1, 2 or 3
	Axes [3]Axis // depth, height, width
	Rule Padding // the rule of the padding
}

var trivial = Axis{In: 1, Out: 1, Size: 1, Stride: 1, Dilation: 1}

// New returns the geometry with the given spatial axes, outermost first.
func New(n, c int, axes []Axis) Geometry {
	g := Geometry{N: n, C: c, Rank: len(axes), Axes: [3]Axis{trivial, trivial, trivial}}
	copy(g.Axes[3-len(axes):], axes)
	return g
}

// Spatial returns the spatial axes of the input, outermost first.
func (g *Geometry) Spatial() []Axis { return g.Axes[3-g.Rank:] }

// In returns the spatial extents of the input, outermost first.
func (g *Geometry) In() []int {
	sizes := make([]int, 0, 3)
	for _, a := range g.Spatial() {
		sizes = append(sizes, a.In)
	}
	return sizes
}

// Out returns the spatial extents of the output, outermost first.
func (g *Geometry) Out() []int {
	sizes := make([]int, 0, 3)
	for _, a := range g.Spatial() {
		sizes = append(sizes, a.Out)
	}
	return sizes
}

// Taps returns the number of taps of a whole window.
func (g *Geometry) Taps() int { return g.Axes[0].Size * g.Axes[1].Size * g.Axes[2].Size }

// Empty reports whether the output has no cells although the input has some.
func (g *Geometry) Empty() bool {
	for _, a := range g.Axes {
		if a.Out == 0 && a.In > 0 {
			return true
		}
	}
	return false
}

// String returns the descriptor of the geometry, for test failures and reports:
// n2h112w112c64_k3x3_s2x2_pSAME_d1x1.
func (g Geometry) String() string {
	var b strings.Builder
	b.WriteString("n" + strconv.Itoa(g.N))
	for i, a := range g.Spatial() {
		b.WriteString("dhw"[3-g.Rank+i:][:1] + strconv.Itoa(a.In))
	}
	fmt.Fprintf(&b, "c%d_%s", g.C, g.windowText())
	return b.String()
}

// Resolve resolves windows over an input with the given extents, outermost first,
// and computes output sizes and padding:
//
//	VALID       out = (in - eff + stride) / stride
//	EXPLICIT    out = (in + lo + hi - eff + stride) / stride
//	SAME        out = ceil(in / stride), padding max(0, (out-1)*stride + eff - in)
//
// with eff = (size-1)*dilation + 1. The formulas are those of TensorFlow
// (core/framework/kernel_shape_util.cc). In ceil mode the division of the first
// two rounds up, and a last window that would start past the input and the
// padding before it is dropped, as in PyTorch and ONNX. If no window fits, the
// axis has Out = 0; see Fits. Errors name the parameter that does not suit the
// input.
func Resolve(n int, spatial []int, c int, w Window) (Geometry, error) {
	if err := w.Check(); err != nil {
		return Geometry{}, err
	}
	if err := w.checkRank(len(spatial)); err != nil {
		return Geometry{}, err
	}
	axes := make([]Axis, len(spatial))
	for i, in := range spatial {
		if in < 0 || in > MaxExtent {
			return Geometry{}, fieldError("input", "got extent %d, want 0 to %d", in, MaxExtent)
		}
		axes[i] = Axis{In: in, Size: pick(w.Size, i, 1), Stride: pick(w.Stride, i, 1), Dilation: pick(w.Dilation, i, 1)}
		switch w.Padding {
		case Same, SameLower:
			axes[i].same(CeilDiv(in, axes[i].Stride), w.Padding)
		case Explicit:
			pair := w.Amounts[0]
			if len(w.Amounts) > 1 {
				pair = w.Amounts[i]
			}
			axes[i].explicit(pair[0], pair[1], w.Ceil)
		case Valid:
			axes[i].explicit(0, 0, w.Ceil)
		}
	}
	g := New(n, c, axes)
	g.Rule = w.Padding
	if w.Pooling {
		return g, g.checkPooling()
	}
	return g, nil
}

func (a *Axis) same(out int, rule Padding) {
	a.Out = out
	if out == 0 {
		return
	}
	total := max(0, (out-1)*a.Stride+a.Effective()-a.In)
	a.Lo, a.Hi = total/2, total-total/2
	if rule == SameLower {
		a.Lo, a.Hi = a.Hi, a.Lo
	}
}

func (a *Axis) explicit(lo, hi int, ceil bool) {
	a.Lo, a.Hi = lo, hi
	room := a.In + lo + hi - a.Effective()
	if ceil {
		a.Out = CeilDiv(room, a.Stride) + 1
		if (a.Out-1)*a.Stride >= a.In+lo {
			a.Out--
		}
	} else {
		a.Out = FloorDiv(room, a.Stride) + 1
	}
	a.Out = max(0, a.Out)
}

var axisNames = [3]string{"depth", "height", "width"}

// AxisName returns the name of the i-th spatial axis: depth, height or width.
func (g *Geometry) AxisName(i int) string {
	return axisNames[3-g.Rank+i]
}

// Fits returns an error for an axis on which no window fits into the padded
// input. Under SAME every window fits.
func (g *Geometry) Fits() error {
	if g.Rule == Same || g.Rule == SameLower {
		return nil
	}
	for i, a := range g.Spatial() {
		if a.Out == 0 {
			return fieldError("window", "got %d cells (size %d, dilation %d) in %s, want <= %d (input %d, padding %d:%d)",
				a.Effective(), a.Size, a.Dilation, g.AxisName(i), a.In+a.Lo+a.Hi, a.In, a.Lo, a.Hi)
		}
	}
	return nil
}

// checkPooling refuses padding as large as the window, and windows without an
// input cell, which would have nothing to reduce.
func (g *Geometry) checkPooling() error {
	for i, a := range g.Spatial() {
		if lo, hi := a.Lo, a.Hi; max(lo, hi) >= a.Effective() {
			return fieldError("padding", "got %d:%d in %s, want each smaller than the window's %d cells", lo, hi, g.AxisName(i), a.Effective())
		}
		if o, ok := a.hollow(); ok && a.In > 0 {
			return fieldError("padding", "window %d in %s (size %d, stride %d, dilation %d, padding %d:%d) holds no cell of the input's %d, want at least one",
				o, g.AxisName(i), a.Size, a.Stride, a.Dilation, a.Lo, a.Hi, a.In)
		}
	}
	return nil
}

// hollow returns the first window without an input cell. Every window reaches
// past the padding before the input and begins before the padding after it
// (checkPooling, Resolve). So a hollow window begins in the padding and, with a
// dilation larger than the input, steps over it.
func (a *Axis) hollow() (o int, ok bool) {
	if a.In >= a.Dilation {
		return 0, false
	}
	return a.stepsOver(a.In)
}

// stepsOver returns the first window that begins in the padding and whose first tap
// at or past cell 0 is at or past limit, which is less than the dilation.
func (a *Axis) stepsOver(limit int) (o int, ok bool) {
	// Windows a period apart step on the same cell. In between the cell
	// advances by step, so that windows which cannot be past the end are
	// skipped.
	step, period := a.Stride%a.Dilation, a.Dilation/gcd(a.Stride, a.Dilation)
	for last := min(a.Out, CeilDiv(a.Lo, a.Stride), period); o < last; {
		start := o*a.Stride - a.Lo
		cell := start + CeilDiv(-start, a.Dilation)*a.Dilation
		if cell >= limit {
			return o, true
		}
		if step == 0 {
			break
		}
		o += CeilDiv(limit-cell, step)
	}
	return 0, false
}
