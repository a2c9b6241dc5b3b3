package ops

import (
	"github.com/poolctl/poolctl/internal/ops/kernel/layer"
	"github.com/poolctl/poolctl/internal/tensor"
)

func linearLightParam(field *bool) Param {
	return boolParam("linear-light", field, "decode samples of 8 or 16 bits from sRGB, average light, and encode the result")
}

// checkLight refuses an element type that holds no sRGB samples.
func checkLight(op string, d tensor.DType) error {
	if d == tensor.Uint8 || d == tensor.Uint16 {
		return nil
	}
	return unfit(op, "linear-light", "got %s, want uint8 or uint16: samples of a picture, from black at 0 to white at the largest number", d)
}

// lightGradient says why --linear-light has no gradient.
func lightGradient(op string) error {
	return usage(op, "linear-light", "has no gradient, as its results are rounded to levels; want the operation without it")
}

// encodeSteps is roughly the elementary steps of finding a level.
const encodeSteps = 16

// inLinearLight adds the stages that compute y from x in linear light. Both
// hold samples of one type. stages adds those between, from a float32 buffer to
// another one.
func (b *builder) inLinearLight(y, x buf, layout tensor.Layout, stages func(y, x buf)) {
	decoder, encoder := b.light(x, layout), b.light(y, layout)
	levels, edges := b.temp(tensor.Float32, decoder.Levels()), b.temp(tensor.Float32, encoder.Edges())
	b.stage(Stage{Name: "sRGB tables", Units: 1, Exec: func(_ *Worker, bufs []*tensor.Tensor, _, _ int) {
		decoder.FillLevels(bufs[levels])
		encoder.FillEdges(bufs[edges])
	}})
	b.makes([]buf{levels, edges})

	from, to := b.temp(tensor.Float32, b.spec(x).Shape...), b.temp(tensor.Float32, b.spec(y).Shape...)
	b.elementwise("decode sRGB", from, 1, func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
		decoder.Decode(bufs[from], bufs[x], bufs[levels], lo, hi)
	})
	b.makes([]buf{from}, x, levels)
	stages(to, from)
	b.elementwise("encode sRGB", y, encodeSteps, func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
		w.Clipped += encoder.Encode(bufs[y], bufs[to], bufs[edges], lo, hi)
	})
}

// light returns the conversion of the samples of a buffer.
func (b *builder) light(i buf, layout tensor.Layout) layer.Light {
	s := b.spec(i)
	return layer.NewLight(s.DType, channels(layout, s.Shape))
}
