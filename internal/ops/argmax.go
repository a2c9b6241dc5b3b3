package ops

import "github.com/poolctl/poolctl/internal/tensor"

// WinningCells decodes the argmax output of a pooling plan. It returns the
// winner of each window as an index into its plane of the input, (z*H + y)*W +
// x. Windows are in the order N, spatial axes, C, whatever the layout is.
func WinningCells(plan *Plan, argmax *tensor.Tensor) []int64 {
	layout := plan.Outputs[1].Layout
	if layout.ChannelsFirst() {
		last := tensor.ChannelsLast(layout.Spatial())
		argmax = tensor.Permuted(argmax, tensor.Permutation(string(layout), string(last)))
	}
	cells := make([]int64, argmax.Len())
	channels := plan.Geometry.C
	plane := 1
	for _, n := range plan.Geometry.Out() {
		plane *= n
	}
	for i, index := range tensor.Of[int64](argmax) {
		_, _, cell := plan.Index.Decode(index, i/channels/plane, i%channels)
		cells[i] = int64(cell)
	}
	return cells
}

// ElementType returns the value of --dtype, Invalid if it was not given.
func ElementType(op Op) tensor.DType {
	d, err := tensor.ParseDType(Get(op, "dtype"))
	if err != nil {
		return tensor.Invalid
	}
	return d
}

// DataFormat returns the value of --data-format, empty if it was not given.
func DataFormat(op Op) tensor.Layout {
	for _, p := range op.Params() {
		if p.Name == "data-format" {
			return tensor.Layout(p.String())
		}
	}
	return ""
}
