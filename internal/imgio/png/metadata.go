package png

import (
	"encoding/binary"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// exifBytes is how much of an EXIF block is read: its first directory is at the
// front.
const exifBytes = 1 << 16

// orientation returns the EXIF orientation, which may stand after the pixel data.
// A block that is cut or malformed means upright.
// Checksums are verified when the picture is decoded.
func orientation(in *input.File) int {
	s := input.NewSkipper(in)
	if s.Skip(int64(len(magic))) != nil {
		return 1
	}
	for {
		var head [8]byte
		if _, err := io.ReadFull(s, head[:]); err != nil {
			return 1
		}
		n := int64(binary.BigEndian.Uint32(head[:]))
		if string(head[4:]) == "eXIf" {
			data := make([]byte, min(n, exifBytes))
			if _, err := io.ReadFull(s, data); err != nil {
				return 1
			}
			return raster.Orientation(data)
		}
		if string(head[4:]) == "IEND" || s.Skip(n+4) != nil { // 4 bytes of checksum
			return 1
		}
	}
}
