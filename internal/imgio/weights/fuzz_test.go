package weights

import (
	"os"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
)

// FuzzSafetensors reads every array of a safetensors file.
func FuzzSafetensors(f *testing.F) {
	data, err := os.ReadFile("testdata/arrays.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("\x08\x00\x00\x00\x00\x00\x00\x00{      }"))
	f.Fuzz(func(t *testing.T, data []byte) { imgiotest.Members(t, safetensorsMembers, data) })
}

// FuzzONNX reads every array of a model.
func FuzzONNX(f *testing.F) {
	for _, name := range []string{modelONNX, constantsONNX} {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("\x08\x07\x3a\x02\x0a\x00"))
	f.Fuzz(func(t *testing.T, data []byte) { imgiotest.Members(t, onnxMembers, data) })
}

// FuzzTensorProto reads a single tensor.
func FuzzTensorProto(f *testing.F) {
	data, err := os.ReadFile(inputPB)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) { imgiotest.Members(t, tensorProtoMembers, data) })
}
