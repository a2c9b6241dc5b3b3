package ops

import (
	"fmt"
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

var padSpec = Spec{
	Name:    "pad",
	TF:      "tf.pad (edge, wrap: torch.nn.functional.pad replicate, circular; ONNX Pad)",
	Summary: "add cells around a tensor: a value, mirrored, repeated or wrapped; or crop it",
	Doc: `Adds cells before and after along some axes, or takes cells away where a number is negative. --paddings has pairs lo:hi: one for all spatial dimensions, one for each of them, or one for each axis of the tensor in memory order, as in tf.pad. Two axes are one grey picture (H, W). Any type, which is kept.

--mode says what the new cells hold:

    constant   --value:               v v | a b c | v v
    reflect    mirrored at the edge:  c b | a b c | b a
    symmetric  the edge too:          b a | a b c | c b
    edge       the edge repeated:     a a | a b c | c c
    wrap       from the other end:    b c | a b c | a b

More new cells than cells go on: reflect and symmetric mirror again and again, wrap goes round again and again, as in numpy.pad. reflect of one cell repeats it. PyTorch calls edge replicate and wrap circular. --paddings -1:2 takes one cell away and adds two; what is taken away is gone before new cells copy others, as in ONNX Pad. The gradient with respect to a cell is the sum of the upstream gradient over the cell and its copies, and 0 for a cell that was taken away.`,
	Rank: oneTensor, Space: true,
	Examples: []Example{
		{"mirror the border before a filter", "poolctl pad samples/chelsea.png --paddings 8:8 --mode reflect -o padded.png"},
		{"every axis, as tf.pad", "poolctl pad samples/input_10x9x9x3.npy --paddings 0:0,1:2,3:4,0:1 --value -1 -o y.npy"},
		{"a seamless texture", "poolctl pad samples/chelsea.png --paddings 100:100 --mode wrap -o tiled.png"},
		{"crop ten rows and twenty columns on each side", "poolctl pad samples/chelsea.png --paddings -10:-10,-20:-20 -o cropped.png"},
	},
	New: func() Op { return defaults(new(Pad)) },
}

// Pad adds cells around a tensor, or takes some away.
type Pad struct {
	format
	Paddings [][2]int
	Mode     string
	Value    number
}

// padModes are the names by layer.PadMode.
var padModes = []string{"constant", "reflect", "symmetric", "edge", "wrap"}

// Params implements Op.
func (o *Pad) Params() []Param {
	paddings := pairsParam("paddings", &o.Paddings, "cells before and after as lo:hi, negative to crop: one pair for all spatial dimensions, one for each, or one for each axis")
	paddings.Required = true
	return append([]Param{paddings,
		choiceParam("mode", &o.Mode, padModes, padModes[0], "what the new cells hold"),
		realParam("value", &o.Value, 0, "value of new cells (constant only)", nil),
	}, o.format.params()...)
}

// Check implements Op.
func (o *Pad) Check() error {
	switch {
	case o.Paddings == nil:
		return usage("pad", "paddings", "missing, want pairs lo:hi")
	case o.Value.given && o.Value.value != 0 && o.Mode != padModes[0]:
		return usage("pad", "value", "only applies with --mode constant")
	}
	return nil
}

// Inputs implements Op.
func (o *Pad) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// lay returns the layout and the kernel, with the padding of every axis checked
// against the input.
func (o *Pad) lay(x tensor.Spec) (tensor.Layout, *layer.Pad, error) {
	if err := o.Check(); err != nil {
		return "", nil, err
	}
	layout, err := o.spatialLayer("pad", x)
	if err != nil {
		return "", nil, err
	}
	pads, err := o.pads(layout)
	if err != nil {
		return "", nil, err
	}
	var out tensor.Shape
	for axis, n := range x.Shape {
		lo, hi := pads[axis][0], pads[axis][1]
		switch kept := n + min(0, lo) + min(0, hi); {
		case kept < 0:
			return "", nil, unfit("pad", "paddings", "got %d:%d along axis %d of %d cells, want at most %d taken away", lo, hi, axis, n, n)
		case kept == 0 && max(lo, hi) > 0 && o.Mode != padModes[layer.PadConstant]:
			return "", nil, unfit("pad", "paddings", "got %d:%d along axis %d of %d cells, want a cell left to copy with --mode %s", lo, hi, axis, n, o.Mode)
		}
		out = append(out, lo+n+hi)
	}
	if _, err := (tensor.Spec{DType: tensor.Float64, Shape: out}).Bytes(); err != nil {
		return "", nil, &DataError{"pad", fmt.Errorf("output: %w", err)}
	}
	for i, mode := range padModes {
		if mode == o.Mode {
			return layout, layer.NewPad(x.Shape, pads, layer.PadMode(i)), nil
		}
	}
	panic("ops: no pad mode " + o.Mode)
}

// pads returns the padding of every axis.
func (o *Pad) pads(layout tensor.Layout) ([][2]int, error) {
	rank, spatial := layout.Rank(), layout.Spatial()
	list := make([][2]int, rank)
	switch n := len(o.Paddings); {
	case n == rank:
		copy(list, o.Paddings)
	case spatial > 0 && (n == spatial || n == 1):
		next := 0
		for i := range layout {
			if layout.IsSpatial(i) {
				list[i] = o.Paddings[min(next, n-1)]
				next++
			}
		}
	case spatial == 0:
		return nil, unfit("pad", "paddings", "got %d pairs in %s, want %d (%s)", n, pairsText(o.Paddings), rank, layout)
	default:
		return nil, unfit("pad", "paddings", "got %d pairs in %s, want 1, %d (the spatial dimensions) or %d (%s)", n, pairsText(o.Paddings), spatial, rank, layout)
	}
	return list, nil
}

// ReceptiveField implements Receptive. A cell sees itself. New cells that copy
// others see cells farther away, so that there is no field.
func (o *Pad) ReceptiveField(p *Plan) []geom.Field {
	pads, err := o.pads(p.Layout)
	if err != nil {
		return nil
	}
	list := make([]geom.Field, 0, len(pads))
	for i, pad := range pads {
		if !p.Layout.IsSpatial(i) {
			continue
		}
		if o.Mode != padModes[layer.PadConstant] && max(pad[0], pad[1]) > 0 {
			return nil
		}
		f := geom.OneCell
		f.Start = -float64(pad[0])
		list = append(list, f)
	}
	return list
}

// Plan implements Op.
func (o *Pad) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	layout, k, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	d := o.input(in[0])
	value, err := o.constant(d)
	if err != nil {
		return nil, err
	}
	b := newBuilder("pad", in)
	b.plan.Layout, b.plan.Impl = layout, "rows, go"
	y := b.output("y", tensor.Spec{DType: d, Shape: k.Out}, layout)
	b.computed(y, b.converted(0, d), d, func(dst, src buf) {
		b.stage(Stage{Name: "pad", Units: k.Units(false), Work: multiplyAdds(k.Out...),
			Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
				k.Run(bufs[dst], bufs[src], value, lo, hi)
			}})
	})
	return b.finish()
}

