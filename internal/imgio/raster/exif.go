package raster

import (
	"bytes"
	"encoding/binary"
)

// Orientation returns the orientation, 1 to 8, in an EXIF block: the tag in the
// first directory of a TIFF structure, with or without "Exif" in front of it. It
// returns 1 (upright) if there is none: broken metadata should not make a picture
// unreadable.
func Orientation(data []byte) int {
	const tag, short = 0x0112, 3
	data = bytes.TrimPrefix(data, []byte("Exif\x00\x00"))
	if len(data) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch string(data[:4]) {
	case "II*\x00":
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := uint64(order.Uint32(data[4:]))
	if at+2 > uint64(len(data)) {
		return 1
	}
	entries := data[at+2:]
	for n := order.Uint16(data[at:]); n > 0 && len(entries) >= 12; n, entries = n-1, entries[12:] {
		if order.Uint16(entries) != tag || order.Uint16(entries[2:]) != short {
			continue
		}
		if v := order.Uint16(entries[8:]); v >= 1 && v <= 8 {
			return int(v)
		}
		return 1
	}
	return 1
}
