package jpeg

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// abbreviated splits a file into its tables and the rest.
func abbreviated(data []byte) (tables, rest []byte) {
	tables, rest = []byte{0xff, soi}, []byte{0xff, soi}
	for at := 2; ; {
		marker, n := data[at+1], 2+int(binary.BigEndian.Uint16(data[at+2:]))
		switch marker {
		case dqt, dht:
			tables = append(tables, data[at:at+n]...)
		case sos:
			return append(tables, 0xff, eoi), append(rest, data[at:]...)
		default:
			rest = append(rest, data[at:at+n]...)
		}
		at += n
	}
}

// TestEmbedded decodes streams whose tables are elsewhere.
func TestEmbedded(t *testing.T) {
	for name, convert := range map[string]bool{"jpeg-420.jpg": true, "sampling-rgb-unequal.jpg": false, "jpeg-grey.jpg": true} {
		data := fixture(t, name)
		want := imgiotest.MustDecode(t, Open, data, raster.Options{})
		head, rest := abbreviated(data)
		tables, err := ReadTables(head)
		if err != nil {
			t.Fatal(err)
		}
		h, w := want.Shape[1], want.Shape[2]
		for range 2 {
			got, err := tables.Decode(rest, w, h, convert)
			if err != nil || !bytes.Equal(got.Pix8, tensor.Of[uint8](want)) {
				t.Errorf("%s: %v, or other samples", name, err)
			}
		}
		if _, err := tables.Decode(rest, w, h-1, convert); err == nil {
			t.Errorf("%s: a picture larger than its place is decoded", name)
		}
		_, err = (*Tables)(nil).Decode(rest, w, h, convert)
		imgiotest.WantError(t, err, "table")
	}
	_, err := ReadTables(fixture(t, "jpeg-420.jpg"))
	imgiotest.WantError(t, err, "want tables only")
}
