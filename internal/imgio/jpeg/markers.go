package jpeg

import (
	"bytes"
	"errors"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// markers is what the segments before the first scan say.
type markers struct {
	orientation int // of the first EXIF block, 1 to 8
	frame       *frame
}

// readMarkers reads the segments before the first scan. A missing or malformed
// EXIF block means upright, since broken metadata should not make a picture
// unreadable.
func readMarkers(in *input.File) (markers, error) {
	const exifPrefix = "Exif\x00\x00"
	m := markers{orientation: 1}
	b := newStream(in.Section(), 1<<12)
	if _, err := b.take(2); err != nil { // start of image
		return m, err
	}
	for exif := false; ; {
		marker, err := b.marker()
		if err != nil {
			return m, err
		}
		if marker == 0x01 || 0xd0 <= marker && marker <= 0xd7 { // markers without a segment
			continue
		}
		if marker == sos || marker == eoi {
			if m.frame == nil {
				return m, errors.New("has no frame header before its data")
			}
			return m, nil
		}
		data, err := b.segment()
		if err != nil {
			return m, err
		}
		switch {
		case isFrame(marker):
			if m.frame, err = parseFrame(marker, data); err != nil {
				return m, err
			}
		case marker == app1 && !exif:
			if exif = bytes.HasPrefix(data, []byte(exifPrefix)); exif {
				m.orientation = raster.Orientation(data[len(exifPrefix):])
			}
		}
	}
}
