package npy

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// npyFile makes an .npy file with that header and so many bytes of data.
func npyFile(major byte, text string, data int) []byte {
	out := append([]byte(magic), major, 0)
	if major == 1 {
		out = binary.LittleEndian.AppendUint16(out, uint16(len(text)))
	} else {
		out = binary.LittleEndian.AppendUint32(out, uint32(len(text)))
	}
	return append(append(out, text...), make([]byte, data)...)
}

func dict(descr, fortran, shape string) string {
	return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", descr, fortran, shape)
}

// TestNPYHeaders reads headers that NumPy accepts, and refuses others with the value
// and the rule.
func TestNPYHeaders(t *testing.T) {
	good := []string{
		dict("'<f4'", "False", "(3, 4)"),
		dict(`"<f4"`, "False", "(3,4,)"),
		dict("'float32'", "False", "(12,)"),
		dict("'f4'", "False", "(3L, 4L)"),
		dict("'=f4'", "False", "(3, 4, 1)"),
		"{'shape':(2,6),'fortran_order':False,'descr':'<f4'}",
		"  { 'shape' : ( 2 , 6 ) ,\t'fortran_order' :\nTrue , 'descr' : '>f4' , }      \n",
	}
	for _, h := range good {
		for major := byte(1); major <= 3; major++ {
			got := mustRead(t, npyFile(major, h, 48))
			if got.Len() != 12 || got.DType != tensor.Float32 {
				t.Errorf("%q: got %s", h, got.Spec)
			}
		}
	}
	bad := map[string]string{
		dict("'|O'", "False", "(3, 4)"):                                             "dtype |O: object arrays are refused (they hold Python pickles)",
		dict("'<c8'", "False", "(3, 4)"):                                            "dtype <c8: complex numbers are not supported",
		dict("'|S3'", "False", "(3, 4)"):                                            "dtype |S3: byte strings are not numbers",
		dict("'<U4'", "False", "(3, 4)"):                                            "dtype <U4: strings are not numbers",
		dict("'|V8'", "False", "(3, 4)"):                                            "dtype |V8: raw bytes are not numbers",
		dict("'>V2'", "False", "(3, 4)"):                                            "dtype >V2: raw bytes are not numbers",
		dict("'<M8[s]'", "False", "(3, 4)"):                                         "dtype <M8[s]: dates are not supported",
		dict("'<m8[ns]'", "False", "(3, 4)"):                                        "dtype <m8[ns]: time differences are not supported",
		dict("'<f16'", "False", "(3, 4)"):                                           "dtype <f16: want one of uint8,",
		dict("'<f3'", "False", "(3, 4)"):                                            "dtype <f3: want one of",
		dict("'<<f4'", "False", "(3, 4)"):                                           "dtype <<f4: want one of",
		dict("''", "False", "(3, 4)"):                                               "dtype '': want one of",
		dict("[('x', '<f4'), ('y', '<i2')]", "False", "()"):                         "dtype [('x', '<f4'), ('y', '<i2')]: structured arrays are not supported",
		dict("('<f4', (2, 2))", "False", "(3,)"):                                    "dtype ('<f4', (2, 2)): want a string such as '<f4'",
		dict("'<f4'", "1", "(3, 4)"):                                                "fortran_order: got 1, want True or False",
		dict("'<f4'", "'False'", "(3, 4)"):                                          "fortran_order: got 'False', want True or False",
		dict("'<f4'", "None", "(3, 4)"):                                             "fortran_order: got None",
		dict("'<f4'", "False", "12"):                                                "shape: got 12, want a tuple of whole numbers",
		dict("'<f4'", "False", "(12)"):                                              "shape: got 12, want a tuple",
		dict("'<f4'", "False", "[3, 4]"):                                            "shape: got [3, 4], want a tuple",
		dict("'<f4'", "False", "(3.0, 4)"):                                          "got a number that begins with 3., want a whole number",
		dict("'<f4'", "False", "(-3, -4)"):                                          "shape: got -3, want 0 <= n < 2^63",
		dict("'<f4'", "False", "(9223372036854775808,)"):                            "shape: got 9223372036854775808, want 0 <= n < 2^63",
		dict("'<f4'", "False", "(4611686018427387904, 1)"):                          "their product does not fit in 63 bits",
		dict("'<f4'", "False", "(6148914691236517205,3,4)"):                         "their product does not fit in 63 bits",
		dict("'<f4'", "False", "(0,4294967296,4294967296)"):                         "their product does not fit in 63 bits",
		dict("'<f4'", "False", "("+strings.Repeat("1,", 65)+")"):                    "shape: got 65 dimensions, want <= 64",
		dict("'<f4'", "False", "(3, 5)"):                                            "got 48 of 60 bytes of data for float32 (3,5), the file is cut",
		dict("'<f4'", "False", "(3, 3)"):                                            "got 12 bytes after the data of float32 (3,3), want the end of the file",
		dict("'<f4'", "False", "(1000000,1000000,1000000)"):                         "got 48 of 4000000000000000000 bytes",
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
		imgiotest.WantError(t, readError(t, npyFile(2, h, 48)), "npy: ", says)
	}
	for _, c := range []struct {
		file []byte
		says string
	}{
		{[]byte("\x93NUMPY"), "npy: header: the file is cut"},
		{[]byte("\x93NUMPY\x01\x00"), "npy: header: the file is cut"},
		{[]byte("\x93NUMPY\x02\x00\x04\x00\x00\x00{}"), "npy: header: the file is cut"},
		{[]byte("\x93NUMPY\x04\x00\x04\x00{}"), "npy: got format version 4.0, want 1.0, 2.0 or 3.0"},
		{[]byte("\x93NUMPY\x01\x01\x04\x00{}"), "npy: got format version 1.1"},
		{[]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "npy: header: got 4294967295 bytes, want <= 10000"},
	} {
		imgiotest.WantError(t, readError(t, c.file), c.says)
	}
}

