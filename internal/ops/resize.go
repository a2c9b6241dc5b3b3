package ops

import (
	"slices"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

var resizeSpec = Spec{
	Name:    "resize",
	TF:      "tf.image.resize, tf.compat.v1.image.resize, torch.nn.functional.interpolate (nearest-exact, linear, bilinear, trilinear)",
	Summary: "resize the spatial dimensions",
	Doc: `Resizes the spatial dimensions to --size: one number for each, or one for all. The input is 1-D, 2-D or 3-D. Batch and channels stay as they are.

--method says how a cell of the output is computed:

    nearest   a copy of the nearest cell
    bilinear  interpolated between two cells along each dimension: linear in 1-D, trilinear in 3-D
    area      the mean of the part of the input that it covers
    bicubic   interpolated from four cells along each dimension, by cubic convolution

For a much smaller output, only area reads every cell. --coordinates says where cell i of an output of size out lies on an input of size in, along each dimension:

    half-pixel     (i + 1/2) * in / out - 1/2
    align-corners  i * (in - 1) / (out - 1)
    asymmetric     i * in / out

half-pixel is what tf.image.resize does. align-corners is align_corners=True in tf.compat.v1.image.resize and PyTorch, asymmetric what tf.compat.v1.image.resize does by default, and PyTorch's nearest. area takes no --coordinates: its cells cover the input from edge to edge.

bicubic is TensorFlow's, whose weights come from a table of 1024 steps: with half-pixel the factor is -1/2 and cells outside the input weigh nothing, otherwise the factor is -3/4, as PyTorch's always is, and the edge is repeated.

nearest keeps the type. The others return float32 for integers, as TensorFlow does, and keep floating-point types. With --linear-light samples of 8 or 16 bits are decoded from sRGB, resized as light and encoded again: the result keeps the type of the input. Alpha, the last of 2 or 4 channels, is resized as it is.

Weights that are 0 are multiplied too, and bilinear takes the difference of two cells, so an infinity can become NaN.

The gradient is the adjoint: the upstream gradient of a cell goes to the cells that it was computed from, times their weights. TensorFlow has no gradient of area.`,
	Rank:   [2]int{1, 3},
	Linear: true,
	Examples: []Example{
		{"half as large, every pixel the mean of four", "poolctl resize samples/chelsea.png --size 150,225 --method area -o half.png"},
		{"a thumbnail as bright as the photograph", "poolctl resize samples/chelsea.png --size 75,112 --method area --linear-light -o small.png"},
		{"twice as large, as an upsampling layer does", "poolctl resize samples/input_10x9x9x3.npy --size 18 --method nearest -o y.npy"},
		{"corners on corners", "poolctl resize samples/input_10x9x9x3.npy --size 17,33 --coordinates align-corners -o y.npy"},
	},
	New: func() Op { return defaults(new(Resize)) },
}

// Resize resizes the spatial dimensions.
type Resize struct {
	format
	Size        []int
	Method      string
	Coordinates string
	LinearLight bool

	region *Region // of the output that is computed; nil for all
}

// NewResize returns the operation with half-pixel coordinates.
func NewResize(size []int, method string) *Resize {
	o := defaults(new(Resize)).(*Resize)
	o.Size, o.Method = size, method
	return o
}

// Region is a part of the spatial dimensions.
type Region struct{ At, Size []int }

// resizeMethods and resizeCoordinates are the names of those of the kernel.
var (
	resizeMethods     = []string{layer.ResizeNearest: "nearest", layer.ResizeLinear: "bilinear", layer.ResizeArea: "area", layer.ResizeCubic: "bicubic"}
	resizeCoordinates = []string{layer.HalfPixel: "half-pixel", layer.AlignCorners: "align-corners", layer.Asymmetric: "asymmetric"}
)

// ResizeMethods returns the names of the methods of resizing.
func ResizeMethods() []string { return slices.Clone(resizeMethods) }

// Params implements Op.
func (o *Resize) Params() []Param {
	size := intsParam("size", &o.Size, "", "spatial size of the output, one number for each dimension, or one for all")
	size.Required = true
	return withNeeds(append([]Param{size,
		choiceParam("method", &o.Method, resizeMethods, "bilinear", "how a cell of the output is computed"),
		choiceParam("coordinates", &o.Coordinates, resizeCoordinates, "half-pixel", "where a cell of the output lies on the input"),
		linearLightParam(&o.LinearLight),
	}, o.format.params()...), o.needs)
}

// needs returns the flags that a parameter needs to be meaningful, and whether
// they are given.
func (o *Resize) needs(name string, _ Want) (flags string, holds bool) {
	if name != "linear-light" {
		return "", true
	}
	mixing := slices.DeleteFunc(ResizeMethods(), func(m string) bool { return m == resizeMethods[layer.ResizeNearest] })
	return "--method " + either(mixing), slices.Contains(mixing, o.Method)
}

// linear reports whether resizing, as it was called, is linear.
func (o *Resize) linear() bool { return !o.LinearLight }

// Check implements Op.
func (o *Resize) Check() error {
	if o.Size == nil {
		return usage("resize", "size", "missing, want the spatial size of the output")
	}
	if most := tensor.NDHWC.Spatial(); len(o.Size) > most {
		return usage("resize", "size", "got %d numbers, want at most %d", len(o.Size), most)
	}
	for _, n := range o.Size {
		if n < 1 {
			return usage("resize", "size", "got extent %d, want at least 1", n)
		}
		if n > geom.MaxBounds {
			return usage("resize", "size", "got extent %d, want at most %d", n, geom.MaxBounds)
		}
	}
	if o.Method == resizeMethods[layer.ResizeArea] && o.Coordinates != resizeCoordinates[layer.HalfPixel] {
		return usage("resize", "coordinates", "got %s, want half-pixel with --method area, whose cells cover the input from edge to edge", o.Coordinates)
	}
	if flags, holds := o.needs("linear-light", Want{}); o.LinearLight && !holds {
		return usage("resize", "linear-light", "only applies with %s", flags)
	}
	return nil
}

// Inputs implements Op.
func (o *Resize) Inputs(tensor.Spec) ([]Input, error) { return nil, nil }

// resizing is a resize for given inputs.
type resizing struct {
	layout  tensor.Layout
	method  layer.ResizeMethod
	extents tensor.Extents // of the input
	axes    []layer.ResizeAxis
	out     tensor.Shape
	given   tensor.DType // of the converted input
	compute tensor.DType
	result  tensor.DType
}

// lay checks the operation against its input.
func (o *Resize) lay(x tensor.Spec) (*resizing, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	layout, e, err := o.layout("resize", x)
	if err != nil {
		return nil, err
	}
	size := o.Size
	if len(size) == 1 {
		size = slices.Repeat(size, len(e.Spatial))
	}
	if len(size) != len(e.Spatial) {
		return nil, unfit("resize", "size", "got %d numbers, want 1 or %d (%s)", len(size), len(e.Spatial), layout)
	}
	r := &resizing{layout: layout, extents: e, given: o.input(x)}
	r.method = layer.ResizeMethod(slices.Index(resizeMethods, o.Method))
	r.compute, r.result = resizedTypes(r.method, r.given)
	if o.DType != tensor.Invalid {
		r.result = o.DType
	}
	if o.LinearLight {
		if err := checkLight("resize", r.given); err != nil {
			return nil, err
		}
		r.result = r.given
	}
	kept := e
	kept.Spatial = nil
	for i, n := range e.Spatial {
		if n < 1 {
			return nil, unfit("resize", "input", "got extent %d, want at least 1", n)
		}
		if n > geom.MaxBounds {
			return nil, unfit("resize", "input", "got extent %d, want at most %d", n, geom.MaxBounds)
		}
		a := layer.ResizeAxis{Method: r.method, Coordinates: layer.Coordinates(slices.Index(resizeCoordinates, o.Coordinates)),
			In: n, Out: size[i], Kept: size[i], Wide: r.compute == tensor.Float64}
		if o.region != nil {
			a.From, a.Kept = o.region.At[i], o.region.Size[i]
		}
		r.axes = append(r.axes, a)
		kept.Spatial = append(kept.Spatial, a.Kept)
	}
	if r.method == layer.ResizeLinear && slices.Equal(size, e.Spatial) { // TensorFlow copies too
		for i := range r.axes {
			r.axes[i].Method, r.axes[i].Coordinates = layer.ResizeNearest, layer.HalfPixel
		}
		r.method, r.compute = layer.ResizeNearest, r.given
	}
	r.out = layout.Join(kept)
	for _, spec := range []tensor.Spec{x, {DType: tensor.Float64, Shape: r.out}} {
		if _, err := spec.Bytes(); err != nil {
			return nil, &DataError{"resize", err}
		}
	}
	return r, nil
}

// resizedTypes returns the type of the computation and the type of the result.
func resizedTypes(m layer.ResizeMethod, d tensor.DType) (compute, result tensor.DType) {
	switch {
	case m == layer.ResizeNearest:
		return d, d
	case d.IsInteger():
		return tensor.Float32, tensor.Float32
	default:
		return d.Arithmetic(), d
	}
}

// Plan implements Op.
func (o *Resize) Plan(in []tensor.Spec, _ Want) (*Plan, error) {
	r, err := o.lay(in[0])
	if err != nil {
		return nil, err
	}
	b := newBuilder("resize", in)
	b.plan.Layout, b.plan.Impl = r.layout, r.impl()
	y := b.output("y", tensor.Spec{DType: r.result, Shape: r.out}, r.layout)
	if o.LinearLight && r.method != layer.ResizeNearest { // which a size that stays is copied by
		x := b.converted(0, r.given)
		r.given = r.compute
		b.inLinearLight(y, x, r.layout, func(y, x buf) { b.resize(y, x, r) })
	} else {
		b.resize(y, 0, r)
	}
	return b.finish()
}

// impl returns the name of the implementation.
func (r *resizing) impl() string {
	if r.method == layer.ResizeNearest {
		return "copy, go"
	}
	return "axis by axis, go"
}

// ReceptiveField implements Receptive.
func (o *Resize) ReceptiveField(p *Plan) []geom.Field {
	r, err := o.lay(p.Buffers[0])
	if err != nil {
		return nil
	}
	var list []geom.Field
	for i := range r.axes {
		f, ok := r.axes[i].Field()
		if !ok {
			return nil
		}
		list = append(list, f)
	}
	return list
}
