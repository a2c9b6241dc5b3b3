package ops

import (
	"fmt"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

// oneTensor is the range of spatial dimensions of operations that ignore them:
// 0, as in (N, C), to 3.
var oneTensor = [2]int{0, 3}

// layer returns the layout of the main input of an operation without windows.
// Two axes are a batch of vectors (N, C); three to five are what they are in
// other operations. It also refuses tensors with too many elements to count.
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

// spatialLayer is layer for an operation with Spec.Space: two axes are one grey
// picture (H, W), unless a pipeline step gives vectors.
func (f *format) spatialLayer(op string, x tensor.Spec) (tensor.Layout, error) {
	if f.Layout != "" || len(x.Shape) != tensor.HW.Rank() {
		return f.layer(op, x)
	}
	over := format{Layout: tensor.HW, DType: f.DType}
	return over.layer(op, x)
}

// channels returns the lanes along the channel axis. HW has no channels: its
// lanes are single cells.
func channels(layout tensor.Layout, shape tensor.Shape) layer.Lanes {
	axis := strings.IndexByte(string(layout), 'C')
	if axis < 0 {
		axis, shape = len(shape), append(slices.Clone(shape), 1)
	}
	return layer.LanesAlong(shape, axis)
}

// computed adds the conversions around a kernel that computes y, of the shape
// of src, in type d. stage adds the kernel between them.
func (b *builder) computed(y, src buf, d tensor.DType, stage func(dst, src buf)) {
	src = b.converted(src, d)
	dst := y
	if b.spec(y).DType != d {
		dst = b.temp(d, b.spec(y).Shape...)
	}
	stage(dst, src)
	b.deliver(y, dst, "", "")
}

// elementwise adds a stage that computes ranges of elements of dst. steps is
// the number of elementary steps for each.
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

// perChannelInputs returns the inputs for parameters with a number for each
// channel, read from files or made by an initialiser. Parameters without a file
// are left out.
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

// checkPerChannel checks that a tensor has a number for each of n channels.
func checkPerChannel(op, name string, given tensor.Spec, n int) error {
	if !given.Shape.Equal(tensor.Shape{n}) {
		return unfit(op, name, "got shape %s, want (%d), a number for each channel", given.Shape, n)
	}
	return nil
}
