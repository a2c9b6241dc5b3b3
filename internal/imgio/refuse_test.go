package imgio

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/adler32"
	"hash/crc32"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// npyFile makes an .npy file with any header.
func npyFile(major byte, header string, data int) []byte {
	out := append([]byte(npyMagic), major, 0)
	if major == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(header)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(header)))
	}
	return append(append(out, header...), make([]byte, data)...)
}

func header(descr, fortran, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, fortran, shape)
}

// TestNPYHeaders reads headers that NumPy takes, and refuses the others with
// the value and the rule.
func TestNPYHeaders(t *testing.T) {
	good := []string{
		header("'<f4'", "False", "(3, 4)"),
		header(`"<f4"`, "False", "(3,4,)"),
		header("'float32'", "False", "(12,)"),
		header("'f4'", "False", "(3L, 4L)"),
		header("'=f4'", "False", "(3, 4, 1)"),
		"{'shape':(2,6),'fortran_order':False,'descr':'<f4'}",
		"  { 'shape' : ( 2 , 6 ) ,\t'fortran_order' :\nTrue , 'descr' : '>f4' , }      \n",
	}
	for _, h := range good {
		for major := byte(1); major <= 3; major++ {
			got, _ := mustRead(t, writeFile(t, "x.npy", npyFile(major, h, 48)), Options{})
			if got.Len() != 12 || got.DType != tensor.Float32 {
				t.Errorf("%q: got %s", h, got.Spec)
			}
		}
	}
	bad := map[string]string{
		header("'|O'", "False", "(3, 4)"):                                           "dtype '|O': object arrays are refused (they hold Python pickles)",
		header("'<c8'", "False", "(3, 4)"):                                          "dtype '<c8': complex numbers are not supported",
		header("'|S3'", "False", "(3, 4)"):                                          "dtype '|S3': byte strings are not numbers",
		header("'<U4'", "False", "(3, 4)"):                                          "dtype '<U4': strings are not numbers",
		header("'|V8'", "False", "(3, 4)"):                                          "dtype '|V8': raw bytes are not numbers",
		header("'<M8[s]'", "False", "(3, 4)"):                                       "dtype '<M8[s]': dates are not supported",
		header("'<m8[ns]'", "False", "(3, 4)"):                                      "dtype '<m8[ns]': time differences are not supported",
		header("'<f16'", "False", "(3, 4)"):                                         "dtype '<f16': want one of uint8,",
		header("'<f3'", "False", "(3, 4)"):                                          "dtype '<f3': want one of",
		header("'<<f4'", "False", "(3, 4)"):                                         "dtype '<<f4': want one of",
		header("''", "False", "(3, 4)"):                                             "dtype '': want one of",
		header("[('x', '<f4'), ('y', '<i2')]", "False", "()"):                       "dtype [('x', '<f4'), ('y', '<i2')]: structured arrays are not supported",
		header("('<f4', (2, 2))", "False", "(3,)"):                                  "dtype ('<f4', (2, 2)): want a string such as '<f4'",
		header("'<f4'", "1", "(3, 4)"):                                              "fortran_order: got 1, want True or False",
		header("'<f4'", "'False'", "(3, 4)"):                                        "fortran_order: got 'False', want True or False",
		header("'<f4'", "None", "(3, 4)"):                                           "fortran_order: got None",
		header("'<f4'", "False", "12"):                                              "shape: got 12, want a tuple of whole numbers",
		header("'<f4'", "False", "(12)"):                                            "shape: got 12, want a tuple",
		header("'<f4'", "False", "[3, 4]"):                                          "shape: got [3, 4], want a tuple",
		header("'<f4'", "False", "(3.0, 4)"):                                        "got a number that begins with 3., want a whole number",
		header("'<f4'", "False", "(-3, -4)"):                                        "shape: got -3, want 0 <= n < 2^63",
		header("'<f4'", "False", "(9223372036854775808,)"):                          "shape: got 9223372036854775808, want 0 <= n < 2^63",
		header("'<f4'", "False", "(4611686018427387904, 1)"):                        "their product does not fit in 63 bits",
		header("'<f4'", "False", "(6148914691236517205,3,4)"):                       "their product does not fit in 63 bits",
		header("'<f4'", "False", "(0,4294967296,4294967296)"):                       "their product does not fit in 63 bits",
		header("'<f4'", "False", "("+strings.Repeat("1,", 65)+")"):                  "shape: got 65 dimensions, want <= 64",
		header("'<f4'", "False", "(3, 5)"):                                          "got 48 of 60 bytes of data for float32 (3,5), the file is cut",
		header("'<f4'", "False", "(3, 3)"):                                          "got 12 bytes after the data of float32 (3,3), want the end of the file",
		header("'<f4'", "False", "(1000000,1000000,1000000)"):                       "got 48 of 4000000000000000000 bytes",
		"{'descr': '<f4', 'shape': (3, 4)}":                                         `header: key "fortran_order" is missing`,
		"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3, 4)}": `header: got key "descr" twice`,
		"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), 'x': 1}":         "header: got key 'x', want descr, fortran_order and shape",
		"{1: '<f4'}":               "header: got key 1, want",
		"['<f4', False, (3, 4)]":   "header: got a list, want a dictionary",
		"'<f4'":                    "header: got a string, want a dictionary",
		"{'descr'":                 "header: ends in the middle",
		"{'descr' '<f4'}":          "header: got '\\'' at byte 9, want a Python literal",
		"{'descr: ":                "header: ends within a string",
		"{'descr': '\\x3cf4'}":     "want one without escapes",
		"":                         "header: ends in the middle",
		"{}\x00":                   "after the dictionary, want white space",
		"{} {}":                    "after the dictionary, want white space",
		"__import__('os')":         "header: got '_' at byte 0, want a Python literal",
		"{'descr': dtype('f4')}":   "header: got 'd' at byte 10, want a Python literal",
		"{'shape': (-, )}":         "want a Python literal",
		strings.Repeat("(", 100):   "header: got brackets nested deeper than 32",
		strings.Repeat(" ", 20000): "header: got 20000 bytes, want <= 10000",
	}
	for h, says := range bad {
		wantError(t, readError(t, writeFile(t, "x.npy", npyFile(2, h, 48)), Options{}), "x.npy: npy: ", says)
	}
	for _, c := range []struct {
		file []byte
		says string
	}{
		{nil, "the file is empty"},
		{[]byte("\x93NUMPY"), "npy: header: the file is cut"},
		{[]byte("\x93NUMPY\x01\x00"), "npy: header: the file is cut"},
		{[]byte("\x93NUMPY\x02\x00\x04\x00\x00\x00{}"), "npy: header: the file is cut"},
		{[]byte("\x93NUMPY\x04\x00\x04\x00{}"), "npy: got format version 4.0, want 1.0, 2.0 or 3.0"},
		{[]byte("\x93NUMPY\x01\x01\x04\x00{}"), "npy: got format version 1.1"},
		{[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "npy: header: got 4294967295 bytes, want <= 10000"},
		{[]byte("\x80\x04\x95pickle"), `begins with "\x80\x04\x95pickl", want a file of npy, npz, png,`},
	} {
		wantError(t, readError(t, writeFile(t, "x.npy", c.file), Options{}), "x.npy: ", c.says)
	}
}

// member is a member of an archive to be made; fields that are not set are
// what they should be.
type member struct {
	name   string
	data   []byte
	method uint16
	claims uint64 // uncompressed size
	sum    uint32
	mode   os.FileMode
	flags  uint16
}

func archive(t *testing.T, members ...member) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, m := range members {
		h := &zip.FileHeader{Name: m.name, Method: m.method, Flags: m.flags, CompressedSize64: uint64(len(m.data)), UncompressedSize64: uint64(len(m.data)), CRC32: crc32.ChecksumIEEE(m.data)}
		if m.claims != 0 {
			h.UncompressedSize64 = m.claims
		}
		if m.sum != 0 {
			h.CRC32 = m.sum
		}
		if m.mode != 0 {
			h.SetMode(m.mode)
		}
		entry, err := w.CreateRaw(h)
		if err == nil {
			_, err = entry.Write(m.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "x.npz", out.Bytes())
}

func TestNPZRefusals(t *testing.T) {
	data := npyFile(1, header("'<f4'", "False", "(3, 4)"), 48)
	object := npyFile(1, header("'|O'", "False", "(3, 4)"), 48)
	many := make([]member, npzMaxMembers+1)
	for i := range many {
		many[i] = member{name: fmt.Sprintf("m%d.npy", i), data: data}
	}
	for _, c := range []struct {
		members []member
		says    string
	}{
		{nil, "npz: the archive holds no arrays"},
		{many, "npz: got 1025 members, want <= 1024"},
		{[]member{{name: "x.npy", data: object}}, `npz: member "x": npy: dtype '|O': object arrays are refused`},
		{[]member{{name: "../../x.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: "/tmp/x.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: `..\x.npy`, data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: "C:x.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: "a\x00.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: ".npy", data: data}}, "want a name"},
		{[]member{{name: "x.npy/"}}, "want an ordinary member"},
		{[]member{{name: "x.npy", data: []byte("target"), mode: os.ModeSymlink | 0o777}}, "want an ordinary member"},
		{[]member{{name: "x.npy", data: data, flags: 1}}, "encrypted members are not supported"},
		{[]member{{name: "x.npy", data: data, method: 99}}, "got compression method 99, want stored or deflated"},
		{[]member{{name: "x.npy", data: data}, {name: "x", data: data}}, `member "x": the name occurs twice`},
		{[]member{{name: "x.npy", data: data, claims: 1 << 32, method: zip.Deflate}}, "want what deflate can hold"},
		{[]member{{name: "x.npy", data: data, claims: uint64(len(data) + 1)}}, "got 1 bytes after the data of float32 (3,4)"},
		{[]member{{name: "x.npy", data: data[:len(data)-1]}}, "got 47 of 48 bytes of data"},
		{[]member{{name: "x.npy", data: data, sum: 1}}, `npz: member "x": zip: checksum error`},
		{[]member{{name: "x.npy", data: []byte("GIF89a")}}, `npz: member "x": npy: header: the file is cut`},
	} {
		wantError(t, readError(t, archive(t, c.members...), Options{}), "x.npz: ", c.says)
	}
	whole, _ := os.ReadFile(archive(t, member{name: "x", data: data}))
	for n := range whole { // every cut
		_ = readError(t, "-", Options{Stdin: bytes.NewReader(whole[:n])})
	}
	got, _ := mustRead(t, writeFile(t, "no extension", whole), Options{})
	if got.Len() != 12 {
		t.Errorf("got %s", got.Spec)
	}
}

// pngFile assembles a PNG from its header's fields and further chunks.
func pngFile(width, height uint32, depth, colour, interlace byte, chunks ...string) []byte {
	var out bytes.Buffer
	out.WriteString(pngMagic)
	ihdr := binary.BigEndian.AppendUint32(nil, width)
	ihdr = binary.BigEndian.AppendUint32(ihdr, height)
	_ = writeChunk(&out, "IHDR", append(ihdr, depth, colour, 0, 0, interlace))
	for _, c := range chunks {
		_ = writeChunk(&out, c[:4], []byte(c[4:]))
	}
	return out.Bytes()
}

// idat compresses raw rows.
func idat(raw string) string {
	data := deflate([]byte(raw), true)
	return "IDAT\x78\x5e" + string(binary.BigEndian.AppendUint32(data, adler32.Checksum([]byte(raw))))
}

func TestPNGRefusals(t *testing.T) {
	row := idat("\x00\x05")
	palette := "PLTE\x01\x02\x03\x04\x05\x06"
	for _, c := range []struct {
		file []byte
		says string
	}{
		{pngFile(0, 1, 8, 0, 0, row, "IEND"), "got size 0x1, want at least 1x1"},
		{pngFile(1<<31, 1, 8, 0, 0, row, "IEND"), "got size 2147483648x1, want < 2^31"},
		{pngFile(1, 1, 3, 0, 0, row, "IEND"), "got colour type 0 with 3 bits"},
		{pngFile(1, 1, 4, 2, 0, row, "IEND"), "got colour type 2 with 4 bits"},
		{pngFile(1, 1, 8, 5, 0, row, "IEND"), "got colour type 5 with 8 bits"},
		{pngFile(1, 1, 8, 0, 2, row, "IEND"), "got compression 0, filter 0, interlace 2"},
		{pngFile(1, 1, 8, 3, 0, row, "IEND"), "the palette is missing"},
		{pngFile(1, 1, 8, 3, 0, palette, row, "IEND"), "row 0 of 1: got palette index 5, want < 2"},
		{pngFile(1, 1, 8, 3, 1, palette, row, "IEND"), "interlace pass 1 of 7: row 0 of 1: got palette index 5, want < 2"},
		{pngFile(1, 1, 8, 3, 0, palette, palette, row), "want at most one"},
		{pngFile(1, 1, 8, 0, 0, palette, row), "in a colour picture"},
		{pngFile(1, 1, 8, 3, 0, "PLTE\x01\x02", row), "chunk PLTE: got 2 bytes, want 3 for each of 1 to 256 colours"},
		{pngFile(1, 1, 1, 3, 0, "PLTE123456789", row), "chunk PLTE: got 9 bytes, want 3 for each of 1 to 2 colours"},
		{pngFile(1, 1, 8, 3, 0, "tRNS\x01", palette, row), "chunk tRNS: got 1 entries, want at most the palette's 0"},
		{pngFile(1, 1, 8, 0, 0, "tRNS\x01", row), "chunk tRNS: got 1 bytes, want 2"},
		{pngFile(1, 1, 8, 4, 0, "tRNS\x01\x02", row), "which has its own alpha"},
		{pngFile(1, 1, 8, 0, 0, "tRNS\x01\x02", "tRNS\x01\x02", row), "got chunk tRNS twice"},
		{pngFile(1, 1, 8, 0, 0, "ABCDx", row), `got chunk "ABCD", want IHDR, PLTE, IDAT, IEND once`},
		{pngFile(1, 1, 8, 0, 0, idat("\x07\x05"), "IEND"), "row 0 of 1: got filter 7, want 0 to 4"},
		{pngFile(1, 400, 8, 0, 0, idat(strings.Repeat("\x00\x05", 388)), "IEND"), "12 of 400 rows missing, the file is cut"},
		{pngFile(1, 1, 8, 0, 0, idat("\x00\x05\x00\x05"), "IEND"), "got more pixels than the 1x1 of the header"},
		{pngFile(1, 1, 8, 0, 0, row[:len(row)-1]+"!", "IEND"), "compressed data: zlib: invalid checksum"},
		{pngFile(1, 1, 8, 0, 0, "IDATnonsense", "IEND"), "compressed data: zlib: invalid header"},
		{pngFile(1, 1, 8, 0, 0, row), "the file is cut"},
		{append(pngFile(1, 1, 8, 0, 0), "\x80\x00\x00\x00IDAT"...), `chunk "IDAT": got length 2147483648, want < 2^31`},
	} {
		wantError(t, readError(t, writeFile(t, "x.png", c.file), Options{}), "x.png: png: ", c.says)
	}
	whole, err := os.ReadFile("testdata/rgba16@interlaced.png")
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		wantError(t, readError(t, "-", Options{Stdin: bytes.NewReader(whole[:n])}), "-: ")
	}
	for i := 8; i < len(whole); i++ { // every byte but the signature's has a checksum over it, or is one
		flipped := bytes.Clone(whole)
		flipped[i] ^= 0x10
		_ = readError(t, "-", Options{Stdin: bytes.NewReader(flipped)})
	}
}

// bmpFile makes a BMP of 2 by 2 pixels with the fields that matter changed.
func bmpFile(change func(b []byte), pixels ...byte) []byte {
	b := []byte("BM")
	for _, v := range []uint32{0, 0, 54 + 8, 40, 2, 2, 1 | 8<<16, 0, 0, 0, 0, 2, 0, 0, 0xffffff} { // two colours
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	change(b)
	return append(b, pixels...)
}

func TestBMPRefusals(t *testing.T) {
	rows := []byte{0, 1, 0, 0, 1, 0, 0, 0}
	set := func(at int, v uint32) func([]byte) {
		return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) }
	}
	runs := set(30, bmpRLE8)
	got, _ := mustRead(t, writeFile(t, "x.bmp", bmpFile(func([]byte) {}, rows...)), Options{})
	sameBits(t, got, tensor.From([]uint8{255, 255, 255, 0, 0, 0, 0, 0, 0, 255, 255, 255}, 1, 2, 2, 3))
	mustRead(t, writeFile(t, "x.bmp", bmpFile(func([]byte) {}, rows[:6]...)), Options{}) // the last row's padding may be missing
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
		{bmpFile(set(30, bmpRLE4), rows...), "got compression 2 with 8 bits"},
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
		{bmpFile(func(b []byte) { set(26, 1|32<<16)(b); set(30, bmpBitFields)(b); set(10, 66)(b); set(54, 5)(b) }, rows...), "got mask 0x00000005, want a run of ones within 32 bits"},
		{bmpFile(func(b []byte) { set(26, 1|16<<16)(b); set(30, bmpBitFields)(b); set(10, 66)(b); set(54, 0x1f0000)(b) }, rows...), "got mask 0x001f0000, want a run of ones within 16 bits"},
		{bmpFile(func(b []byte) { set(26, 1|32<<16)(b); set(30, bmpBitFields)(b); set(10, 66)(b); set(58, 0)(b) }, 0, 0, 0, 0), "got no masks"},
	} {
		wantError(t, readError(t, writeFile(t, "x.bmp", c.file), Options{}), "x.bmp: bmp: ", c.says)
	}
}

