package tiff

import (
	"bytes"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestAssociatedAlpha reads a TIFF with premultiplied alpha.
func TestAssociatedAlpha(t *testing.T) {
	mark := []byte{0x52, 0x01, 3, 0, 1, 0, 0, 0, 2, 0} // extra samples: straight alpha
	for _, c := range []struct{ stored, want *tensor.Tensor }{
		{tensor.From([]uint8{128, 64, 0, 128, 9, 200, 100, 100, 5, 6, 7, 0}, 1, 1, 3, 4),
			tensor.From([]uint8{255, 128, 0, 128, 23, 255, 255, 100, 0, 0, 0, 0}, 1, 1, 3, 4)},
		{tensor.From([]uint16{1, 2, 3, 65535, 20000, 10000, 40000, 40000}, 1, 1, 2, 4),
			tensor.From([]uint16{1, 2, 3, 65535, 32768, 16384, 65535, 40000}, 1, 1, 2, 4)},
	} {
		var out bytes.Buffer
		err := Write(&out, imgiotest.Raster(c.stored))
		data := out.Bytes()
		if err != nil || bytes.Count(data, mark) != 1 {
			t.Fatalf("got %d marks, %v", bytes.Count(data, mark), err)
		}
		data[bytes.Index(data, mark)+8] = 1
		imgiotest.SameBits(t, imgiotest.MustDecode(t, Open, data, raster.Options{}), c.want)
	}
}
