package imgio

import (
	"math"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Encoding returns roughly how many bytes WriteAll needs at its peak, beside the
// tensor, to write a tensor of that type and shape. It does not use Output.Tensor.
// It returns 0 for an output that WriteAll refuses.
func (o Output) Encoding(spec tensor.Spec) int {
	d, err := parseDestination(o.Name)
	if err != nil || d.format.Encoder() == nil {
		return 0
	}
	e, how := d.format.Encoder(), format.Options{Extension: extension(d.path), Quality: o.Quality}
	v, layout, err := volumeOf(spec.Shape, o.Layout)
	if err != nil {
		return 0
	}
	stored, err := spec.Bytes()
	if err != nil || stored == 0 {
		return 0
	}
	n := stored / spec.DType.Size()
	sample := max(8, o.Depth) / 8
	work := 0
	if layout.ChannelsFirst() {
		work += stored // the tensor in NHWC
	}
	if spec.DType.IsNarrow() {
		work += spec.DType.Real().Size() * n
	}
	if !v.isPicture() {
		width, height := sheetSize(v, o.Enlarge)
		return total(work, n*sample, 7*width*height, encoded(e, how, width*height, 3, 1)) // as RGBA and as RGB
	}
	asItIs := o.Normalize == NormalizeNone && (spec.DType == tensor.Uint8 && sample == 1 || spec.DType == tensor.Uint16 && sample == 2)
	if !asItIs {
		work += n * sample
	}
	width, height, err := enlarged(v, o.Enlarge)
	if err != nil {
		return math.MaxInt
	}
	if o.Enlarge > 1 {
		work = total(work, width*height*v.c*sample)
	}
	return total(work, encoded(e, how, width*height, v.c, sample))
}

// enlarged returns the size of a picture whose values are squares of so many
// pixels.
func enlarged(v volume, enlarge int) (width, height int, err error) {
	enlarge = max(1, enlarge)
	const bytes = 64 // more than a pixel takes in any encoder
	if _, err := tensor.Product(v.w, enlarge, v.h, enlarge, bytes); err != nil {
		return 0, 0, err
	}
	return v.w * enlarge, v.h * enlarge, nil
}

// sheetSize returns the size of a contact sheet, 0 for one that is refused.
func sheetSize(v volume, enlarge int) (width, height int) {
	s, err := newSheet(v, enlarge)
	if err != nil {
		return 0, 0
	}
	return s.size()
}

// Size returns the size in pixels of the picture that WriteAll makes of a tensor
// of that type and shape. It returns zeros for an output that is no picture or that
// WriteAll refuses.
func (o Output) Size(spec tensor.Spec) (width, height int, err error) {
	if !IsPicture(o.Name) {
		return 0, 0, nil
	}
	v, _, err := volumeOf(spec.Shape, o.Layout)
	switch {
	case err != nil:
		return 0, 0, nil
	case !v.isPicture():
		width, height = sheetSize(v, o.Enlarge)
		return width, height, nil
	}
	return enlarged(v, o.Enlarge)
}

// total adds sizes. On overflow it returns the largest int.
func total(sizes ...int) int {
	sum := 0
	for _, n := range sizes {
		if sum += n; sum < 0 {
			return math.MaxInt
		}
	}
	return sum
}