// member is a member of an archive to make. Fields that are not set get the right
// values.
type member struct {
	name   string
	data   []byte
	method uint16
	claims uint64 // uncompressed size
	sum    uint32
	mode   os.FileMode
	flags  uint16
}

func archive(t *testing.T, members ...member) []byte {
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
	return out.Bytes()
}

func TestNPZRefusals(t *testing.T) {
	data := npyFile(1, dict("'<f4'", "False", "(3, 4)"), 48)
	object := npyFile(1, dict("'|O'", "False", "(3, 4)"), 48)
	many := make([]member, maxMembers+1)
	for i := range many {
		many[i] = member{name: fmt.Sprintf("m%d.npy", i), data: data}
	}
	for _, c := range []struct {
		members []member
		says    string
	}{
		{nil, "the archive holds no arrays"},
		{many, "got 1025 members, want <= 1024"},
		{[]member{{name: "x.npy", data: object}}, `npy: dtype |O: object arrays are refused`},
		{[]member{{name: "../../x.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: "/tmp/x.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: `..\x.npy`, data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: "C:x.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: "a\x00.npy", data: data}}, "want a name that is no path out of the archive"},
		{[]member{{name: ".npy", data: data}}, "want a name"},
		{[]member{{name: "x.npy/"}}, "the archive holds no arrays"},
		{[]member{{name: "readme.txt", data: []byte("two arrays")}, {name: "empty"}}, "the archive holds no arrays"},
		{[]member{{name: "x.npy", data: []byte("target"), mode: os.ModeSymlink | 0o777}}, "want an ordinary member"},
		{[]member{{name: "x.npy", data: data, flags: 1}}, "encrypted members are not supported"},
		{[]member{{name: "x.npy", data: data, method: 99}}, "got compression method 99, want stored or deflated"},
		{[]member{{name: "x.npy", data: data}, {name: "x", data: data}}, `member "x": the name occurs twice`},
		{[]member{{name: "x.npy", data: data, claims: 1 << 32, method: zip.Deflate}}, "want what deflate can hold"},
		{[]member{{name: "x.npy", data: data, claims: uint64(len(data) + 1)}}, "got 1 bytes after the data of float32 (3,4)"},
		{[]member{{name: "x.npy", data: data[:len(data)-1]}}, "got 47 of 48 bytes of data"},
		{[]member{{name: "x.npy", data: data, sum: 1}}, `zip: checksum error`},
		{[]member{{name: "x.npy", data: []byte("GIF89a")}}, `npy: header: the file is cut`},
	} {
		imgiotest.WantError(t, readArchiveError(archive(t, c.members...)), c.says)
	}
	whole := archive(t, member{name: "x", data: data})
	for n := range whole { // every cut
		if err := readArchiveError(whole[:n]); err == nil {
			t.Errorf("cut at %d: got no error", n)
		}
	}
	if err := readArchiveError(whole); err != nil {
		t.Error(err)
	}
}

// mustRead opens and reads bytes that must be an .npy file.
func mustRead(t testing.TB, data []byte) *tensor.Tensor {
	t.Helper()
	array, err := Open(imgiotest.File(data))
	if err != nil {
		t.Fatal(err)
	}
	got, err := array.Read()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// readError opens and reads bytes that must be refused, and returns why.
func readError(t testing.TB, data []byte) error {
	t.Helper()
	array, err := Open(imgiotest.File(data))
	if err != nil {
		return err
	}
	got, err := array.Read()
	if err == nil {
		t.Fatalf("read as %s, want an error", got.Spec)
	}
	return err
}

// readArchiveError opens and reads every array of an archive and returns the
// first error.
func readArchiveError(data []byte) error {
	members, err := Members(imgiotest.File(data))
	if err != nil {
		return err
	}
	for _, m := range members {
		array, err := m.Open()
		if err != nil {
			return err
		}
		if _, err := array.Read(); err != nil {
			return err
		}
	}
	return nil
}

// TestLimits reads a file at each limit, and refuses one that is larger by one
// with a *LimitError.
func TestLimits(t *testing.T) {
	file := func(length int) []byte {
		text := dict("'<f4'", "False", "(3, 4)")
		return npyFile(2, text+strings.Repeat(" ", length-len(text)), 48)
	}
	npz := func(members int) []byte {
		arrays := make([]format.Named, members)
		for i := range arrays {
			arrays[i] = format.Named{Name: fmt.Sprintf("m%d", i), Tensor: small}
		}
		var out bytes.Buffer
		if err := WriteArchive(&out, arrays); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	isLimit := func(err error, says string) {
		t.Helper()
		imgiotest.WantError(t, err, says)
		var limit *input.LimitError
		if !errors.As(err, &limit) {
			t.Errorf("got %T, want a *LimitError", err)
		}
	}
	mustRead(t, file(maxHeader))
	isLimit(readError(t, file(maxHeader+1)), "npy: header: got 10001 bytes, want <= 10000")
	if err := readArchiveError(npz(maxMembers)); err != nil {
		t.Error(err)
	}
	isLimit(readArchiveError(npz(maxMembers+1)), "got 1025 members, want <= 1024")
}

// small is any array.
var small = tensor.From([]uint8{1, 2, 3, 4}, 1, 2, 2, 1)
