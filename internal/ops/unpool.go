package ops

import (
	"fmt"
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

var unpoolSpec = Spec{
	Name:    "unpool",
	TF:      "tfa.layers.MaxUnpooling2D (TensorFlow has none), torch.nn.functional.max_unpool2d, ONNX MaxUnpool",
	Summary: "put pooled values back where an argmax says they were",
	Doc: `Places every value of the input at the index that --argmax has for it, in a tensor of zeros of shape --output-shape. The argmax has the shape of the input. Its indices number the cells of the output in the convention of --argmax-index (see pool).

If a cell gets several values, --duplicates last keeps the last in row-major order, sum adds them (integers exactly, clipped to the range of their type at the end), max keeps the largest, error refuses. An index outside the output is an error that says where it is.`,
	Rank: [2]int{1, 3},
	Examples: []Example{
		{"pool, then put the maxima back", "poolctl unpool samples/pooled_3x3.npy --argmax samples/argmax_3x3.npy --output-shape 6,6 -o back.npy"},
	},
	New: func() Op { return defaults(new(Unpool)) },
}

// Unpool places values at the cells of an argmax.
type Unpool struct {
	format
	Argmax      string
	OutputShape tensor.Shape
	IndexRule   string
	Batch       bool
	Duplicates  string
}

// Params implements Op.
func (o *Unpool) Params() []Param {
	argmax := tensorParam("argmax", &o.Argmax, "array of indices, in the input's shape")
	shape := shapeParam("output-shape", &o.OutputShape, "whole shape of the output, in the data format")
	argmax.Required, shape.Required = true, true
	return append([]Param{argmax, shape,
		choiceParam("argmax-index", &o.IndexRule, conventions, conventions[0], "how argmax numbers cells"),
		boolParam("include-batch-in-index", &o.Batch, "argmax counts through the batch (tensorflow only)"),
		choiceParam("duplicates", &o.Duplicates, []string{"last", "sum", "max", "error"}, "last", "what happens to several values for one cell"),
	}, o.format.params()...)
}

// Check implements Op.
func (o *Unpool) Check() error {
	switch {
	case o.Argmax == "":
		return usage("unpool", "argmax", "missing, want a file")
	case o.OutputShape == nil:
		return usage("unpool", "output-shape", "missing, want the whole shape of the output")
	case o.Batch && o.IndexRule != "tensorflow":
		return usage("unpool", "include-batch-in-index", "only applies with --argmax-index tensorflow")
	}
	if _, err := o.OutputShape.Elements(); err != nil {
		return usage("unpool", "output-shape", "%v", err)
	}
	return nil
}

// Inputs implements Op.
func (o *Unpool) Inputs(tensor.Spec) ([]Input, error) {
	return []Input{{Name: "argmax", Source: o.Argmax}}, nil
}

// Plan implements Op.
func (o *Unpool) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	layout, e, err := o.layout("unpool", in[0])
	if err != nil {
		return nil, err
	}
	out, err := layout.Split(o.OutputShape)
	if err != nil {
		return nil, unfit("unpool", "output-shape", "%v", err)
	}
	if out.N != e.N || out.C != e.C {
		return nil, unfit("unpool", "output-shape", "got batch %d and %d channels, want the input's %d and %d", out.N, out.C, e.N, e.C)
	}
	if !in[1].DType.IsInteger() {
		return nil, unfit("unpool", "argmax", "got %s, want an integer type", in[1].DType)
	}
	if !in[1].Shape.Equal(in[0].Shape) {
		return nil, unfit("unpool", "argmax", "got shape %s, want the input's %s", in[1].Shape, in[0].Shape)
	}

	index := pool.Index{Convention: conventionOf(o.IndexRule), Batch: o.Batch, N: out.N, Channels: out.C, Extent: [3]int{1, 1, 1}}
	copy(index.Extent[3-len(out.Spatial):], out.Spatial)
	k := o.kernel(index, e)
	last := tensor.ChannelsLast(layout.Spatial())
	if !layout.ChannelsFirst() {
		last = layout
	}
	order := func(t *tensor.Tensor) *tensor.Tensor { // channels last
		return tensor.Permuted(t, tensor.Permutation(string(layout), string(last)))
	}

	b := newBuilder("unpool", in)
	b.plan.Layout, b.plan.Index, b.plan.Impl = layout, k.Index, "scatter, go"
	b.plan.Validate = func(in []*tensor.Tensor) error { return o.validate(k, in[1], order) }
	result := o.input(in[0])
	y := b.output("y", tensor.Spec{DType: result, Shape: o.OutputShape}, layout)
	compute := result.Real()
	k.DType = compute
	x := b.permuted(b.converted(b.converted(0, result), compute), layout, last)
	at := b.permuted(b.converted(1, tensor.Int64), layout, last)
	dst := y
	if compute != result || layout != last {
		dst = b.temp(compute, tensor.PermutedShape(o.OutputShape, tensor.Permutation(string(layout), string(last)))...)
	}
	b.place(k, dst, x, at)
	b.deliver(y, dst, last, layout)
	return b.finish()
}

