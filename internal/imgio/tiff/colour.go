package tiff

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// finish8 turns a row of stored 8-bit samples into levels.
func (p *picture) finish8(out, row []uint8) error {
	if p.photometric != palette {
		finishLevels(p, out, row)
		return nil
	}
	for i, index := range row {
		if int(index) >= len(p.colours) {
			return fmt.Errorf("got palette index %d, want < %d", index, len(p.colours))
		}
		copy(out[3*i:], p.colours[index][:])
	}
	return nil
}

// finish16 is finish8 for 16 bits.
func (p *picture) finish16(out, row []uint16) error {
	finishLevels(p, out, row)
	return nil
}

// finishLevels divides by associated alpha, which has multiplied the stored colour,
// before white becomes the highest level and CMYK becomes RGB. Signed and
// floating-point samples stay as they are stored.
func finishLevels[U uint8 | uint16](p *picture, out, row []U) {
	if p.dtype != tensor.Uint8 && p.dtype != tensor.Uint16 {
		return
	}
	most := uint64(1)<<max(8, p.bits) - 1
	if p.associated && p.bits >= 8 && p.bits%8 == 0 {
		// What follows alpha is no colour.
		for i := 0; i < len(row); i += p.samples {
			raster.Unpremultiply(row[i:][:p.colour+1], p.colour+1)
		}
	}
	switch p.photometric {
	case whiteIsZero:
		for i := 0; i < len(row); i += p.samples {
			row[i] = U(most) - row[i]
		}
	case luma:
		if rows, is := any(row).([]uint8); is && (p.compression != jpegStream || p.planes > 1) {
			p.conversion.convert(rows, p.samples)
		}
	case cmyk:
		for x := range len(row) / p.samples {
			from, to := row[x*p.samples:][:p.samples], out[x*(p.samples-1):][:p.samples-1]
			light := most - uint64(from[3])
			for c := range 3 {
				to[c] = U(light - (uint64(from[c])*light+most/2)/most)
			}
			copy(to[3:], from[4:])
		}
	}
}

// finishWide returns the finisher of 32 and 64 bits.
func finishWide[U uint32 | uint64](p *picture) finisher[U] {
	return func(_, row []U) error {
		if p.photometric == whiteIsZero && p.dtype.IsInteger() && (p.dtype == tensor.Uint32 || p.dtype == tensor.Uint64) {
			for i := 0; i < len(row); i += p.samples {
				row[i] = ^row[i]
			}
		}
		return nil
	}
}
