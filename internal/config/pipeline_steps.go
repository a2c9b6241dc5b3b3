package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// StepName is the pattern of step names, which become names of files.
const StepName = `^[A-Za-z0-9_][A-Za-z0-9_.-]*$`

var stepName = regexp.MustCompile(StepName)

// pipeline reads the whole file.
func (w *walker) pipeline(root *yaml.Node) *Pipeline {
	p := &Pipeline{File: w.file}
	found := w.fields(root, "", []string{"version", "input", "steps", "save"})
	switch version, ok := found["version"]; {
	case !ok:
		w.fault(root, "version", "missing, want 1")
	case !plain(version.value, wholeText) || version.value.Value != "1":
		w.fault(version.value, "version", "got %s, want 1", was(version.value))
	}
	if input, ok := found["input"]; ok {
		w.input(input.value, &p.Input)
	}
	steps, ok := found["steps"]
	switch {
	case !ok:
		w.fault(root, "steps", "missing, want a list of steps")
	case steps.value.Kind != yaml.SequenceNode:
		w.fault(steps.value, "steps", "got %s, want a list of steps", was(steps.value))
	case len(steps.value.Content) == 0:
		w.fault(steps.value, "steps", "got an empty list, want at least one step")
	case len(steps.value.Content) > MaxPipelineSteps:
		w.fault(steps.value, "steps", "got %d steps, want at most %d", len(steps.value.Content), MaxPipelineSteps)
	default:
		w.steps(steps.value, p)
	}
	if save, ok := found["save"]; ok {
		w.save(save.value, p)
	}
	return p
}

// steps reads the list of steps.
func (w *walker) steps(list *yaml.Node, p *Pipeline) {
	s := &stepWalker{walker: w, lines: map[string]int{}}
	for _, n := range list.Content { // all names first, to tell a step that comes too late from one that does not exist
		for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == "name" && n.Content[i+1].Kind == yaml.ScalarNode {
				s.all = append(s.all, n.Content[i+1].Value)
			}
		}
	}
	for i, n := range list.Content {
		if n.Kind != yaml.MappingNode {
			w.fault(n, fmt.Sprintf("step %d", i+1), "got %s, want a mapping with name and op", was(n))
			continue
		}
		step := s.step(n, i)
		p.Steps = append(p.Steps, step)
		if step.Name != "" {
			s.before = append(s.before, step.Name)
		}
	}
}

// stepWalker reads steps one after another.
type stepWalker struct {
	*walker
	all    []string       // the names of all steps
	before []string       // the names so far, in order
	lines  map[string]int // of each name in lower case, because file systems may ignore case
}

// step reads one step. Its parameters are set as by flags, and the operation
// checks them.
func (s *stepWalker) step(n *yaml.Node, index int) *Step {
	step := &Step{place: s.at(n), places: map[string]Place{}}
	within := fmt.Sprintf("step %d", index+1)
	spec, known := s.operation(n, within)
	keys := []string{"name", "op", "from"}
	if known {
		step.Spec, step.Op = spec, spec.New()
		for _, p := range StepParams(step.Op) {
			keys = append(keys, p.Name)
		}
	}
	if named := find(n, "name"); named != nil {
		if text, ok := s.name(named, join(within, "name")); ok && s.take(text, named, within) {
			step.Name, within = text, text
		}
	} else {
		s.fault(n, join(within, "name"), "missing, want a name for the step")
	}
	if !known { // then its keys are not known either
		return step
	}
	faults := s.count
	found := s.fields(n, within, keys)
	for _, p := range StepParams(step.Op) {
		if f, ok := found[p.Name]; ok {
			step.places[p.Name] = s.at(f.value)
			s.set(p, f.value, join(within, p.Name))
		}
	}
	if s.count == faults {
		if err := step.Op.Check(); err != nil {
			place := step.At(ops.Field(err))
			key := within
			if field := ops.Field(err); field != "" {
				key = join(within, field)
			}
			s.add(place, key, func() string { return Problem(err) })
		}
	}
	s.from(step, found, within)
	return step
}

