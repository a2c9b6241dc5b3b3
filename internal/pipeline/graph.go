package pipeline

import (
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Graph is a pipeline laid out for inputs of one type and shape.
type Graph struct {
	File  *config.Pipeline
	Input Input
	Nodes []*Node // one a step, in the file's order
	Saved []Saved // in the file's order

	prepared *preparation
	source   int // the slot of the prepared input
	weights  *Weights
	program  program
}

// Node is a step of a graph.
type Node struct {
	Step *config.Step
	Op   ops.Op    // with the layout that the step before gives
	Plan *ops.Plan // of the operation forward
	From []int     // the nodes whose output it takes; -1 is the prepared input
	Runs bool      // something that is saved depends on its output

	Field *Field // nil where it has none
	noted bool   // the plan's last output is what the gradient takes: see ops.Want

	in       []tensor.Spec // the main inputs, then the tensors beside them
	operands []operand
	slots    []int // of the inputs
	out      []int // slots of the outputs
}

// Saved is a tensor that is to be written.
type Saved struct {
	Step   string        // or config.InputName
	Kind   string        // one of config.SaveKinds, or filter-grad, bias-grad and the like
	Layout tensor.Layout // empty for a tensor without one
	Plan   *ops.Plan     // of the step; nil for the input
	slot   int
}

// Compile plans every step for an input. Its error is about the input itself,
// or a Faults with every error in the steps; a step after a faulty one is not
// checked.
func Compile(file *config.Pipeline, w *Weights, in Input) (*Graph, error) {
	g, err := planned(file, w, in)
	if err != nil {
		return nil, err
	}
	g.forward(g.takeInput())
	for _, s := range Products(file) {
		g.save(s.Step, s.Kind)
	}
	if len(g.Saved) == 0 { // the file saves gradients only: compute the last output
		g.program.keep(g.outputSlot(len(g.Nodes) - 1))
	}
	return g, g.finish()
}

// planned returns a graph whose nodes are planned, but not laid out.
func planned(file *config.Pipeline, w *Weights, in Input) (*Graph, error) {
	g := &Graph{File: file, Input: in, weights: w}
	layout, _, err := g.inputLayout()
	if err != nil {
		return nil, err
	}
	if g.prepared, err = prepare(&file.Input, in, layout); err != nil {
		return nil, err
	}
	var faults Faults
	for _, step := range file.Steps {
		n := &Node{Step: step}
		for _, name := range step.From {
			n.From = append(n.From, g.index(name))
		}
		if err := g.plan(n); err != nil {
			faults = append(faults, err)
		}
		g.Nodes = append(g.Nodes, n)
	}
	if len(faults) > 0 {
		return nil, faults
	}
	g.fields()
	return g, nil
}

// index returns the node of that name; -1 for the input.
func (g *Graph) index(name string) int {
	return slices.IndexFunc(g.Nodes, func(n *Node) bool { return n.Step.Name == name })
}

// inputLayout returns the order of the input's axes: the file's, else that of
// the first step that takes the input, else the one for its rank. guessed
// reports whether only the rank decided.
func (g *Graph) inputLayout() (layout tensor.Layout, guessed bool, err error) {
	if g.File.Input.Layout != "" {
		return g.File.Input.Layout, false, nil
	}
	for _, step := range g.File.Steps {
		if l := ops.DataFormat(step.Op); l != "" && slices.Contains(step.From, config.InputName) {
			return l, false, nil
		}
	}
	if g.Input.Picture {
		return tensor.NHWC, false, nil
	}
	if len(g.Input.Spec.Shape) == tensor.NC.Rank() && g.takesVectors() {
		return tensor.NC, true, nil
	}
	layout, err = tensor.DefaultLayout(len(g.Input.Spec.Shape))
	if err != nil {
		return "", false, fmt.Errorf("input: %w", err)
	}
	return layout, true, nil
}

// Layout returns the order of the input's axes. guessed reports whether neither
// the file nor a step named it and the input is an array, so that only its rank
// decided.
func (g *Graph) Layout() (layout tensor.Layout, guessed bool) {
	layout, guessed, _ = g.inputLayout() // failed already when the graph was planned
	return layout, guessed
}

// takesVectors reports whether no step lays anything over space: then two axes
// are a batch of vectors, not a grey picture.
func (g *Graph) takesVectors() bool {
	return !slices.ContainsFunc(g.File.Steps, func(s *config.Step) bool { return !s.Spec.Layer() || s.Spec.Space })
}

// output returns the type, shape and layout of a node's output; ok is false when
// it could not be planned.
func (g *Graph) output(node int) (spec tensor.Spec, layout tensor.Layout, ok bool) {
	if node < 0 {
		return g.prepared.spec, g.prepared.layout, true
	}
	n := g.Nodes[node]
	if n.Plan == nil {
		return tensor.Spec{}, "", false
	}
	return n.Plan.Outputs[0].Spec, n.Plan.Outputs[0].Layout, true
}

// plan plans one step on the outputs of the steps before it. It skips a step
// after a faulty one.
func (g *Graph) plan(n *Node) *StepError {
	step := n.Step
	var layout tensor.Layout
	for _, from := range n.From {
		spec, l, ok := g.output(from)
		if !ok {
			return nil
		}
		if layout == "" {
			layout = l
		}
		n.in = append(n.in, spec)
	}
	if layout == tensor.NC && !step.Spec.Layer() {
		return &StepError{step.At("op"), step.Name, "op", fmt.Errorf("got %s, which lays windows, on vectors of shape %s, want a step before flatten", step.Spec.Name, n.in[0].Shape)}
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
		o := operand{step: step, name: other.Name, make: other.Make}
		spec := other.Spec
		if o.make == nil {
			o.file = g.File.Resolve(other.Source)
			o.key = o.file
			if spec, err = g.weights.spec(o.file); err != nil {
				return &StepError{step.At(other.Name), step.Name, other.Name, other.NotFound(step.Spec.Name, err)}
			}
		} else {
			o.key = fmt.Sprintf("%s: %s: %s", step.Name, o.name, spec)
		}
		n.operands, n.in = append(n.operands, o), append(n.in, spec)
	}
	plan, err := n.Op.Plan(n.in, n.want(g.File))
	if err != nil {
		return located(step, err)
	}
	n.Plan = plan.Fix(n.constants()...)
	return nil
}

// want returns the outputs that a step's plan needs beside the result.
func (n *Node) want(file *config.Pipeline) ops.Want {
	saved := file.Saved(n.Step.Name)
	return ops.Want{Argmax: saved.Has("argmax") || saved.Has("argmax-png")}
}

// constants are the inputs that are the same in every run.
func (n *Node) constants() []int {
	list := make([]int, len(n.operands))
	for i := range list {
		list[i] = len(n.From) + i
	}
	return list
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
		return nil, &ops.UsageError{Op: step.Spec.Name, Err: &geom.Error{Field: "data-format", Problem: fmt.Sprintf("got %s, want %s, which its input has", given, layout)}}
	}
	return op, nil
}

