package pnm

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// tupleNames are PAM's types of tuples, by the number of channels.
var tupleNames = [...]string{1: "GRAYSCALE", 2: "GRAYSCALE_ALPHA", 3: "RGB", 4: "RGB_ALPHA"}

// Write writes a raster of the channels that the extension holds, raw: P4 for
// .pbm, P7 for .pam, else P5 for grey and P6 for RGB.
func Write(w io.Writer, r *raster.Raster, o format.Options) error {
	if o.Extension == ".pbm" {
		if _, err := fmt.Fprintf(w, "P4\n%d %d\n", r.Width, r.Height); err != nil {
			return err
		}
		if r.Pix16 != nil {
			return writeBits(w, r.Pix16, r.Width)
		}
		return writeBits(w, r.Pix8, r.Width)
	}
	head := fmt.Sprintf("P5\n%d %d\n%d\n", r.Width, r.Height, 1<<r.Depth()-1)
	switch {
	case o.Extension == ".pam":
		head = fmt.Sprintf("P7\nWIDTH %d\nHEIGHT %d\nDEPTH %d\nMAXVAL %d\nTUPLTYPE %s\nENDHDR\n",
			r.Width, r.Height, r.Channels, 1<<r.Depth()-1, tupleNames[r.Channels])
	case r.Channels == 3:
		head = "P6" + head[2:]
	}
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	if r.Pix16 == nil {
		_, err := w.Write(r.Pix8)
		return err
	}
	row := make([]byte, 2*r.Width*r.Channels)
	for pix := r.Pix16; len(pix) > 0; pix = pix[len(row)/2:] {
		for i := range len(row) / 2 {
			binary.BigEndian.PutUint16(row[2*i:], pix[i])
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// writeBits packs rows of levels that are 0 or the largest: a bit is set where a
// pixel is black.
func writeBits[T uint8 | uint16](w io.Writer, pix []T, width int) error {
	row := make([]byte, (width+7)/8)
	for ; len(pix) > 0; pix = pix[width:] {
		clear(row)
		for x, v := range pix[:width] {
			if v == 0 {
				row[x/8] |= 0x80 >> (x % 8)
			}
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
