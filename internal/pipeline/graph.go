// Package pipeline turns a pipeline file into a computation: it gives every step
// its shapes and its plan, lays all tensors out in one arena, and runs the plans
// one after the other on one team of threads.
//
// A graph is compiled for inputs of one type and shape; everything that can be
// wrong is found then, and how much memory a run takes is known exactly. A
// runner of a graph may run again and again without allocating.
//
// It imports config, ops, imgio (for weights), geom and tensor, and prints
// nothing.
package pipeline

import (
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Graph is a pipeline laid out for inputs of one type and shape.
type Graph struct {
	File  *config.Pipeline
	Input Input
	Nodes []*Node

	prepared *preparation
	weights  *Weights
}

// Node is a step of a graph.
type Node struct {
	Step *config.Step
	Op   ops.Op    // with the layout that the step before gives
	Plan *ops.Plan // of the operation forward
	From []int     // the nodes whose output it takes; -1 is the prepared input

	in      []tensor.Spec // the main inputs, then the tensors beside them
	weights []operand
	output  tensor.Layout
}

// operand is a tensor that a step takes beside its main inputs.
type operand struct {
	name string // the parameter
	file string // resolved; empty for one that is made
	make func() *tensor.Tensor
}

// StepError says which step of a pipeline file an error is about.
type StepError struct {
	Place config.Place
	Step  string
	Err   error
}

func (e *StepError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Place, e.Step, e.Err)
}

// Unwrap returns the cause.
func (e *StepError) Unwrap() error { return e.Err }

// located names the step and the place of the parameter that an error is about.
func located(step *config.Step, err error) error {
	return &StepError{step.At(ops.Field(err)), step.Name, err}
}

// Compile plans every step for an input. Errors are a *StepError, or about the
// input section.
func Compile(file *config.Pipeline, w *Weights, in Input) (*Graph, error) {
	g := &Graph{File: file, Input: in, weights: w}
	layout, err := g.inputLayout()
	if err != nil {
		return nil, err
	}
	if g.prepared, err = prepare(&file.Input, in, layout); err != nil {
		return nil, err
	}
	index := map[string]int{config.InputName: -1}
	for i, step := range file.Steps {
		n := &Node{Step: step}
		for _, name := range step.From {
			n.From = append(n.From, index[name])
		}
		if err := g.plan(n); err != nil {
			return nil, err
		}
		g.Nodes = append(g.Nodes, n)
		index[step.Name] = i
	}
	return g, nil
}

// inputLayout returns the order of the input's axes: what the file says, what
// the first step that takes the input says, or what its rank says.
func (g *Graph) inputLayout() (tensor.Layout, error) {
	if g.File.Input.Layout != "" {
		return g.File.Input.Layout, nil
	}
	for _, step := range g.File.Steps {
		if l := ops.DataFormat(step.Op); l != "" && slices.Contains(step.From, config.InputName) {
			return l, nil
		}
	}
	if g.Input.Picture {
		return tensor.NHWC, nil
	}
	layout, err := tensor.DefaultLayout(len(g.Input.Spec.Shape))
	if err != nil {
		return "", fmt.Errorf("input: %w", err)
	}
	return layout, nil
}

// output returns the type, shape and layout of a node's output.
func (g *Graph) output(node int) (tensor.Spec, tensor.Layout) {
	if node < 0 {
		return g.prepared.spec, g.prepared.layout
	}
	n := g.Nodes[node]
	return n.Plan.Outputs[0].Spec, n.output
}

// plan plans one step on the outputs of the steps before it.
func (g *Graph) plan(n *Node) error {
	step := n.Step
	var layout tensor.Layout
	for _, from := range n.From {
		spec, l := g.output(from)
		if layout == "" {
			layout = l
		}
		n.in = append(n.in, spec)
	}
	var err error
	if n.Op, err = instance(step, layout); err != nil {
		return located(step, err)
	}
	others, err := n.Op.Inputs(n.in[0])
	if err != nil {
		return located(step, err)
	}
	for _, other := range others {
		o := operand{name: other.Name, make: other.Make}
		spec := other.Spec
		if o.make == nil {
			o.file = g.File.Resolve(other.Source)
			if spec, err = g.weights.Spec(o.file); err != nil {
				return &StepError{step.At(other.Name), step.Name, fmt.Errorf("%s: %w", other.Name, err)}
			}
		}
		n.weights, n.in = append(n.weights, o), append(n.in, spec)
	}
	saved := g.File.Saved(step.Name)
	n.Plan, err = n.Op.Plan(n.in, ops.Want{Argmax: saved.Has("argmax")})
	if err != nil {
		return located(step, err)
	}
	n.output = n.Plan.Outputs[0].Layout
	return nil
}

// instance returns a step's operation for an input in the given layout. The
// step keeps its own, which other graphs use.
func instance(step *config.Step, layout tensor.Layout) (ops.Op, error) {
	op := step.Spec.New()
	fresh := config.StepParams(op)
	for i, p := range config.StepParams(step.Op) {
		if text := p.String(); text != fresh[i].String() {
			if err := fresh[i].Set(text); err != nil {
				return nil, err
			}
		}
	}
	given := ops.DataFormat(op)
	switch {
	case given == "" && slices.Contains(tensor.LayoutNames(), string(layout)):
		for _, p := range fresh {
			if p.Name == "data-format" {
				return op, p.Set(string(layout))
			}
		}
	case given != "" && layout != "" && given != layout:
		return nil, &ops.UsageError{Op: step.Spec.Name, Err: fmt.Errorf("data-format: got %s, want %s, which its input has", given, layout)}
	}
	return op, nil
}
