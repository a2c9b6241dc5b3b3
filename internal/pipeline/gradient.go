package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// CompileGradient compiles a pipeline forward and then backward (reverse mode):
// from an upstream gradient in the shape of the last step's output, which a run
// takes after the input, to the gradient of the prepared input. The gradients
// of the output, the filter, the bias and the like are kept for the steps whose
// save lists them. Errors are those of Compile, and a step on the way without a
// gradient.
//
// adjust, unless it is nil, is called with every operation before its gradient
// is planned.
func CompileGradient(file *config.Pipeline, w *Weights, in Input, adjust func(ops.Op) error) (*Graph, error) {
	g, err := planned(file, w, in)
	if err != nil {
		return nil, err
	}
	last := len(g.Nodes) - 1
	input := g.takeInput()
	up := tensor.Spec{DType: g.Output().DType.Averaged(), Shape: g.Output().Shape}
	b := &backward{Graph: g, arriving: make([][]int, len(g.Nodes)), adjust: adjust}
	for _, n := range g.Nodes {
		b.note(n)
	}
	b.arriving[last] = []int{g.program.given(up)}
	g.forward(input)
	var faults Faults
	leads := make([]bool, len(g.Nodes)) // to the last step
	leads[last] = true
	for i := last; i >= 0; i-- {
		n := g.Nodes[i]
		if leads[i] {
			for _, from := range n.From {
				if from >= 0 {
					leads[from] = true
				}
			}
			if err := b.node(n, b.arriving[i]); err != nil {
				faults = append(faults, err)
			}
		} else if s := file.Saved(n.Step.Name); s.Has("grad") || s.Has("grad-heatmap") {
			faults = append(faults, &StepError{s.Place(), n.Step.Name, "", errors.New("got grad, but the last step does not depend on it")})
		}
	}
	if len(faults) > 0 {
		slices.Reverse(faults)
		return nil, faults
	}
	if err := b.input(); err != nil {
		return nil, err
	}
	return g, g.finish()
}

// backward adds the gradients to a graph, from the last step to the first.
type backward struct {
	*Graph
	arriving [][]int // for every node the gradients of its output, a slot for each step that takes it
	toInput  []int   // the same for the input
	adjust   func(ops.Op) error
}

// note makes a step of max or min pooling record its winners, so that its
// gradient need not find them again. Errors of a step are reported when its
// gradient is planned.
func (b *backward) note(n *Node) {
	op, ok := n.Op.(ops.Differentiable)
	if !ok || b.adjust != nil && b.adjust(op) != nil {
		return
	}
	want := n.want(b.File)
	want.Winners = true
	if plan, err := op.Plan(n.in, want); err == nil && plan.Outputs[len(plan.Outputs)-1].Name == "winners" {
		n.Plan, n.noted = plan.Fix(n.constants()...), true
	}
}

// node adds the gradient of a step: of all its main inputs and, where they are
// saved, of its parameters. No gradient arrives when a later step has an error.
func (b *backward) node(n *Node, arriving []int) *StepError {
	if len(arriving) == 0 {
		return nil
	}
	saved := b.File.Saved(n.Step.Name)
	dy, err := b.total(arriving)
	if err != nil {
		return located(n.Step, err)
	}
	op, ok := n.Op.(ops.Differentiable)
	if !ok {
		return &StepError{n.Step.At("op"), n.Step.Name, "op", fmt.Errorf("got %s, which has no gradient", n.Step.Spec.Name)}
	}
	if b.adjust != nil {
		if err := b.adjust(op); err != nil {
			return located(n.Step, err)
		}
	}
	b.keepGradient(saved, dy, n.Plan.Outputs[0].Layout)
	want := ops.WantGrad{Input: true}
	for _, name := range ops.Gradients(op) {
		*want.Of(name) = saved.Has("grad") && n.takes(name)
	}
	slots := append(append([]int{}, n.slots...), dy)
	in := append(append([]tensor.Spec{}, n.in...), b.program.slots[dy].spec)
	if want.Winners = n.noted; n.noted {
		winners := n.out[len(n.out)-1]
		slots, in = append(slots, winners), append(in, b.program.slots[winners].spec)
	}
	plan, err := op.PlanGrad(in, want)
	if err != nil {
		return located(n.Step, err)
	}
	out := b.program.add(plan.Fix(n.constants()...), n, slots)
	for k, from := range n.From {
		if from < 0 {
			b.toInput = append([]int{out[k]}, b.toInput...)
		} else {
			b.arriving[from] = append([]int{out[k]}, b.arriving[from]...)
		}
	}
	for k, o := range plan.Outputs[len(n.From):] { // dfilter, dbias, …
		slot := out[len(n.From)+k]
		b.program.keep(slot)
		b.Saved = append(b.Saved, Saved{Step: n.Step.Name, Kind: o.Name[1:] + "-grad", Layout: o.Layout, slot: slot})
	}
	return nil
}

// input keeps the input's gradient, which is always saved.
func (b *backward) input() error {
	dx, err := b.total(b.toInput)
	if err != nil {
		return err
	}
	saved := b.File.Saved(config.InputName)
	if !saved.Has("grad") {
		saved.Kinds = append([]string{"grad"}, saved.Kinds...)
	}
	b.keepGradient(saved, dx, b.prepared.layout)
	return nil
}

// keepGradient keeps the gradient of a step's output if it is saved.
func (b *backward) keepGradient(saved config.Save, slot int, layout tensor.Layout) {
	for _, kind := range saved.Kinds {
		if kind == "grad" || kind == "grad-heatmap" {
			b.program.keep(slot)
			b.Saved = append(b.Saved, Saved{Step: saved.Step, Kind: kind, Layout: layout, slot: slot})
		}
	}
}

// total returns the sum of the gradients that several steps send back to one
// output. They are added in the order of those steps.
func (b *backward) total(parts []int) (int, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	var specs []tensor.Spec
	sum := new(ops.Add)
	for _, slot := range parts {
		specs = append(specs, b.program.slots[slot].spec)
		sum.DType = max(sum.DType, b.program.slots[slot].spec.DType) // steps of their own dtype have gradients of it
	}
	plan, err := sum.Plan(specs, ops.Want{})
	if err != nil {
		return 0, err
	}
	return b.program.add(plan, nil, parts)[0], nil
}

// takes reports whether a step takes the named tensor beside its main inputs.
func (n *Node) takes(name string) bool {
	for _, o := range n.operands {
		if o.name == name {
			return true
		}
	}
	return false
}
