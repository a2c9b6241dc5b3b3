package jpeg

import (
	"cmp"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Open reads the header of a JPEG. Grey pictures have one channel. YCbCr, RGB,
// CMYK and YCCK become RGB.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	markers, err := readMarkers(in)
	if err != nil {
		return raster.Header{}, nil, err
	}
	f := markers.frame
	if err := o.Check(f.width, f.height); err != nil {
		return raster.Header{}, nil, err
	}
	info := raster.Header{
		Width: f.width, Height: f.height, Channels: min(len(f.parts), 3), Depth: 8,
		Orientation: markers.orientation, Decoding: f.memory(),
	}
	return info, func(t *tensor.Tensor, told *tensor.Progress) error { return decode(in, o, t, told) }, nil
}

// decode decodes the file into t.
func decode(in *input.File, o raster.Options, t *tensor.Tensor, told *tensor.Progress) error {
	d := decoder{in: newStream(in.Section(), in.Size), adobe: -1, mostPixels: cmp.Or(o.MaxPixels, raster.DefaultMaxPixels)}
	b, err := d.header()
	if err != nil {
		return err
	}
	return d.picture(b, tensor.Of[uint8](t), d.colours(), told)
}
