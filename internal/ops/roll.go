package ops

import (
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

var rollSpec = Spec{
	Name:    "roll",
	TF:      "tf.roll (numpy.roll, torch.roll)",
	Summary: "shift a tensor along its axes, around the ends",
	Doc: `Moves every cell by --shift places along --axis. What leaves at one end comes in at the other:

    y[(i + shift) mod n] = x[i]

--axis counts the axes as they lie in memory, from 0, or from the end by -1, -2, …: of one picture 1 is the height and 2 the width. Several axes take one shift each, or all the same one; an axis that is named twice is shifted by the sum. Without --axis the tensor is one line of numbers in the order of its memory, as in NumPy and PyTorch. A shift may be negative, or larger than the axis. Any type, which is kept.

The gradient is the upstream gradient, rolled back.`,
	Rank: oneTensor, Linear: true,
	Examples: []Example{
		{"the right quarter of a picture to its left", "poolctl roll samples/chelsea.png --shift 112 --axis 2 -o y.png"},
		{"as np.roll(x, (1, -2), (1, 2))", "poolctl roll samples/input_10x9x9x3.npy --shift 1,-2 --axis 1,2 -o y.npy"},
	},
	New: func() Op { return defaults(new(Roll)) },
}

// Roll shifts a tensor along its axes, around the ends.
type Roll struct {
	format
	Shift []int
	Axis  []int // nil: all cells as one line
}

// Params implements Op.
func (o *Roll) Params() []Param {
	shift := signedParam("shift", &o.Shift, "", "places that each cell moves, one number for each axis of --axis or one for all")
	shift.Required = true
	return append([]Param{shift,
		signedParam("axis", &o.Axis, "all as one line", "axes to roll along, from 0, or from the end by -1, -2, …"),
	}, o.format.params()...)
}

// Check implements Op.
func (o *Roll) Check() error {
	shifts, axes := len(o.Shift), len(o.Axis)
	switch {
	case shifts == 0:
		return usage("roll", "shift", "missing, want a whole number or a list of them")
	case shifts == 1 || shifts == axes:
		return nil
	case axes == 0:
		return usage("roll", "shift", "got %d numbers in %s, want 1, or --axis with as many", shifts, tensor.Join(o.Shift, ","))
	case axes == 1:
		return usage("roll", "shift", "got %d numbers in %s, want 1, one for each axis in %d", shifts, tensor.Join(o.Shift, ","), o.Axis[0])
	}
	return usage("roll", "shift", "got %d numbers in %s, want 1 or %d, one for each axis in %s", shifts, tensor.Join(o.Shift, ","), axes, tensor.Join(o.Axis, ","))
}

// Inputs implements Op.
func (o *Roll) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// shifts returns the shift of every axis, from 0 to less than its extent.
// Without --axis the only axis is the line of all cells.
func (o *Roll) shifts(layout tensor.Layout, shape tensor.Shape) (tensor.Shape, []int, error) {
	axes := o.Axis
	if axes == nil {
		n, err := shape.Elements()
		if err != nil {
			return nil, nil, &DataError{"roll", err}
		}
		shape, axes = tensor.Shape{n}, []int{0}
	}
	shifts := make([]int, len(shape))
	for i, axis := range axes {
		if axis < -len(shape) || axis >= len(shape) {
			return nil, nil, unfit("roll", "axis", "got %d, want -%d to %d (%s)", axis, len(shape), len(shape)-1, layout)
		}
		axis = (axis + len(shape)) % len(shape)
		if n := shape[axis]; n > 0 {
			s := o.Shift[min(i, len(o.Shift)-1)] % n
			if s < 0 {
				s += n
			}
			if shifts[axis] += s - n; shifts[axis] < 0 { // the sum may not fit
				shifts[axis] += n
			}
		}
	}
	return shape, shifts, nil
}

// rollLayout is the operation for a given input: rows of cells that are rolled,
// and outer axes along which whole rows move.
type rollLayout struct {
	row   int         // elements of a row: the innermost axis that moves and all axes inside it
	shift int         // elements that a row is shifted by
	outer []rolledRow // the other axes that move, the innermost first
}

// rolledRow is an axis along which rows move: its extent and its shift, in rows.
type rolledRow struct{ extent, shift int }

// newRollLayout returns the layout for shifts along every axis of a shape,
// backward for the gradient.
func newRollLayout(shape tensor.Shape, shifts []int, backward bool) *rollLayout {
	inner := len(shape) - 1
	for inner > 0 && shifts[inner] == 0 {
		inner--
	}
	l := &rollLayout{row: 1}
	rows := 1
	for axis := len(shape) - 1; axis >= 0; axis-- {
		n, s := shape[axis], shifts[axis]
		if backward && s > 0 {
			s = n - s
		}
		switch {
		case axis > inner:
			l.row *= n
		case axis == inner:
			l.shift = s * l.row
			l.row *= n
		default:
			if s > 0 {
				l.outer = append(l.outer, rolledRow{n * rows, s * rows})
			}
			rows *= n
		}
	}
	return l
}

// source returns the row that moves to the given one, and the number of rows
// after it that stay neighbours.
func (l *rollLayout) source(row int) (from, together int) {
	from, together = row, math.MaxInt
	for _, a := range l.outer {
		place := row % a.extent
		end := a.extent
		if place < a.shift { // from the end
			from += a.extent
			end = a.shift
		}
		from -= a.shift
		together = min(together, end-place)
	}
	return from, together
}

// run computes the elements lo <= i < hi of dst.
func (l *rollLayout) run(dst, src *tensor.Tensor, lo, hi int) {
	head, tail := l.shift, l.row-l.shift // of a row of dst, which are the tail and the head of one of src
	for at := lo; at < hi; {
		row, place := at/l.row, at%l.row
		from, together := l.source(row)
		from *= l.row
		switch rows := min((hi-at)/l.row, together); {
		case place == 0 && rows > 0:
			tensor.CopyRuns(dst, src, head, l.row, at, l.row, from+tail, 0, rows)
			tensor.CopyRuns(dst, src, tail, l.row, at+head, l.row, from, 0, rows)
			at += rows * l.row
		case place < head:
			n := min(head-place, hi-at)
			tensor.CopyRuns(dst, src, n, 0, at, 0, from+tail+place, 0, 1)
			at += n
		default:
			n := min(l.row-place, hi-at)
			tensor.CopyRuns(dst, src, n, 0, at, 0, from+place-head, 0, 1)
			at += n
		}
	}
}

// lay returns the layout of the input and how the operation or its gradient
// moves the cells.
func (o *Roll) lay(x tensor.Spec, backward bool) (tensor.Layout, *rollLayout, error) {
	if err := o.Check(); err != nil {
		return "", nil, err
	}
	layout, err := o.layer("roll", x)
	if err != nil {
		return "", nil, err
	}
	shape, shifts, err := o.shifts(layout, x.Shape)
	if err != nil {
		return "", nil, err
	}
	return layout, newRollLayout(shape, shifts, backward), nil
}

// Plan implements Op.
func (o *Roll) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, l, err := o.lay(in[0], false)
	if err != nil {
		return nil, err
	}
	b := newBuilder("roll", in)
	b.plan.Layout, b.plan.Impl = layout, "copy, go"
	d := o.input(in[0])
	y := b.output("y", tensor.Spec{DType: d, Shape: slices.Clone(in[0].Shape)}, layout)
	b.roll(l, y, b.converted(0, d))
	return b.finish()
}

