package ops_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestEveryChoiceIsAsTheReferenceSays runs every operation with every choice of
// every parameter, on every element type, as it comes and by --dtype, and in
// every layout. A choice that no fixture takes fails, and so does an operation or
// a choice that the reference does not have.
func TestEveryChoiceIsAsTheReferenceSays(t *testing.T) {
	for _, spec := range ops.Table {
		t.Run(spec.Name, func(t *testing.T) {
			if references[spec.Name] == nil {
				t.Fatal("no reference")
			}
			taken := taken{}
			for _, f := range slices.Concat(fixtures[spec.Name], choices[spec.Name]) {
				for _, layout := range f.layouts(spec) {
					checkChoices(t, spec, f, layout, taken)
				}
			}
			taken.check(t, spec, spec.New().Params())
		})
	}
}

// taken counts the calls of an operation by parameter and value.
type taken map[string]map[string]int

func (k taken) add(name, value string) {
	if k[name] == nil {
		k[name] = map[string]int{}
	}
	k[name][value]++
}

// addCall counts what an operation is called with.
func (k taken) addCall(op ops.Op) {
	for _, p := range op.Params() {
		switch {
		case !p.Meaningful(wantAll(op)):
		case p.String() == "":
			k.add(p.Name, p.Default)
		default:
			k.add(p.Name, p.String())
		}
	}
}

// check wants every choice that the parameters of the operation have.
func (k taken) check(t *testing.T, spec ops.Spec, params []ops.Param) {
	t.Helper()
	for _, p := range params {
		if apart[p.Name] != "" {
			continue
		}
		words := p.Words()
		if p.Kind.Item == ops.ItemBool {
			words = []string{"false", "true"}
		}
		for _, word := range words {
			spatial := tensor.Layout(word).Spatial()
			if p.Name == "data-format" && (spatial < spec.Rank[0] || spatial > spec.Rank[1]) {
				continue
			}
			if k[p.Name][word] == 0 {
				t.Errorf("%s --%s %s: no fixture takes it", spec.Name, p.Name, word)
			}
		}
	}
}

// layouts are the orders of axes that a fixture can be called in: that of its
// input, channels first, and for pictures that of one without a batch or without
// channels.
func (f fixture) layouts(spec ops.Spec) []tensor.Layout {
	if named := f.values()["data-format"]; named != "" {
		return []tensor.Layout{tensor.Layout(named)}
	}
	last := map[int]tensor.Layout{2: tensor.NC, 3: tensor.NWC, 4: tensor.NHWC, 5: tensor.NDHWC}[len(f.x)]
	list := []tensor.Layout{last}
	if len(f.x) > 2 {
		list = append(list, "NC"+last[1:len(last)-1])
	}
	if values := f.values(); len(f.x) == 4 && values["output-shape"] == "" && values["axis"] == "" && strings.Count(values["paddings"], ":") < 3 {
		list = append(list, tensor.HWC)
		if f.filter == nil && f.bias == nil && f.rest == nil && !hasParam(spec.New(), "axis") {
			list = append(list, tensor.HW)
		}
	}
	return list
}

// in returns the fixture in a layout, and the permutation of its axes.
func (f fixture) in(layout tensor.Layout) (fixture, []int) {
	switch {
	case f.values()["data-format"] != "" || layout == tensor.NC:
		return f, nil
	case layout == tensor.HW || layout == tensor.HWC:
		part := func(x tensor.Shape) tensor.Shape { return x[1 : 1+len(layout)] }
		f.x, f.more = part(f.x), slices.Clone(f.more)
		for i := range f.more {
			f.more[i] = part(f.more[i])
		}
		f.params += " data-format=" + string(layout)
		return f, nil
	case layout.ChannelsFirst():
		perm := tensor.Permutation(string(tensor.ChannelsLast(layout.Spatial())), string(layout))
		f.params = transposed(f.params, perm) + " data-format=" + string(layout)
		return f, perm
	default:
		f.params += " data-format=" + string(layout)
		return f, nil
	}
}

