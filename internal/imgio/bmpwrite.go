package imgio

import (
	"encoding/binary"
	"io"
)

// writeBMP writes an 8-bit raster of 1, 3 or 4 channels: grey with a palette of
// greys, RGB with 24 bits, RGBA with 32 bits and the masks of a BITMAPV4HEADER,
// which say where the alpha is.
func writeBMP(w io.Writer, r *raster) error {
	const fileHeader, infoHeader, v4Header = 14, 40, 108
	const pixelsPerMetre = 2835 // 72 dpi
	order := binary.LittleEndian
	bits, info, colours := 8*r.channels, infoHeader, 0
	switch r.channels {
	case 1:
		colours = 256
	case 4:
		info = v4Header
	}
	stride := (r.width*r.channels + 3) &^ 3
	offset := fileHeader + info + 4*colours

	head := []byte("BM")
	head = order.AppendUint32(head, uint32(offset+stride*r.height))
	head = order.AppendUint32(head, 0)
	head = order.AppendUint32(head, uint32(offset))
	head = order.AppendUint32(head, uint32(info))
	head = order.AppendUint32(head, uint32(r.width))
	head = order.AppendUint32(head, uint32(r.height)) // positive: last row first
	head = order.AppendUint16(head, 1)
	head = order.AppendUint16(head, uint16(bits))
	compression := uint32(0)
	if r.channels == 4 {
		compression = 3 // samples by masks
	}
	head = order.AppendUint32(head, compression)
	head = order.AppendUint32(head, uint32(stride*r.height))
	head = order.AppendUint32(head, pixelsPerMetre)
	head = order.AppendUint32(head, pixelsPerMetre)
	head = order.AppendUint32(head, uint32(colours))
	head = order.AppendUint32(head, 0)
	if r.channels == 4 {
		for _, mask := range []uint32{0xff0000, 0xff00, 0xff, 0xff000000} {
			head = order.AppendUint32(head, mask)
		}
		head = append(head, "BGRs"...) // sRGB, whose end points and gammas need not be told
		head = append(head, make([]byte, v4Header-infoHeader-4*4-4)...)
	}
	for i := range colours {
		head = append(head, byte(i), byte(i), byte(i), 0)
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	row := make([]byte, stride)
	n := r.width * r.channels
	for y := r.height - 1; y >= 0; y-- {
		copy(row, r.pix8[y*n:(y+1)*n])
		if r.channels >= 3 {
			for i := 0; i < n; i += r.channels {
				row[i], row[i+2] = row[i+2], row[i]
			}
		}
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}
