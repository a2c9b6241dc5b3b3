package ops

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

// oneTensor is the number of spatial axes of operations that do not look at
// them: none, as for (N, C), to three.
var oneTensor = [2]int{0, 3}

// layer reads the main input of an operation that lays no windows: two axes are
// a batch of vectors (N, C), three to five what they are elsewhere. The error
// also says when the elements are too many to count.
func (f *format) layer(op string, x tensor.Spec) (tensor.Layout, error) {
	if _, err := x.Bytes(); err != nil {
		return "", &DataError{op, fmt.Errorf("input: %w", err)}
	}
	switch rank := len(x.Shape); {
	case f.Layout == "" && rank == tensor.NC.Rank():
		return tensor.NC, nil
	case f.Layout == "" && (rank < 2 || rank > 5):
		return "", &DataError{op, fmt.Errorf("input: got rank %d, want 2 (NC), 3 (NWC), 4 (NHWC) or 5 (NDHWC)", rank)}
	}
	layout, _, err := f.layout(op, x)
	return layout, err
}

// spatialLayer is layer for an operation that lays something over space
// (Spec.Space): two axes are one grey picture (H, W), unless a pipeline's step
// says that they are vectors.
func (f *format) spatialLayer(op string, x tensor.Spec) (tensor.Layout, error) {
	if f.Layout != "" || len(x.Shape) != tensor.HW.Rank() {
		return f.layer(op, x)
	}
	over := format{Layout: tensor.HW, DType: f.DType}
	return over.layer(op, x)
}

// channels returns the lanes of a layout's channel axis; of HW, which has none,
// those of single cells.
func channels(layout tensor.Layout, shape tensor.Shape) layer.Lanes {
	axis := strings.IndexByte(string(layout), 'C')
	if axis < 0 {
		axis, shape = len(shape), append(slices.Clone(shape), 1)
	}
	return layer.LanesAlong(shape, axis)
}

// computed adds what an operation with one input and one output of its shape
// needs around its kernel, which computes in the type: src is converted, and
// dst, a temporary unless it is y itself, delivered after stage was added.
func (b *builder) computed(y, src buf, d tensor.DType, stage func(dst, src buf)) {
	src = b.converted(src, d)
	dst := y
	if b.spec(y).DType != d {
		dst = b.temp(d, b.spec(y).Shape...)
	}
	stage(dst, src)
	b.deliver(y, dst, "", "")
}

// elementwise adds a stage that computes ranges of elements of dst; steps is
// what one takes, in elementary steps.
func (b *builder) elementwise(name string, dst buf, steps int, do func(w *Worker, bufs []*tensor.Tensor, lo, hi int)) {
	n, err := b.spec(dst).Shape.Elements()
	if err != nil {
		return // reported by finish
	}
	b.stage(Stage{Name: name, Units: (n + blockOf - 1) / blockOf, Work: multiplyAdds(n, steps),
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			do(w, bufs, lo*blockOf, min(hi*blockOf, n))
		}})
}

// perChannelInputs returns the tensors of the given parameters that have a
// number for each channel, from files or made by an initialiser; those without a
// file are left out.
func (f *format) perChannelInputs(op string, x tensor.Spec, names, files []string) ([]Input, error) {
	layout, err := f.layer(op, x)
	if err != nil {
		return nil, err
	}
	var list []Input
	for i, name := range names {
		if files[i] == "" {
			continue
		}
		in, err := initialised(name, files[i], "")
		if err != nil {
			return nil, usage(op, name, "%v", err)
		}
		if in.Make == nil {
			in.Spec = tensor.Spec{DType: f.averaged(x), Shape: tensor.Shape{channels(layout, x.Shape).Extent}}
		}
		list = append(list, in)
	}
	return list, nil
}

// checkPerChannel checks the shape of a tensor with a number for each channel.
func checkPerChannel(op, name string, given tensor.Spec, n int) error {
	if !given.Shape.Equal(tensor.Shape{n}) {
		return unfit(op, name, "got shape %s, want (%d), a number for each channel", given.Shape, n)
	}
	return nil
}