// StepParams returns the parameters that are keys of a step: those of the
// operation and, for grad run, those of its gradient. Tensors that replace the
// upstream gradient are left out: a pipeline computes its own.
func StepParams(op ops.Op) []ops.Param {
	params := op.Params()
	if d, ok := op.(ops.Differentiable); ok {
		for _, p := range d.GradParams() {
			if !p.Kind.File() {
				params = append(params, p)
			}
		}
	}
	return params
}

// find returns the value of a key of a mapping.
func find(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Kind == yaml.ScalarNode && n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// operation reads the operation of a step.
func (s *stepWalker) operation(n *yaml.Node, within string) (ops.Spec, bool) {
	op := find(n, "op")
	var names []string
	for _, spec := range ops.Table {
		names = append(names, spec.Name)
	}
	switch {
	case op == nil:
		s.fault(n, join(within, "op"), "missing, want one of %s", strings.Join(names, ", "))
	case !isText(op):
		s.fault(op, join(within, "op"), "got %s, want one of %s", was(op), strings.Join(names, ", "))
	default:
		spec, err := ops.Lookup(op.Value)
		if err == nil {
			return spec, true
		}
		s.unknownValue(op, join(within, "op"), names)
	}
	return ops.Spec{}, false
}

// take reads the name of a step, which must be unique.
func (s *stepWalker) take(name string, n *yaml.Node, within string) bool {
	key := join(within, "name")
	folded := strings.ToLower(name)
	line, taken := s.lines[folded]
	switch {
	case !stepName.MatchString(name):
		s.fault(n, key, "got %q, want letters, digits, _, . and -, the first a letter, a digit or _", name)
	case len(name) > 100:
		s.fault(n, key, "got a name of %d bytes, want at most 100", len(name))
	case name == InputName:
		s.fault(n, key, "got %q, which is the pipeline's own input, want another name", name)
	case taken:
		s.fault(n, key, "got %q, which the step in line %d is called already (case does not matter), want another name", name, line)
	default:
		s.lines[folded] = n.Line
		return true
	}
	return false
}

// from reads the inputs of a step, by default the step before it.
func (s *stepWalker) from(step *Step, found map[string]field, within string) {
	key := join(within, "from")
	f, given := found["from"]
	if !given {
		step.From = []string{InputName}
		if len(s.before) > 0 {
			step.From[0] = s.before[len(s.before)-1]
		}
		if step.Spec.Several {
			s.add(step.place, key, func() string {
				return "missing, want a list of two or more steps: " + step.Spec.Name + " takes several inputs"
			})
		}
		return
	}
	step.places["from"] = s.at(f.value)
	if f.value.Kind == yaml.MappingNode {
		s.refused(f.value, key, "the name of a step, or a list of names")
		return
	}
	list := items(f.value)
	for _, n := range list {
		name, ok := s.name(n, key)
		switch {
		case !ok:
		case name == InputName || slices.Contains(s.before, name):
			step.From = append(step.From, name)
		case name == step.Name:
			s.fault(n, key, "got %q, the step itself, want a step before it", name)
		case slices.Contains(s.all, name):
			s.fault(n, key, "got %q, which comes later, want a step before this one", name)
		default:
			s.unknown(n, key, "step", name, append([]string{InputName}, s.before...))
		}
	}
	switch {
	case step.Spec.Several && len(list) < 2:
		s.fault(f.value, key, "got %d steps, want two or more: %s takes several inputs", len(list), step.Spec.Name)
	case !step.Spec.Several && len(list) != 1:
		s.fault(f.value, key, "got %d steps, want one: %s takes one input", len(list), step.Spec.Name)
	}
}

// save reads what is saved of which step.
func (w *walker) save(n *yaml.Node, p *Pipeline) {
	if n.Kind != yaml.MappingNode {
		w.fault(n, "save", "got %s, want steps with lists, such as pool1: [npy, png]", was(n))
		return
	}
	known := []string{InputName}
	steps := map[string]*Step{}
	for _, s := range p.Steps {
		if s.Name != "" {
			known, steps[s.Name] = append(known, s.Name), s
		}
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, ok := w.key(n.Content[i], "save")
		key := join("save", name)
		switch line, twice := seen[name]; {
		case !ok:
		case !slices.Contains(known, name):
			w.unknown(n.Content[i], "save", "step", name, known)
		case twice:
			w.fault(n.Content[i], key, "given twice, first in line %d", line)
		default:
			seen[name] = n.Content[i].Line
			p.Save = append(p.Save, w.kinds(n.Content[i+1], key, name, steps[name]))
		}
	}
}

// kinds reads what is saved of one step; step is nil for the input.
func (w *walker) kinds(n *yaml.Node, key, name string, step *Step) Save {
	save := Save{Step: name, place: w.at(n)}
	if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode && len(n.Content) == 0 {
		w.fault(n, key, "got %s, want a list of %s", was(n), strings.Join(SaveKinds, ", "))
		return save
	}
	for _, item := range items(n) {
		kind := item.Value
		if kind == "gradient" {
			kind = "grad"
		}
		switch {
		case item.Kind != yaml.ScalarNode || plain(item, nullText):
			w.refused(item, key, "one of "+strings.Join(SaveKinds, ", "))
		case !slices.Contains(SaveKinds, kind):
			w.unknownValue(item, key, SaveKinds)
		case save.Has(kind):
			w.fault(item, key, "got %s twice, want it once", kind)
		case (kind == "argmax" || kind == "argmax-png") && (step == nil || !step.Spec.Argmax):
			w.fault(item, key, "got %s, but %s has no argmax", kind, name)
		default:
			save.Kinds = append(save.Kinds, kind)
		}
	}
	return save
}

// input reads the input section.
func (w *walker) input(n *yaml.Node, in *Prepare) {
	in.places = map[string]Place{}
	known := []string{"layout", "dtype", "resize", "crop", "scale", "offset"}
	if n.Kind != yaml.MappingNode {
		w.fault(n, "input", "got %s, want some of %s", was(n), strings.Join(known, ", "))
		return
	}
	found := w.fields(n, "input", known)
	for key, f := range found {
		in.places[key] = w.at(f.value)
	}
	if f, ok := found["layout"]; ok {
		in.Layout = w.layout(f.value, "input: layout")
	}
	if f, ok := found["dtype"]; ok {
		if word, ok := w.word(f.value, "input: dtype", tensor.DTypeNames()); ok {
			in.DType, _ = tensor.ParseDType(word)
		}
	}
	if f, ok := found["resize"]; ok {
		in.Resize = w.resize(f.value)
	}
	if f, ok := found["crop"]; ok {
		in.Crop = w.crop(f.value)
	}
	if f, ok := found["scale"]; ok {
		in.Scale = w.numbers(f.value, "input: scale")
	}
	if f, ok := found["offset"]; ok {
		in.Offset = w.numbers(f.value, "input: offset")
	}
}

func (w *walker) resize(n *yaml.Node) *Resize {
	const key = "input: resize"
	if n.Kind != yaml.MappingNode {
		w.refused(n, key, "size and filter, such as {size: [224, 224], filter: bilinear}")
		return nil
	}
	r := &Resize{}
	found := w.fields(n, key, []string{"size", "filter"})
	if f, ok := found["size"]; ok {
		r.Size = w.integers(f.value, join(key, "size"), 1, 2)
	} else {
		w.fault(n, join(key, "size"), "missing, want height and width, such as [224, 224]")
	}
	if f, ok := found["filter"]; ok {
		r.Filter, _ = w.word(f.value, join(key, "filter"), ResizeFilters)
	} else {
		w.fault(n, join(key, "filter"), "missing, want one of %s", strings.Join(ResizeFilters, ", "))
	}
	return r
}

func (w *walker) crop(n *yaml.Node) *Crop {
	const key = "input: crop"
	if n.Kind != yaml.MappingNode {
		w.refused(n, key, "size and, unless it is the middle, at, such as {size: [224, 224], at: [0, 0]}")
		return nil
	}
	c := &Crop{}
	found := w.fields(n, key, []string{"size", "at"})
	if f, ok := found["size"]; ok {
		c.Size = w.integers(f.value, join(key, "size"), 1, 2)
	} else {
		w.fault(n, join(key, "size"), "missing, want height and width, such as [224, 224]")
	}
	if f, ok := found["at"]; ok {
		c.At = w.integers(f.value, join(key, "at"), 0, 2)
	}
	return c
}
