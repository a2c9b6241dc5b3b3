package imgio

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// fit converts a picture to one that the format can hold, and returns notes on
// what was lost. Anything worse than a loss of precision is an error.
func fit(r *raster.Raster, e *format.Encoder, o format.Options) (*raster.Raster, []string, error) {
	var notes []string
	if r.Width > e.MaxSide || r.Height > e.MaxSide {
		return nil, nil, fmt.Errorf("got size %dx%d, want sides <= %d", r.Width, r.Height, e.MaxSide)
	}
	channels := r.Channels
	if e.Channels != nil {
		var err error
		if channels, err = e.Channels(r.Channels, o); err != nil {
			return nil, nil, err
		}
	}
	if r.Depth() == 16 && !e.Deep {
		r = r.To8()
		notes = append(notes, "16-bit samples were divided by 257: the format has 8 bits")
	}
	if channels > r.Channels {
		if r.Channels == 2 {
			notes = append(notes, "grey with alpha was written as RGBA")
		}
		r = r.RGB()
	}
	bytes := uint64(r.Width) * uint64(r.Height) * uint64(r.Channels*r.Depth()/8)
	if e.MaxBytes != 0 && bytes > e.MaxBytes {
		return nil, nil, fmt.Errorf("got %d bytes of samples, want <= %d: write a PNG or .npy", bytes, e.MaxBytes)
	}
	if e.Check != nil {
		more, err := e.Check(r, o)
		if err != nil {
			return nil, nil, err
		}
		notes = append(notes, more...)
	}
	return r, notes, nil
}

// encoded returns the bytes that fit and the encoder need for a picture of so
// many pixels, of samples of 1 or 2 bytes; 0 for one that is refused.
func encoded(e *format.Encoder, o format.Options, pixels, channels, sample int) int {
	work := 0
	if sample == 2 && !e.Deep {
		work += pixels * channels
		sample = 1
	}
	if e.Channels != nil {
		written, err := e.Channels(channels, o)
		if err != nil {
			return 0
		}
		if written > channels {
			work += pixels * written * sample
		}
		channels = written
	}
	if e.Memory != nil {
		work += e.Memory(pixels, channels, sample)
	}
	return work
}
