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
		return total(work, n*sample, sheetBytes(v), encoded(e, how, v.w*v.h, 3, 1))
	}
	asItIs := o.Normalize == NormalizeNone && (spec.DType == tensor.Uint8 && sample == 1 || spec.DType == tensor.Uint16 && sample == 2)
	if !asItIs {
		work += n * sample
	}
	return total(work, encoded(e, how, v.w*v.h, v.c, sample))
}

// sheetBytes returns the bytes that drawing a contact sheet takes, 0 for one that
// is refused.
func sheetBytes(v volume) int {
	s, err := newSheet(v)
	if err != nil {
		return 0
	}
	width, height := s.size()
	return 7 * width * height // as RGBA and as RGB
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
