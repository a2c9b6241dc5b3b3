package pipeline

import (
	"fmt"
	"math"
	"slices"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Input is what is known of an input from its header.
type Input struct {
	Spec    tensor.Spec
	Picture bool // Spec is NHWC, to be brought to the pipeline's layout
}

// preparation brings an input to what the first steps take: the input section of
// a pipeline file.
//
// The spatial dimensions are resized, then cropped; values are multiplied by
// Scale, then Offset is added. The result has the type that DType names. Without
// that, values that were only moved keep their type, and those that were
// computed have the type of an average (tensor.DType.Averaged). Arithmetic is
// that of averages too: float32, and float64 for wider types.
type preparation struct {
	layout tensor.Layout // of the result; "" for a shape that has none
	spec   tensor.Spec   // of the result
	plan   *ops.Plan     // nil when the input is taken as it is, but for its shape
}

// prepare plans the input section. layout is that of the result.
func prepare(p *config.Prepare, in Input, layout tensor.Layout) (*preparation, error) {
	raw := layout // of the input
	if in.Picture {
		raw = tensor.NHWC
	}
	e, err := raw.Split(in.Spec.Shape)
	if err != nil {
		return nil, &inputError{p.At("layout"), "layout", err.Error()}
	}
	if in.Picture && (layout.Spatial() != 2 || layout == tensor.HW && e.C != 1) {
		return nil, &inputError{p.At("layout"), "layout", fmt.Sprintf("got %s for a picture of %d channels, want a 2-D layout that holds it, such as NHWC or NCHW", layout, e.C)}
	}
	b := &chain{raw: raw, e: e, spec: in.Spec}
	if p.Resize != nil || p.Crop != nil {
		if err := b.place(p); err != nil {
			return nil, err
		}
	}
	if err := b.scale(p); err != nil {
		return nil, err
	}
	if p.DType != tensor.Invalid {
		b.convert(p.DType)
	}
	if raw.ChannelsFirst() != layout.ChannelsFirst() && in.Picture {
		b.permute(layout)
	}
	if b.err != nil {
		return nil, b.err
	}
	spec := tensor.Spec{DType: b.spec.DType, Shape: layout.Join(b.e)}
	return &preparation{layout: layout, spec: spec, plan: b.plan(in.Spec, spec)}, nil
}

// inputError says that the input section does not fit an input.
type inputError struct {
	place        config.Place
	key, problem string
}

func (e *inputError) Error() string {
	if e.place.Line == 0 {
		return "input: " + e.key + ": " + e.problem
	}
	return e.place.String() + ": input: " + e.key + ": " + e.problem
}

// chain is the stages of a preparation, each from the buffer before it.
type chain struct {
	raw   tensor.Layout
	e     tensor.Extents // of the newest buffer
	spec  tensor.Spec    // of the newest buffer
	links []link
	err   error
}

// link is a stage that makes a buffer of type and shape spec.
type link struct {
	name  string
	spec  tensor.Spec
	units int
	exec  func(dst, src *tensor.Tensor, lo, hi int) (clipped int)
}

func (c *chain) add(name string, spec tensor.Spec, units int, exec func(dst, src *tensor.Tensor, lo, hi int) int) {
	if _, err := spec.Bytes(); err != nil && c.err == nil {
		c.err = fmt.Errorf("input: %w", err)
	}
	c.links = append(c.links, link{name, spec, units, exec})
	c.spec = spec
}

// plan assembles the stages; nil when there are none. The last one writes the
// output.
func (c *chain) plan(in, out tensor.Spec) *ops.Plan {
	if len(c.links) == 0 {
		return nil
	}
	last := len(c.links) - 1
	p := &ops.Plan{Op: "input", Inputs: 1, Outputs: []ops.Output{{Name: "y", Spec: c.links[last].spec}}, Buffers: []tensor.Spec{in, c.links[last].spec}, Impl: "go"}
	p.Outputs[0].Spec, p.Buffers[1] = out, out
	src := 0
	for i, l := range c.links {
		dst := 1
		if i < last {
			dst = len(p.Buffers)
			p.Buffers = append(p.Buffers, l.spec)
		}
		n, _ := l.spec.Shape.Elements()
		from, to, exec := src, dst, l.exec
		p.Stages = append(p.Stages, ops.Stage{Name: l.name, Units: l.units, Work: 2 * n,
			Exec: func(w *ops.Worker, bufs []*tensor.Tensor, lo, hi int) {
				w.Clipped += exec(bufs[to], bufs[from], lo, hi)
			}})
		src = dst
	}
	return p
}

// blockOf is how many elements one unit of an element-wise stage covers.
const blockOf = 1 << 16

// convert adds a conversion to another element type.
func (c *chain) convert(d tensor.DType) {
	if c.spec.DType == d {
		return
	}
	n, _ := c.spec.Shape.Elements()
	c.add("convert to "+d.String(), tensor.Spec{DType: d, Shape: c.spec.Shape}, (n+blockOf-1)/blockOf,
		func(dst, src *tensor.Tensor, lo, hi int) int {
			return tensor.ConvertRange(dst, src, lo*blockOf, min(hi*blockOf, n))
		})
}

// permute brings a picture to a layout with channels first.
func (c *chain) permute(layout tensor.Layout) {
	perm := tensor.Permutation(string(c.raw), string(layout))
	p := tensor.NewPermuter(c.spec.Shape, perm)
	c.add("transpose", tensor.Spec{DType: c.spec.DType, Shape: tensor.PermutedShape(c.spec.Shape, perm)}, p.Units(), func(dst, src *tensor.Tensor, lo, hi int) int {
		p.Run(dst, src, lo, hi)
		return 0
	})
}

// scale adds the multiplication and the addition.
func (c *chain) scale(p *config.Prepare) error {
	if p.Scale == nil && p.Offset == nil {
		return nil
	}
	for key, list := range map[string][]float64{"scale": p.Scale, "offset": p.Offset} {
		if len(list) > 1 && len(list) != c.e.C {
			return &inputError{p.At(key), key, fmt.Sprintf("got %d numbers, want 1 or %d (one for each channel of the input)", len(list), c.e.C)}
		}
	}
	result := c.spec.DType.Averaged()
	c.convert(c.spec.DType.Arithmetic())
	a := affine{channels: c.e.C, run: 1, scale: spread(p.Scale, c.e.C, 1), offset: spread(p.Offset, c.e.C, 0)}
	if c.raw.ChannelsFirst() {
		for _, n := range c.e.Spatial {
			a.run *= n
		}
	}
	n, _ := c.spec.Shape.Elements()
	c.add("scale", c.spec, (n+blockOf-1)/blockOf, func(dst, src *tensor.Tensor, lo, hi int) int {
		lo, hi = lo*blockOf, min(hi*blockOf, n)
		if x, ok := src.Data.([]float32); ok {
			applyAffine(a, tensor.Of[float32](dst), x, lo, hi)
		} else {
			applyAffine(a, tensor.Of[float64](dst), tensor.Of[float64](src), lo, hi)
		}
		return 0
	})
	if p.DType == tensor.Invalid {
		c.convert(result)
	}
	return nil
}

func spread(list []float64, channels int, otherwise float64) []float64 {
	switch len(list) {
	case 0:
		return slices.Repeat([]float64{otherwise}, channels)
	case 1:
		return slices.Repeat(list, channels)
	default:
		return list
	}
}

// affine is x*scale + offset by channel; run elements in a row have one.
type affine struct {
	channels, run int
	scale, offset []float64
}

func applyAffine[T tensor.Floating](a affine, dst, src []T, lo, hi int) {
	c, left := lo/a.run%max(1, a.channels), a.run-lo%a.run
	for i := lo; i < hi; i++ {
		dst[i] = T(src[i]*T(a.scale[c])) + T(a.offset[c]) //nolint:unconvert // rounds the product: fused, it would differ between machines
		if left--; left == 0 {
			left = a.run
			if c++; c == a.channels {
				c = 0
			}
		}
	}
}

// place adds the stages that resize and crop. What is cropped off is never
// computed.
func (c *chain) place(p *config.Prepare) error {
	if len(c.e.Spatial) != 2 {
		key := "resize"
		if p.Resize == nil {
			key = "crop"
		}
		return &inputError{p.At(key), key, fmt.Sprintf("got an input of %d spatial dimensions, want 2", len(c.e.Spatial))}
	}
	size := c.e.Spatial
	filter := ""
	if p.Resize != nil {
		size, filter = p.Resize.Size, p.Resize.Filter
	}
	from, kept := []int{0, 0}, size
	if p.Crop != nil {
		kept = p.Crop.Size
		for i, n := range kept {
			from[i] = (size[i] - n) / 2 // the odd cell is cut off at the end
			if p.Crop.At != nil {
				from[i] = p.Crop.At[i]
			}
			if p.Crop.At == nil && n > size[i] {
				return &inputError{p.At("crop"), "crop", fmt.Sprintf("got %s, want at most the picture's %s", tensor.Join(kept, "x"), tensor.Join(size, "x"))}
			}
			if n > size[i] || from[i] > size[i]-n {
				return &inputError{p.At("crop"), "crop", fmt.Sprintf("got %s at %s, want a part of the picture's %s", tensor.Join(kept, "x"), tensor.Join(from, ","), tensor.Join(size, "x"))}
			}
		}
	}
	for _, n := range append(slices.Clone(size), c.e.Spatial...) {
		if n > geom.MaxBounds {
			return &inputError{p.At("resize"), "resize", fmt.Sprintf("got extent %d, want at most %d", n, geom.MaxBounds)}
		}
		if n == 0 {
			return &inputError{p.At("resize"), "resize", "got a picture without pixels"}
		}
	}
	var axes [2][]taps
	for i, in := range c.e.Spatial {
		axes[i] = resample(filter, in, size[i])[from[i] : from[i]+kept[i]]
	}
	if filter == "bilinear" || filter == "area" {
		c.convert(c.spec.DType.Arithmetic())
		c.blend(axes[0], 0)
		c.blend(axes[1], 1)
		return nil
	}
	c.pick(axes)
	return nil
}

// planes returns how many pictures lie one after the other, of which rows, of
// how many values a pixel.
func (c *chain) planes() (images, inner int) {
	if c.raw.ChannelsFirst() {
		return c.e.N * c.e.C, 1
	}
	return c.e.N, c.e.C
}

// blend adds the weighted sums along one spatial axis.
func (c *chain) blend(axis []taps, which int) {
	outer, inner := c.planes()
	in := c.e.Spatial[which]
	if which == 0 {
		inner *= c.e.Spatial[1]
	} else {
		outer *= c.e.Spatial[0]
	}
	c.e.Spatial = slices.Clone(c.e.Spatial)
	c.e.Spatial[which] = len(axis)
	spec := tensor.Spec{DType: c.spec.DType, Shape: c.raw.Join(c.e)}
	units, row := outer*len(axis), func(u int) (int, taps) { return u / len(axis) * in, axis[u%len(axis)] }
	c.add("resize", spec, units, func(dst, src *tensor.Tensor, lo, hi int) int {
		for u := lo; u < hi; u++ {
			first, t := row(u)
			if x, ok := src.Data.([]float32); ok {
				blendRow(tensor.Of[float32](dst)[u*inner:][:inner], x[first*inner:], t, inner)
			} else {
				blendRow(tensor.Of[float64](dst)[u*inner:][:inner], tensor.Of[float64](src)[first*inner:], t, inner)
			}
		}
		return 0
	})
}

func blendRow[T tensor.Floating](dst, src []T, t taps, n int) {
	if t.weights == nil { // bilinear: exact where both ends are equal
		a, b, f := src[t.first*n:][:n], src[t.last*n:][:n], T(t.fraction)
		for i := range dst {
			dst[i] = a[i] + T((b[i]-a[i])*f) //nolint:unconvert // rounds the product: fused, it would differ between machines
		}
		return
	}
	clear(dst)
	for k, w := range t.weights {
		x, w := src[(t.first+k)*n:][:n], T(w)
		for i := range dst {
			dst[i] += T(x[i] * w) //nolint:unconvert // rounds the product: fused, it would differ between machines
		}
	}
}

// pick adds the stage that copies one pixel for each.
func (c *chain) pick(axes [2][]taps) {
	images, inner := c.planes()
	height, width := c.e.Spatial[0], c.e.Spatial[1]
	rows, columns := axes[0], axes[1]
	c.e.Spatial = []int{len(rows), len(columns)}
	spec := tensor.Spec{DType: c.spec.DType, Shape: c.raw.Join(c.e)}
	c.add("pick", spec, images*len(rows), func(dst, src *tensor.Tensor, lo, hi int) int {
		for u := lo; u < hi; u++ {
			from := (u/len(rows)*height + rows[u%len(rows)].first) * width
			pickRow(dst, src, u*len(columns)*inner, from*inner, columns, inner)
		}
		return 0
	})
}

func pickRow(dst, src *tensor.Tensor, to, from int, columns []taps, inner int) {
	switch d := dst.Data.(type) {
	case []uint8:
		pickOf(d[to:], tensor.Of[uint8](src)[from:], columns, inner)
	case []int8:
		pickOf(d[to:], tensor.Of[int8](src)[from:], columns, inner)
	case []uint16:
		pickOf(d[to:], tensor.Of[uint16](src)[from:], columns, inner)
	case []int16:
		pickOf(d[to:], tensor.Of[int16](src)[from:], columns, inner)
	case []uint32:
		pickOf(d[to:], tensor.Of[uint32](src)[from:], columns, inner)
	case []int32:
		pickOf(d[to:], tensor.Of[int32](src)[from:], columns, inner)
	case []uint64:
		pickOf(d[to:], tensor.Of[uint64](src)[from:], columns, inner)
	case []int64:
		pickOf(d[to:], tensor.Of[int64](src)[from:], columns, inner)
	case []tensor.F16:
		pickOf(d[to:], tensor.Of[tensor.F16](src)[from:], columns, inner)
	case []float32:
		pickOf(d[to:], tensor.Of[float32](src)[from:], columns, inner)
	case []float64:
		pickOf(d[to:], tensor.Of[float64](src)[from:], columns, inner)
	}
}

func pickOf[T tensor.Element](dst, src []T, columns []taps, inner int) {
	for i, t := range columns {
		copy(dst[i*inner:][:inner], src[t.first*inner:][:inner])
	}
}

// taps are the cells that one cell of a resized axis is made of: cell first
// alone; cells first and last, last weighing fraction; or as many cells from
// first on as there are weights, which sum to 1.
type taps struct {
	first, last int
	fraction    float64
	weights     []float64
}

// resample returns the cells of an axis resized from in to out cells, as
// tf.image.resize has them without antialiasing (tensorflow/core/kernels/image:
// resize_nearest_neighbor_op.cc, resize_bilinear_op.cc with half-pixel centers,
// resize_area_op.cc). Places are computed in float32, as there, since the choice
// of a neighbour depends on it. filter "" leaves the axis as it is.
func resample(filter string, in, out int) []taps {
	scale := float32(in) / float32(out)
	list := make([]taps, out)
	for i := range list {
		centre := float32(float32(i)+0.5) * scale
		switch filter {
		case "":
			list[i].first = i
		case "nearest":
			list[i].first = min(int(math.Floor(float64(centre))), in-1)
		case "bilinear":
			at := centre - 0.5
			below := float32(math.Floor(float64(at)))
			list[i] = taps{first: max(int(below), 0), last: min(int(math.Ceil(float64(at))), in-1), fraction: float64(at - below)}
		case "area":
			list[i] = covered(float64(i)*float64(in)/float64(out), float64(i+1)*float64(in)/float64(out), in)
		}
	}
	return list
}

// covered weighs the cells between two places by how much of each lies there.
func covered(from, to float64, in int) taps {
	t := taps{first: min(int(from), in-1)}
	for i := t.first; i < in && float64(i) < to; i++ {
		t.weights = append(t.weights, (min(to, float64(i+1))-max(from, float64(i)))/(to-from))
	}
	return t
}
