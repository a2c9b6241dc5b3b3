package bmp

import (
	"encoding/binary"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Write writes an 8-bit raster of 1, 3 or 4 channels: grey with a palette of greys,
// RGB with 24 bits, RGBA with 32 bits and the masks of a BITMAPV4HEADER.
func Write(w io.Writer, r *raster.Raster) error {
	const fileHeader, infoHeader, v4Header = 14, 40, 108
	const pixelsPerMetre = 2835 // 72 dpi
	order := binary.LittleEndian
	bits, info, colours := 8*r.Channels, infoHeader, 0
	switch r.Channels {
	case 1:
		colours = 256
	case 4:
		info = v4Header
	}
	stride := (r.Width*r.Channels + 3) &^ 3
	offset := fileHeader + info + 4*colours

	head := []byte("BM")
	head = order.AppendUint32(head, uint32(offset+stride*r.Height))
	head = order.AppendUint32(head, 0)
	head = order.AppendUint32(head, uint32(offset))
	head = order.AppendUint32(head, uint32(info))
	head = order.AppendUint32(head, uint32(r.Width))
	head = order.AppendUint32(head, uint32(r.Height)) // positive: last row first
	head = order.AppendUint16(head, 1)
	head = order.AppendUint16(head, uint16(bits))
	compression := uint32(0)
	if r.Channels == 4 {
		compression = 3 // samples by masks
	}
	head = order.AppendUint32(head, compression)
	head = order.AppendUint32(head, uint32(stride*r.Height))
	head = order.AppendUint32(head, pixelsPerMetre)
	head = order.AppendUint32(head, pixelsPerMetre)
	head = order.AppendUint32(head, uint32(colours))
	head = order.AppendUint32(head, 0)
	if r.Channels == 4 {
		for _, mask := range []uint32{0xff0000, 0xff00, 0xff, 0xff000000} {
			head = order.AppendUint32(head, mask)
		}
		head = append(head, "BGRs"...) // sRGB; its end points and gammas stay zero
		head = append(head, make([]byte, v4Header-infoHeader-4*4-4)...)
	}
	for i := range colours {
		head = append(head, byte(i), byte(i), byte(i), 0)
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	row := make([]byte, stride)
	n := r.Width * r.Channels
	for y := r.Height - 1; y >= 0; y-- {
		copy(row, r.Pix8[y*n:(y+1)*n])
		if r.Channels >= 3 {
			for i := 0; i < n; i += r.Channels {
				row[i], row[i+2] = row[i+2], row[i]
			}
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