// TestPixelLimit refuses large pictures by their headers: with a typed error,
// naming the flag, and without allocating what they claim.
func TestPixelLimit(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, size := range [][2]uint32{{100000, 100000}, {1<<31 - 1, 1<<31 - 1}, {1<<31 - 1, 1}, {10001, 10000}} {
		_, err := Open(writeFile(t, "x.png", pngFile(size[0], size[1], 16, 6, 0, idat("\x00"), "IEND")), Options{})
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Fatalf("%v: got %v, want a limit error", size, err)
		}
		wantError(t, err, fmt.Sprintf("x.png: png: got %dx%d = ", size[0], size[1]), "pixels, want <= 100000000 (--max-pixels)")
	}
	for _, name := range []string{"rgb8.png", "exif-6.jpg", "opaque.gif", "bmp-24.bmp", "tiff-rgb@raw.tif", "lossy-rgb.webp"} {
		_, info := mustRead(t, filepath.Join("testdata", name), Options{})
		pixels := info.Spec.Shape[1] * info.Spec.Shape[2]
		mustRead(t, filepath.Join("testdata", name), Options{MaxPixels: pixels})
		_, err := Open(filepath.Join("testdata", name), Options{MaxPixels: pixels - 1})
		var limit *LimitError
		if !errors.As(err, &limit) {
			t.Errorf("%s: got %v, want a limit error", name, err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
		t.Errorf("allocated %d bytes, want less than 32 MiB", got)
	}
}

// TestCutPictures cuts a picture of each format at every length: the result is
// an error or, where only a trailer is missing, the picture.
func TestCutPictures(t *testing.T) {
	for _, name := range []string{"jpeg-progressive.jpg", "exif-6.jpg", "transparent.gif", "bmp-palette.bmp", "bmp-rle8.bmp", "tiff-rgb@tiff_lzw.tif", "lossy-rgba.webp", "lossless-rgb.webp"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		want, _ := mustRead(t, filepath.Join("testdata", name), Options{})
		for n := 1; n < len(whole); n++ {
			s, err := Open("-", Options{Stdin: bytes.NewReader(whole[:n])})
			if err == nil {
				var got *tensor.Tensor
				if got, err = s.Read(); err == nil {
					sameBits(t, got, want)
					continue
				}
			}
			wantError(t, err, "-: ")
			if strings.Contains(err.Error(), "internal error") {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
		}
	}
}

// TestGuard turns a decoder's panic into an error, from its goroutines too.
func TestGuard(t *testing.T) {
	s := &Source{Name: "x.png", read: func() (*tensor.Tensor, error) {
		bands(100, 1, func(lo, hi int) {
			if lo == 57 {
				panic("index out of range")
			}
		})
		return nil, nil
	}}
	_, err := s.Read()
	wantError(t, err, "x.png: internal error, please report it with the file: index out of range")
}

// TestOddNames opens files whose names look like archive members.
func TestOddNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a#b.npy", "a#b.npz"} {
		path := filepath.Join(dir, name)
		save(t, Output{Name: strings.Replace(path, "#", "-", 1), Tensor: small})
		if err := os.Rename(strings.Replace(path, "#", "-", 1), path); err != nil {
			t.Fatal(err)
		}
		got, _ := mustRead(t, path, Options{})
		sameBits(t, got, small)
	}
	got, _ := mustRead(t, filepath.Join(dir, "a#b.npz#arr_0"), Options{})
	sameBits(t, got, small)
	_, err := Open(filepath.Join(dir, "a#b.npy#x"), Options{})
	wantError(t, err, "a#b.npy#x: #x names a member, but the file is npy, want npz, safetensors or onnx")
	_, err = Open("-", Options{})
	wantError(t, err, "-: there is no standard input")
}