// place adds the stages that write values to their targets.
func (b *builder) place(k *poolgrad.Unpool, dst, values, index buf) {
	ranges := b.ranges(k, index)
	b.stage(Stage{Name: "place", Units: k.Units(), Scratch: k.Scratch(false), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			w.Clipped += k.Place(&w.Scratch, bufs[dst], bufs[values], bufs[index], bufs[ranges], lo, hi)
		}})
}

// ranges adds the stage that finds where the targets of values lie.
func (b *builder) ranges(k *poolgrad.Unpool, index buf) buf {
	ranges := b.temp(tensor.Int64, 2*k.Lists())
	b.stage(Stage{Name: "find ranges", Units: k.Lists(), Scratch: k.Scratch(false), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Range(&w.Scratch, bufs[ranges], bufs[index], lo, hi)
		}})
	return ranges
}

// kernel returns the kernel for values of the given extents.
func (o *Unpool) kernel(index pool.Index, values tensor.Extents) *poolgrad.Unpool {
	rules := map[string]poolgrad.Duplicates{"sum": poolgrad.AddUp, "max": poolgrad.LargestWins} // last; after error there are none
	k := &poolgrad.Unpool{Index: index, Duplicates: rules[o.Duplicates], Values: 1}
	for _, n := range values.Spatial {
		k.Values *= n
	}
	return k
}

// validate checks every index before anything is written.
func (o *Unpool) validate(k *poolgrad.Unpool, argmax *tensor.Tensor, order func(*tensor.Tensor) *tensor.Tensor) error {
	if err := validateIndices("unpool", "argmax", &k.Index, argmax, o.IndexRule); err != nil || o.Duplicates != "error" {
		return err
	}
	wide, _ := tensor.Converted(argmax, tensor.Int64)
	ordered := order(wide)
	if first, second, ok := k.FirstDuplicate(ordered); ok {
		return unfit("unpool", "argmax", "values %s and %s (channels last) both go to index %d, want every cell at most once (--duplicates last, sum or max says what becomes of them)",
			place(ordered.Shape, first), place(ordered.Shape, second), tensor.Of[int64](ordered)[second])
	}
	return nil
}

// validateIndices reports the first index that is out of range.
func validateIndices(op, param string, x *pool.Index, argmax *tensor.Tensor, rule string) error {
	i := outside(argmax, x.Limit())
	if i < 0 {
		return nil
	}
	return unfit(op, param, "index %s at %s, want 0 <= index < %d (%s, for batch %d, %d channels, %s cells)",
		display(argmax, i), place(argmax.Shape, i), x.Limit(), rule, x.N, x.Channels, tensor.Join(x.Extent[:], "x"))
}

