package imgio

import (
	"bytes"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/bmp"
	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestStreamLimit: no more than the limit is kept of a picture from a pipe.
func TestStreamLimit(t *testing.T) {
	var out bytes.Buffer
	r := &raster.Raster{Width: 1500, Height: 1500, Channels: 1, Pix8: make([]uint8, 1500*1500)}
	if err := bmp.Write(&out, r); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	got, info := mustRead(t, "-", Options{Stdin: bytes.NewReader(data), MaxMemory: len(data)})
	if got.Len() < 1500*1500 || info.Decoding < len(data) {
		t.Errorf("got %s, and %d bytes for decoding, want the %d of the stream among them", got.Spec, info.Decoding, len(data))
	}
	rest := bytes.NewReader(data)
	err := readError(t, "-", Options{Stdin: rest, MaxMemory: len(data) - 1})
	imgiotest.WantError(t, err, "-: got more than", "through a pipe", "(--max-memory)")
	rest = bytes.NewReader(data)
	_ = readError(t, "-", Options{Stdin: rest, MaxMemory: 1000})
	if rest.Len() < len(data)-2*(1<<16) {
		t.Errorf("%d of %d bytes were read, want no more than two pieces", len(data)-rest.Len(), len(data))
	}
}

// TestDecodingIsStated: Info says how much memory each decoder needs.
func TestDecodingIsStated(t *testing.T) {
	for name, want := range map[string]int{
		"jpeg/testdata/jpeg-grey.jpg": 1, "jpeg/testdata/jpeg-444.jpg": 3, "webp/testdata/lossless-rgb.webp": 8, "gif/testdata/opaque.gif": 1,
	} {
		_, info := mustRead(t, name, Options{})
		pixels, _ := tensor.Product(info.Spec.Shape[1], info.Spec.Shape[2])
		if info.Decoding < want*pixels || info.Decoding > 2*want*(pixels+64*(info.Spec.Shape[1]+info.Spec.Shape[2])) {
			t.Errorf("%s: got %d bytes for %d pixels, want about %d each", name, info.Decoding, pixels, want)
		}
	}
}
