package npy

import (
	"bufio"
	"bytes"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

func FuzzHeader(f *testing.F) {
	f.Add("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }")
	f.Add("{'shape': (3L,), \"descr\": [('a', '|O')], 'fortran_order': None}")
	f.Add("((((((-1, +2, [{}, {'a': ()}])))))")
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHeader(text, tensor.BFloat16)
		if err != nil {
			return
		}
		if n, err := h.spec.Bytes(); err != nil || n < 0 {
			t.Fatalf("%q: got %s of %d bytes, %v", text, h.spec, n, err)
		}
		again, err := parseHeader(string(headerBytes(h.spec)[10:]), tensor.BFloat16)
		if err != nil || !again.spec.Equal(h.spec) {
			t.Fatalf("%q: got %s, written and read again %s, %v", text, h.spec, again.spec, err)
		}
	})
}

func FuzzNPZ(f *testing.F) {
	var out bytes.Buffer
	if err := WriteArchive(&out, []format.Named{{Name: "a", Tensor: small}, {Name: "b/c", Tensor: small}}); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add(out.Bytes()[100:])
	f.Fuzz(func(t *testing.T, data []byte) {
		imgiotest.Members(t, Members, append([]byte("PK\x03\x04"), data[min(4, len(data)):]...))
	})
}

// FuzzNPY reads whole .npy files, with and without random access.
func FuzzNPY(f *testing.F) {
	f.Add(npyFile(1, dict("'<f4'", "False", "(3, 4)"), 48))
	f.Add(npyFile(2, dict("'>u2'", "True", "(2, 3, 1)"), 12))
	f.Add(npyFile(3, dict("'|b1'", "False", "()"), 1))
	f.Fuzz(func(t *testing.T, data []byte) {
		data = append([]byte(magic), data[min(len(magic), len(data)):]...)
		imgiotest.Array(t, func() (input.Array, error) { return Open(imgiotest.File(data)) })
		stream := &input.File{Stream: bufio.NewReader(bytes.NewReader(data))}
		imgiotest.Array(t, func() (input.Array, error) { return Open(stream) })
	})
}