// roll adds the stage that copies src to dst, rolled.
func (b *builder) roll(l *rollLayout, dst, src buf) {
	b.elementwise("roll", dst, 1, func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
		l.run(bufs[dst], bufs[src], lo, hi)
	})
}

// ReceptiveField implements Receptive. Cells that wrap around are at no even
// distance from their neighbours, so there is no field if a spatial axis moves.
func (o *Roll) ReceptiveField(p *Plan) []geom.Field {
	rank := p.Layout.Rank()
	if o.Axis == nil || slices.ContainsFunc(o.Axis, func(axis int) bool { return p.Layout.IsSpatial((axis + rank) % rank) }) {
		return nil
	}
	return cellwise(p.Layout)
}

// GradParams implements Differentiable.
func (o *Roll) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The gradient is the upstream gradient,
// rolled back.
func (o *Roll) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	layout, l, err := o.lay(in[0], true)
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("roll", in[1], in[0].Shape); err != nil {
		return nil, err
	}
	g := newGradient("roll", in, &o.format, layout)
	g.plan.Layout, g.plan.Impl = layout, "copy, go"
	g.unread(0, 1)
	dx := g.output("dx", in[0].Shape, layout)
	g.roll(l, dx, g.converted(g.converted(1, g.dtype), g.result))
	return g.finish()
}