// checkChoices compares a fixture in a layout with the reference.
func checkChoices(t *testing.T, spec ops.Spec, f fixture, layout tensor.Layout, taken taken) {
	t.Helper()
	called, perm := f.in(layout)
	known := map[bool][]grid{} // the reference, by whether there are NaN
	for _, d := range tensor.DTypes() {
		for _, by := range []string{"input", "dtype"} {
			op, from := called.op(t, spec), d
			if by == "dtype" {
				from = tensor.Float32
				if err := ops.Set(op, "dtype", d.String()); err != nil {
					t.Fatal(err)
				}
			}
			in := f.inLayout(layout).tensors(from)
			f.special(in, d)
			if known[d.IsFloat()] == nil {
				known[d.IsFloat()] = f.reference(t, spec, layout, in)
			}
			want := known[d.IsFloat()]
			for i := range in {
				if perm != nil && (i <= len(f.more) || f.values()["argmax"] != "") {
					in[i] = tensor.Permuted(in[i], perm)
				}
			}
			taken.addCall(op)
			var specs []tensor.Spec
			for _, x := range in {
				specs = append(specs, x.Spec)
			}
			p, err := op.Plan(specs, wantAll(op))
			if f.values()["algorithm"] == string(kernel.GEMM) && !hasGEMM() {
				if ops.Field(err) != "algorithm" {
					t.Fatalf("--algorithm gemm without assembly: %v", err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := ops.Run(p, 2, in...)
			if err != nil {
				t.Fatal(err)
			}
			what := fmt.Sprintf("%s by %s %s", called.params, by, d)
			if len(got) != len(want) {
				t.Fatalf("%s: %d outputs, the reference has %d", what, len(got), len(want))
			}
			for i, y := range got {
				if perm != nil && !f.memory {
					y = tensor.Permuted(y, inverse(perm))
				}
				exact := tensor.From(want[i].data, want[i].shape...)
				rounded, _ := tensor.Converted(exact, y.DType)
				if shape := y.Shape; layout[0] == 'H' { // the reference has a batch, and channels
					y, rounded = y.Reshaped(tensor.Shape{y.Len()}), rounded.Reshaped(tensor.Shape{rounded.Len()})
				} else if !shape.Equal(rounded.Shape) {
					t.Fatalf("%s: output %d has shape %s, the reference %s", what, i, shape, rounded.Shape)
				}
				if err := testutil.Equal(y, rounded, tolerance(p, y.DType)); err != nil {
					t.Errorf("%s (%s), output %d: %v", what, p.Impl, i, err)
				}
			}
		}
	}
}

// hasGEMM reports whether there is assembly for --algorithm gemm, which has no
// kernel in plain Go.
func hasGEMM() bool {
	level, _ := kernel.Capped()
	return kerneltest.HasAssembly && level > kernel.Generic
}

// inLayout is the fixture with the shapes that its input has in a layout, but
// for the order of the axes.
func (f fixture) inLayout(layout tensor.Layout) fixture {
	if layout.ChannelsFirst() {
		return f
	}
	turned, _ := f.in(layout)
	return turned
}

// tolerance is how far from the reference an output may be, relative to the
// largest number: several roundings in its type, and Winograd's.
func tolerance(p *ops.Plan, d tensor.DType) float64 {
	if d.IsInteger() {
		return 0
	}
	step := 1.0
	for {
		next, _ := tensor.Converted(tensor.From([]float64{1 + step/2}, 1), d)
		if next.At(0) == 1 {
			break
		}
		step /= 2
	}
	step = max(8*step, 1e-12)
	if isWinograd(p.Impl) {
		step *= winogradErrors
	}
	return step
}

// special puts into the inputs what a choice is about: NaN where --nan says what
// becomes of them, indices that are all different where others are an error.
func (f fixture) special(in []*tensor.Tensor, d tensor.DType) {
	values := f.values()
	if values["nan"] != "" && d.IsFloat() {
		x, _ := tensor.Converted(in[0], tensor.Float64)
		for i := 3; i < x.Len(); i += 29 {
			tensor.Of[float64](x)[i] = math.NaN()
		}
		in[0], _ = tensor.Converted(x, in[0].DType)
	}
	if index, ok := in[len(in)-1].Data.([]int64); ok && values["duplicates"] == "error" {
		for i := range index {
			index[i] = int64(i*7%len(index)) % int64(max(1, len(index)))
		}
	}
}

// reference computes the outputs of a call for the inputs, which have their
// channels last.
func (f fixture) reference(t *testing.T, spec ops.Spec, layout tensor.Layout, in []*tensor.Tensor) []grid {
	t.Helper()
	call := &call{values: map[string]string{}, layout: string(layout), beside: map[string]grid{}}
	last := f.inLayout(layout)
	op := last.op(t, spec)
	if layout.ChannelsFirst() {
		call.layout = string(tensor.ChannelsLast(layout.Spatial()))
	}
	var beside []string
	for _, p := range op.Params() {
		call.values[p.Name] = p.String()
		if p.Kind.File() && p.String() != "" {
			beside = append(beside, p.Name)
		}
	}
	for i, x := range in {
		exact, _ := tensor.Converted(x, tensor.Float64)
		a := grid{x.Shape, tensor.Of[float64](exact)}
		if at := i - 1 - len(f.more); at >= 0 {
			call.beside[beside[at]] = a
			if beside[at] != "argmax" {
				continue
			}
		}
		if layout == tensor.HW || layout == tensor.HWC {
			a.shape = append(slices.Concat([]int{1}, x.Shape), 1)[:4]
		}
		if at := i - 1 - len(f.more); at >= 0 {
			call.beside[beside[at]] = a
			continue
		}
		call.in = append(call.in, a)
	}
	if f.memory && layout.ChannelsFirst() {
		perm := tensor.Permutation(call.layout, string(layout))
		turned := tensor.Permuted(tensor.From(call.in[0].data, call.in[0].shape...), perm)
		call.in[0] = grid{turned.Shape, tensor.Of[float64](turned)}
	}
	if call.values["fractional"] != "" {
		call.sequences = plan(t, op, in).Sequences // which golden tests hold to TensorFlow's
	}
	return references[spec.Name](call)
}

func inverse(perm []int) []int {
	list := make([]int, len(perm))
	for i, axis := range perm {
		list[axis] = i
	}
	return list
}
