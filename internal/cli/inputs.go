package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// inputs are the opened tensors of an operation: headers first, data by read.
type inputs struct {
	list []input
}

// input is one tensor that an operation takes: from a file or generated.
type input struct {
	name    string
	spec    tensor.Spec // as the operation sees it
	source  *imgio.Source
	perm    []int // of the file's axes, for a picture asked for in another layout
	produce func() *tensor.Tensor
}

// openInputs opens the main inputs and the other tensors of the operation of that
// name.
func (a *app) openInputs(name string, op ops.Op, names []string, noOrient bool) (_ *inputs, err error) {
	in := &inputs{}
	defer func() {
		if err != nil {
			in.close()
		}
	}()
	options := a.files(noOrient, ops.ElementType(op))
	for i, file := range names {
		main, err := openInput(file, options)
		if err != nil {
			return nil, err
		}
		in.list = append(in.list, main)
		if main.source.Info.Picture {
			if err := in.list[i].arrange(op); err != nil {
				return nil, err
			}
		}
	}
	others, err := op.Inputs(in.list[0].spec)
	if err != nil {
		return nil, err
	}
	for _, other := range others {
		if other.Make != nil {
			in.list = append(in.list, input{name: other.Source, spec: other.Spec, produce: other.Make})
			continue
		}
		next, err := openInput(other.Source, options)
		if err != nil {
			return nil, other.NotFound(name, err)
		}
		in.list = append(in.list, next)
	}
	return in, nil
}

// files says how files are opened; raw is the type of raw bytes.
func (a *app) files(noOrient bool, raw tensor.DType) imgio.Options {
	return imgio.Options{Stdin: a.in, NoOrient: noOrient, Raw: raw, MaxPixels: a.MaxPixels, MaxSide: a.MaxSide, MaxMemory: int(a.MaxMemory)}
}

// rawFlag adds --dtype to a command that shows files as they are.
func rawFlag(flags *pflag.FlagSet, raw *tensor.DType) {
	flags.Var((*rawValue)(raw), "dtype", "element `TYPE` of arrays that NumPy stores as raw bytes (<V2): "+strings.Join(tensor.RawNames(), " or "))
}

// rawValue is a flag that takes the name of an element type that NumPy lacks.
type rawValue tensor.DType

func (v *rawValue) String() string {
	if *v == rawValue(tensor.Invalid) {
		return ""
	}
	return tensor.DType(*v).String()
}
func (v *rawValue) Type() string { return strings.Join(tensor.RawNames(), "|") }
func (v *rawValue) Set(text string) error {
	d, err := tensor.ParseDType(text)
	if err != nil || !d.IsRaw() {
		return fmt.Errorf("got %q, want %s", text, strings.Join(tensor.RawNames(), " or "))
	}
	*v = rawValue(d)
	return nil
}

// stream is a tensor that may come from standard input, for messages.
type stream struct{ name, file string }

// inputStreams are the main inputs.
func inputStreams(names []string) []stream {
	var list []stream
	for _, name := range names {
		list = append(list, stream{"the input", name})
	}
	return list
}

// oneStream refuses a command line that reads standard input twice: for any of
// the sources, or for tensors among the parameters.
func oneStream(op string, params []ops.Param, sources ...stream) error {
	for _, p := range params {
		if p.Kind.File() {
			sources = append(sources, stream{p.Name, p.String()})
		}
	}
	taken := ""
	for _, s := range sources {
		switch {
		case s.file != "-":
		case taken != "":
			return usagef("%s: %s: got -, but %s is read from standard input already", op, s.name, taken)
		default:
			taken = s.name
		}
	}
	return nil
}

func openInput(name string, o imgio.Options) (input, error) {
	source, err := imgio.Open(name, o)
	if err != nil {
		return input{}, err
	}
	return input{name: name, spec: source.Info.Spec, source: source}, nil
}

// arrange makes a picture, which is NHWC, appear in the layout that
// --data-format names.
func (in *input) arrange(op ops.Op) error {
	layout := ops.DataFormat(op)
	if layout == "" || layout == tensor.NHWC {
		return nil
	}
	e, err := tensor.NHWC.Split(in.spec.Shape)
	if err != nil {
		return err
	}
	if layout.Spatial() != 2 || layout == tensor.HW && e.C != 1 {
		return fmt.Errorf("%s: data-format: got %s for a picture of %d channels, want a 2-D layout that holds it, such as NHWC or NCHW", in.name, layout, e.C)
	}
	if layout.ChannelsFirst() {
		in.perm = tensor.Permutation(string(tensor.NHWC), string(layout))
	}
	in.spec.Shape = layout.Join(e)
	return nil
}

func (in *inputs) close() {
	for _, i := range in.list {
		if i.source != nil {
			_ = i.source.Close()
		}
	}
}

// specs returns the types and shapes that the operation is planned for.
func (in *inputs) specs() []tensor.Spec {
	list := make([]tensor.Spec, len(in.list))
	for i, x := range in.list {
		list[i] = x.spec
	}
	return list
}

// files returns the names of the files that hold the inputs, with those beside a
// model.
func (in *inputs) files() []string {
	var list []string
	for _, x := range in.list {
		if x.source != nil {
			list = append(list, x.name, x.source.Info.Data)
		}
	}
	return list
}

// first returns the header of the first input.
func (in *inputs) first() *imgio.Info { return &in.list[0].source.Info }

// bytes returns the size of the tensors, and roughly the extra memory that the
// most demanding of them needs: a decoder's memory, or a copy in another
// layout.
func (in *inputs) bytes() (tensors, beside int) {
	for _, x := range in.list {
		n, _ := x.spec.Bytes() // checked when the plan was made
		tensors = plus(tensors, n)
		switch {
		case x.source == nil:
			elements, _ := x.spec.Shape.Elements()
			beside = max(beside, 8*elements) // generated in float64
		case x.perm != nil:
			beside = max(beside, x.source.Info.Decoding, n)
		default:
			beside = max(beside, x.source.Info.Decoding)
		}
	}
	return tensors, beside
}

// decodes reports whether the only input is a picture that can be worked on while
// it is decoded.
func (in *inputs) decodes() bool {
	return len(in.list) == 1 && in.list[0].source.Info.Picture && in.list[0].perm == nil
}

// read decodes every input.
func (in *inputs) read() ([]*tensor.Tensor, error) {
	list := make([]*tensor.Tensor, len(in.list))
	for i, x := range in.list {
		if x.produce != nil {
			list[i] = x.produce()
			continue
		}
		t, err := x.source.Read()
		if err != nil {
			return nil, err
		}
		if x.perm != nil {
			t = tensor.Permuted(t, x.perm)
		}
		list[i] = t.Reshaped(x.spec.Shape)
	}
	return list, nil
}
