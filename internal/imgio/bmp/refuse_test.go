package bmp

import (
	"encoding/binary"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// bmpFile makes a BMP of 2 by 2 pixels with a changed header.
func bmpFile(change func(b []byte), pixels ...byte) []byte {
	b := []byte("BM")
	for _, v := range []uint32{0, 0, 54 + 8, 40, 2, 2, 1 | 8<<16, 0, 0, 0, 0, 2, 0, 0, 0xffffff} { // two colours
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	change(b)
	return append(b, pixels...)
}

func TestRefusals(t *testing.T) {
	rows := []byte{0, 1, 0, 0, 1, 0, 0, 0}
	set := func(at int, v uint32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) }
	}
	runs := set(30, rle8)
	got := imgiotest.MustDecode(t, Open, bmpFile(func([]byte) {}, rows...), raster.Options{})
	imgiotest.SameBits(t, got, tensor.From([]uint8{255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255}, 1, 2, 2, 3))
	imgiotest.MustDecode(t, Open, bmpFile(func([]byte) {}, rows[:6]...), raster.Options{}) // the last row's padding may be missing
	for _, c := range []struct {
		file []byte
		says string
	}{
		{bmpFile(set(14, 41), rows...), "got a header of 41 bytes, want 12, 40,"},
		{bmpFile(set(18, 0), rows...), "got size 0x2, want at least 1x1"},
		{bmpFile(set(18, 1<<31), rows...), "got size -2147483648x2"},
		{bmpFile(set(22, 0), rows...), "got size 2x0"},
		{bmpFile(set(26, 2|8<<16), rows...), "got 2 planes, want 1"},
		{bmpFile(set(26, 1|7<<16), rows...), "got compression 0 with 7 bits"},
		{bmpFile(set(30, 4), rows...), "got compression 4 with 8 bits"},
		{bmpFile(set(30, rle4), rows...), "got compression 2 with 8 bits"},
		{bmpFile(set(46, 257), rows...), "got a palette of 257 colours, want <= 256 for 8 bits"},
		{bmpFile(set(10, 53), rows...), "got pixels at byte 53, want them after the header's 54"},
		{bmpFile(set(10, 54), rows...), "the palette is missing"},
		{bmpFile(set(10, 1<<31), rows...), "2 of 2 rows missing, the file is cut"},
		{bmpFile(func([]byte) {}, rows[:5]...), "1 of 2 rows missing, the file is cut"},
		{bmpFile(func([]byte) {}, 0, 2, 0, 0, 0, 0, 0, 0), "row 0 of 2: got palette index 2, want < 2"},
		{bmpFile(func(b []byte) { runs(b); set(22, 0xfffffffe)(b) }), "got runs from the top"},
		{bmpFile(runs, 3, 1), "got 3 pixels at (0,0), want them within 2x2"},
		{bmpFile(runs, 2, 1, 0, 0, 2, 1, 0, 0, 1, 1), "got 1 pixels at (0,2), want them within 2x2"},
		{bmpFile(runs, 0, 2, 1, 200, 1, 1), "got 1 pixels at (1,200)"},
		{bmpFile(runs, 2, 1, 0), "2 of 2 rows missing, the file is cut"},
		{bmpFile(runs, 2, 1, 0, 0, 1, 1), "1 of 2 rows missing, the file is cut"},
		{bmpFile(runs, 0, 3, 1, 1), "2 of 2 rows missing, the file is cut"},
		{bmpFile(runs, 1, 9), "row 0 of 2: got palette index 9, want < 2"},
		{bmpFile(func(b []byte) { set(26, 1|32<<16)(b); set(30, bitFields)(b); set(10, 66)(b); set(54, 5)(b) }, rows...), "got mask 0x00000005, want a run of ones within 32 bits"},
		{bmpFile(func(b []byte) { set(26, 1|16<<16)(b); set(30, bitFields)(b); set(10, 66)(b); set(54, 0x1f0000)(b) }, rows...), "got mask 0x001f0000, want a run of ones within 16 bits"},
		{bmpFile(func(b []byte) { set(26, 1|32<<16)(b); set(30, bitFields)(b); set(10, 66)(b); set(58, 0)(b) }, 0, 0, 0, 0), "got no masks"},
	} {
		_, _, err := imgiotest.Decode(Open, c.file, raster.Options{})
		imgiotest.WantError(t, err, c.says)
	}
}
