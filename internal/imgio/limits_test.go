package imgio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestLimits reads a file at each limit, and refuses one that is larger by one
// with a *LimitError.
func TestLimits(t *testing.T) {
	row := func(width, height int) []byte { // grey, black
		return pngFile(uint32(width), uint32(height), 8, 0, 0, idat(strings.Repeat("\x00"+strings.Repeat("\x00", width), height)), "IEND")
	}
	npy := func(length int) []byte {
		text := header("'<f4'", "False", "(3, 4)")
		return npyFile(2, text+strings.Repeat(" ", length-len(text)), 48)
	}
	npz := func(members int) []byte {
		arrays := make([]namedTensor, members)
		for i := range arrays {
			arrays[i] = namedTensor{fmt.Sprintf("m%d", i), small}
		}
		var out bytes.Buffer
		if err := writeNPZ(&out, arrays); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	safetensors := func(length int) []byte {
		text := `{"m0":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`
		out := binary.LittleEndian.AppendUint64(nil, uint64(length))
		return append(append(append(out, text...), bytes.Repeat([]byte(" "), length-len(text))...), 7)
	}
	one := Options{MaxPixels: 12}
	for _, c := range []struct {
		name         string
		fits, larger []byte
		options      Options
		says         string
	}{
		{"pixels", row(4, 3), row(13, 1), one, "png: got 13x1 = 13 pixels, want <= 12 (--max-pixels)"},
		{"width", row(12, 1), row(13, 1), Options{MaxSide: 12}, "png: got size 13x1, want sides <= 12 (--max-side)"},
		{"height", row(1, DefaultMaxSide), row(1, DefaultMaxSide+1), Options{}, "png: got size 1x65536, want sides <= 65535 (--max-side)"},
		{"npy header", npy(npyMaxHeader), npy(npyMaxHeader + 1), Options{}, "npy: header: got 10001 bytes, want <= 10000"},
		{"npz members", npz(npzMaxMembers), npz(npzMaxMembers + 1), Options{}, "npz: got 1025 members, want <= 1024"},
		{"safetensors header", safetensors(safetensorsMaxHeader), safetensors(safetensorsMaxHeader + 1), Options{}, "safetensors: header: got 16777217 bytes, want <= 16777216"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fits := writeFile(t, "fits", c.fits)
			if c.name == "npz members" {
				fits += "#m0"
			}
			mustRead(t, fits, c.options)
			err := readError(t, writeFile(t, "larger", c.larger), c.options)
			wantError(t, err, "larger: ", c.says)
			var limit *LimitError
			if !errors.As(err, &limit) {
				t.Errorf("got %T, want a *LimitError", err)
			}
		})
	}
}

// TestStreamLimit keeps no more of a picture that comes through a pipe than it
// may.
func TestStreamLimit(t *testing.T) {
	var out bytes.Buffer
	r := &raster{width: 1500, height: 1500, channels: 1, pix8: make([]uint8, 1500*1500)}
	if err := writeBMP(&out, r); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	got, info := mustRead(t, "-", Options{Stdin: bytes.NewReader(data), MaxMemory: len(data)})
	if got.Len() < 1500*1500 || info.Decoding < len(data) {
		t.Errorf("got %s, and %d bytes for decoding, want the %d of the stream among them", got.Spec, info.Decoding, len(data))
	}
	rest := bytes.NewReader(data)
	err := readError(t, "-", Options{Stdin: rest, MaxMemory: len(data) - 1})
	wantError(t, err, "-: got more than", "through a pipe", "(--max-memory)")
	rest = bytes.NewReader(data)
	_ = readError(t, "-", Options{Stdin: rest, MaxMemory: 1000})
	if rest.Len() < len(data)-2*pieceSize {
		t.Errorf("%d of %d bytes were read, want no more than two pieces", len(data)-rest.Len(), len(data))
	}
}

// TestPieces reads a stream that is kept in pieces anywhere.
func TestPieces(t *testing.T) {
	for _, size := range []int{0, 1, pieceSize - 1, pieceSize, pieceSize + 1, 2*pieceSize + 7} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * 31 >> 3)
		}
		var p pieces
		if err := p.fill(bytes.NewReader(data), int64(size)); err != nil || p.size != int64(size) {
			t.Fatalf("%d bytes: got %d, %v", size, p.size, err)
		}
		want := bytes.NewReader(data)
		for _, at := range []int64{0, 1, pieceSize - 3, pieceSize, int64(size) - 2, int64(size), int64(size) + 5} {
			if at < 0 {
				continue
			}
			a, b := make([]byte, 9), make([]byte, 9)
			n, err := p.ReadAt(a, at)
			m, errWant := want.ReadAt(b, at)
			if n != m || !bytes.Equal(a, b) || (err == nil) != (errWant == nil) {
				t.Errorf("%d bytes, at %d: got %d %v, want %d %v", size, at, n, err, m, errWant)
			}
		}
	}
}

// TestDecodingIsStated: a decoder's own memory is known for each format.
func TestDecodingIsStated(t *testing.T) {
	for name, want := range map[string]int{
		"testdata/jpeg-grey.jpg": 1, "testdata/jpeg-444.jpg": 3, "testdata/lossless-rgb.webp": 8, "testdata/opaque.gif": 1,
	} {
		_, info := mustRead(t, name, Options{})
		pixels, _ := tensor.Product(info.Spec.Shape[1], info.Spec.Shape[2])
		if info.Decoding < want*pixels || info.Decoding > 2*want*(pixels+64*(info.Spec.Shape[1]+info.Spec.Shape[2])) {
			t.Errorf("%s: got %d bytes for %d pixels, want about %d each", name, info.Decoding, pixels, want)
		}
	}
}