// takeInput adds the input to the program.
func (g *Graph) takeInput() int {
	if g.prepared.plan == nil {
		return g.program.given(g.prepared.spec)
	}
	return g.program.given(g.Input.Spec)
}

// forward adds the plans of the nodes to the program.
func (g *Graph) forward(input int) {
	g.source = input
	if g.prepared.plan != nil {
		g.source = g.program.add(g.prepared.plan, nil, []int{input})[0]
	}
	for _, n := range g.Nodes {
		for _, from := range n.From {
			n.slots = append(n.slots, g.outputSlot(from))
		}
		for i := range n.operands {
			n.slots = append(n.slots, g.program.constant(&n.operands[i], n.in[len(n.From)+i]))
		}
		n.out = g.program.add(n.Plan, n, n.slots)
	}
}

// finish lays the program out and determines which nodes run.
func (g *Graph) finish() error {
	if err := g.program.finish(); err != nil {
		return fmt.Errorf("%s: %w", g.File.File, err)
	}
	for _, t := range g.program.tasks {
		if t.node != nil && t.plan == t.node.Plan {
			t.node.Runs = true
		}
	}
	return nil
}

// outputSlot returns the slot of a node's output.
func (g *Graph) outputSlot(node int) int {
	if node < 0 {
		return g.source
	}
	return g.Nodes[node].out[0]
}

// save keeps a tensor of a step.
func (g *Graph) save(step, kind string) {
	node := g.index(step)
	s := Saved{Step: step, Kind: kind, Layout: g.prepared.layout, slot: g.source}
	if node >= 0 {
		n, which := g.Nodes[node], 0
		if kind == "argmax" || kind == "argmax-png" {
			which = 1
		}
		s.Plan, s.Layout, s.slot = n.Plan, n.Plan.Outputs[which].Layout, n.out[which]
	}
	g.program.keep(s.slot)
	g.Saved = append(g.Saved, s)
}

// Ext returns the end of the saved file's name, after the step's name.
func (s Saved) Ext() string {
	switch s.Kind {
	case "npy", "png":
		return "." + s.Kind
	case "argmax-png":
		return ".argmax.png"
	case "heatmap":
		return ".heatmap.png"
	case "grad-heatmap":
		return ".grad.heatmap.png"
	default:
		return "." + s.Kind + ".npy"
	}
}

// Prepared returns the prepared input, which the first steps take after the
// input section.
func (g *Graph) Prepared() (tensor.Spec, tensor.Layout) { return g.prepared.spec, g.prepared.layout }

// Output returns the last step's output.
func (g *Graph) Output() ops.Output { return g.Nodes[len(g.Nodes)-1].Plan.Outputs[0] }

// Spec returns the type and shape of a saved tensor.
func (g *Graph) Spec(s Saved) tensor.Spec { return g.program.slots[s.slot].spec }

// Upstream returns the type and shape of the upstream gradient that a graph of
// CompileGradient takes.
func (g *Graph) Upstream() tensor.Spec { return g.program.slots[1].spec }

// Backward reports whether the graph is one of CompileGradient.
func (g *Graph) Backward() bool { return g.program.inputs() > 1 }

// Memory returns the memory for running the graph with the given number of
// threads.
func (g *Graph) Memory(threads int) Memory {
	return g.program.memory(threads)
}