// constant returns the value of new cells in their element type.
func (o *Pad) constant(d tensor.DType) (*tensor.Tensor, error) {
	value, clipped := tensor.Converted(tensor.From([]float64{o.Value.value}, 1), d)
	if d.IsInteger() && (clipped > 0 || o.Value.value != math.Trunc(o.Value.value)) {
		return nil, unfit("pad", "value", "got %g, want a whole number that %s holds", o.Value.value, d)
	}
	return value, nil
}

// GradParams implements Differentiable.
func (o *Pad) GradParams() []Param { return nil }

// PlanGrad implements Differentiable.
func (o *Pad) PlanGrad(in []tensor.Spec, _ WantGrad) (*Plan, error) {
	layout, k, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	if err := checkUpstream("pad", in[1], k.Out); err != nil {
		return nil, err
	}
	g := newGradient("pad", in, &o.format, layout)
	g.plan.Layout, g.plan.Impl = layout, "rows, go"
	g.unread(0, 1)
	dx := g.output("dx", in[0].Shape, layout)
	dy := g.permuted(g.converted(1, g.dtype), g.layout, g.last) // so that sums have the same order in every layout
	dst := dx
	if g.layout != g.last {
		perm := tensor.Permutation(string(g.layout), string(g.last))
		pads := make([][2]int, len(perm))
		for i, axis := range perm {
			pads[i] = k.Pads[axis]
		}
		k = layer.NewPad(tensor.PermutedShape(k.In, perm), pads, k.Mode)
	}
	if g.layout != g.last || g.result != g.dtype {
		dst = g.temp(g.dtype, k.In...)
	}
	g.stage(Stage{Name: "gradient", Units: k.Units(true), Scratch: k.Scratch(), Work: multiplyAdds(k.Out...),
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			k.Gradient(&w.Scratch, bufs[dst], bufs[dy], lo, hi)
		}})
	g.deliver(dx, dst, g.last, g.layout)
	return g.finish()
}

// linear reports whether padding is linear in its input.
func (o *Pad) linear() bool { return o.Value.value == 0 }