// outside returns the position of the first index that is not in [0, limit), or
// -1.
func outside(index *tensor.Tensor, limit int) int {
	return outsiders.For(index.DType)(index, limit)
}

var outsiders = tensor.PerInteger(firstOutside[uint8], firstOutside[int8], firstOutside[uint16], firstOutside[int16],
	firstOutside[uint32], firstOutside[int32], firstOutside[uint64], firstOutside[int64])

func firstOutside[T tensor.Integer](index *tensor.Tensor, limit int) int {
	const most = 1 << 10 // compared at once
	list := tensor.Of[T](index)
	for at := 0; at < len(list); at += most {
		var largest uint64 // a negative number is larger than any limit
		for _, v := range list[at:min(at+most, len(list))] {
			largest = max(largest, uint64(v))
		}
		if largest >= uint64(limit) {
			return at + slices.IndexFunc(list[at:], func(v T) bool { return uint64(v) >= uint64(limit) })
		}
	}
	return -1
}

// display formats element i of an integer tensor exactly.
func display(t *tensor.Tensor, i int) string {
	if list, ok := t.Data.([]uint64); ok {
		return fmt.Sprint(list[i])
	}
	wide, _ := tensor.Converted(t, tensor.Int64)
	return fmt.Sprint(tensor.Of[int64](wide)[i])
}

// place formats the coordinates of flat index i: [0,1,2].
func place(shape tensor.Shape, i int) string { return "[" + tensor.Join(shape.Index(i), ",") + "]" }

// GradParams implements Differentiable.
func (o *Unpool) GradParams() []Param { return nil }

// PlanGrad implements Differentiable. The gradient with respect to a value is
// the upstream gradient at the cell where it was placed.
func (o *Unpool) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	forward, err := o.Plan(in[:2], Want{})
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("unpool", in[2], o.OutputShape); err != nil {
		return nil, err
	}
	g := newGradient("unpool", in, &o.format, forward.Layout)
	_, e, err := o.layout("unpool", in[0])
	if err != nil {
		return nil, err
	}
	k := o.kernel(forward.Index, e)
	k.DType = g.dtype
	g.plan.Layout, g.plan.Index, g.plan.Impl = g.layout, forward.Index, "gather, go"
	g.plan.Validate = func(in []*tensor.Tensor) error { return forward.Validate(in[:2]) }
	dx := g.output("dx", in[0].Shape, g.layout)
	x := g.permuted(g.converted(0, g.dtype), g.layout, g.last)
	at := g.permuted(g.converted(1, tensor.Int64), g.layout, g.last)
	dy := g.permuted(g.converted(2, g.dtype), g.layout, g.last)
	dst := dx
	if g.result != g.dtype || g.layout != g.last {
		dst = g.temp(g.dtype, g.last.Join(e)...)
	}
	if k.Duplicates == poolgrad.AddUp {
		g.collect(k, dst, dy, at)
	} else {
		ranges := g.ranges(k, at)
		g.stage(Stage{Name: "gather", Units: k.Units(), Scratch: k.Scratch(true), Work: math.MaxInt,
			Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Gradient(&w.Scratch, bufs[dst], bufs[dy], bufs[x], bufs[at], bufs[ranges], lo, hi)
			}})
	}
	g.deliver(dx, dst, g.last, g.layout)
	return g.finish()
}

// linear reports whether unpooling is linear in its input. It is not if the
// largest of several values is kept.
func (o *Unpool) linear() bool { return o.Duplicates != "max" }

// collect adds the stage that reads what is at the target of every value.
func (b *builder) collect(k *poolgrad.Unpool, dst, src, index buf) {
	b.stage(Stage{Name: "gather", Units: k.Lists(), Scratch: k.Scratch(false), Work: math.MaxInt,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Gather(&w.Scratch, bufs[dst], bufs[src], bufs[index], lo, hi)
		}})
}
