package tiff

import (
	"errors"
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Formats of samples.
const (
	unsignedSamples = 1
	signedSamples   = 2
	floatSamples    = 3
)

// maxSamples bounds the samples of a pixel: each may have a plane, and so a
// decompressor, of its own.
const maxSamples = 1024

// readSamples reads and checks what a pixel consists of.
func (p *picture) readSamples(d *directory) error {
	p.photometric = d.number(tagPhotometric, whiteIsZero)
	p.bits, p.samples = d.number(tagBitsPerSample, 1), d.number(tagSamplesPerPixel, 1)
	switch p.photometric {
	case whiteIsZero, blackIsZero, palette:
		p.colour = 1
	case rgb, luma, cieLab, iccLab, ituLab:
		p.colour = 3
	case cmyk:
		if p.colour = 4; d.number(tagInkSet, 1) != 1 {
			return fmt.Errorf("got ink set %d, want 1: inks other than CMYK are not supported", d.number(tagInkSet, 1))
		}
	default:
		names := map[int]string{4: " (a mask)"}
		return fmt.Errorf("got photometric interpretation %d%s, want grey, RGB, YCbCr, CMYK, Lab or a palette", p.photometric, names[p.photometric])
	}
	most := maxSamples
	if p.photometric == palette {
		most = 1
	}
	if p.samples < p.colour || p.samples > most {
		return fmt.Errorf("got %d samples per pixel, want %d to %d with photometric interpretation %d", p.samples, p.colour, most, p.photometric)
	}
	if n := max(1, d.count(tagBitsPerSample)); n != p.samples {
		return fmt.Errorf("got %d samples per pixel and the bits of %d, want as many", p.samples, n)
	}
	for _, bits := range d.values(tagBitsPerSample, p.samples) {
		if int(bits) != p.bits {
			return fmt.Errorf("got samples of %d and of %d bits, want as many bits for each", p.bits, bits)
		}
	}
	if err := p.readType(d); err != nil {
		return err
	}
	switch planar := d.number(tagPlanar, 1); planar {
	case 1:
		p.planes = 1
	case 2:
		p.planes = p.samples
	default:
		return fmt.Errorf("got planar configuration %d, want 1 or 2", planar)
	}
	if p.samples > p.colour {
		extra := d.number(tagExtraSamples, unspecified)
		if extra > straightAlpha {
			return fmt.Errorf("got extra sample %d, want 0 to 2", extra)
		}
		p.associated = extra == associatedAlpha
	}
	switch p.photometric {
	case palette:
		return p.readPalette(d)
	case luma:
		var err error
		if p.conversion, err = readYCbCr(d); err != nil {
			return err
		}
		if subsampled := p.conversion.across*p.conversion.down > 1; subsampled && (p.planes > 1 || p.samples > 3) {
			return fmt.Errorf("got subsampled YCbCr with %d samples per pixel in %d planes, want 3 in one plane", p.samples, p.planes)
		}
	}
	return nil
}

// sampleTypes are NumPy's names of the types that hold samples, by format and bits.
var sampleTypes = map[int]map[int]string{
	unsignedSamples: {1: "u1", 2: "u1", 4: "u1", 8: "u1", 10: "u2", 12: "u2", 14: "u2", 16: "u2", 32: "u4", 64: "u8"},
	signedSamples:   {8: "i1", 16: "i2", 32: "i4", 64: "i8"},
	floatSamples:    {16: "f2", 32: "f4", 64: "f8"},
}

// readType chooses the type that holds the samples.
func (p *picture) readType(d *directory) error {
	format := d.number(tagSampleFormat, unsignedSamples)
	for _, f := range d.values(tagSampleFormat, p.samples) {
		if int(f) != format {
			return errors.New("got samples of several formats, want one format for all")
		}
	}
	names := map[int]string{unsignedSamples: "unsigned integers", signedSamples: "signed integers", floatSamples: "floating point", 4: "undefined", 5: "complex integers", 6: "complex numbers"}
	of, known := sampleTypes[format]
	if !known {
		return fmt.Errorf("got sample format %d (%s), want 1 to 3: integers or floating point", format, names[format])
	}
	for _, d := range tensor.DTypes() {
		if d.Codes().NumPy == of[p.bits] {
			p.dtype = d
		}
	}
	switch {
	case p.dtype == tensor.Invalid:
		var widths []int
		for bits := range of {
			widths = append(widths, bits)
		}
		slices.Sort(widths)
		return fmt.Errorf("got %d bits per sample of %s, want one of %v", p.bits, names[format], widths)
	case p.photometric == palette && (p.dtype != tensor.Uint8):
		return fmt.Errorf("got a palette with samples of %s and %d bits, want 1, 2, 4 or 8 bits", p.dtype, p.bits)
	case p.photometric == luma && (p.bits != 8 || p.dtype != tensor.Uint8):
		return fmt.Errorf("got YCbCr of %s and %d bits, want unsigned integers of 8 bits", p.dtype, p.bits)
	case p.photometric == cmyk && p.bits != 8 && (p.bits != 16 || p.dtype != tensor.Uint16):
		return fmt.Errorf("got CMYK of %d bits, want unsigned integers of 8 or 16", p.bits)
	case p.photometric == cmyk && format != unsignedSamples:
		return fmt.Errorf("got CMYK of %s, want unsigned integers", p.dtype)
	}
	return nil
}

// channels returns how many channels the picture is read with.
func (p *picture) channels() int {
	switch p.photometric {
	case palette:
		return 3
	case cmyk:
		return p.samples - 1
	}
	return p.samples
}
