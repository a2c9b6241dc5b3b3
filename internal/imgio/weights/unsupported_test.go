package weights

import (
	"errors"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestUnsupportedTypes lists the files that tools/fixtures/unsupported.py makes
// with the libraries of the formats. Arrays of other types are refused by type and
// shape; the filter and the bias beside them are read.
func TestUnsupportedTypes(t *testing.T) {
	for _, c := range []struct {
		file    string
		list    list
		refused map[string]input.TypeError
	}{
		{"testdata/unsupported.safetensors", safetensorsMembers, map[string]input.TypeError{
			"scale.e4m3": {Type: "F8_E4M3", Shape: tensor.Shape{3, 2}},
			"scale.e5m2": {Type: "F8_E5M2", Shape: tensor.Shape{4}},
		}},
		{"testdata/unsupported.onnx", onnxMembers, map[string]input.TypeError{
			"quantised": {Type: "INT4", Shape: tensor.Shape{3, 3}},
			"scale":     {Type: "FLOAT8E4M3FN", Shape: tensor.Shape{5}},
			"labels":    {Type: "STRING", Shape: tensor.Shape{2}},
			"z":         {Type: "COMPLEX64", Shape: tensor.Shape{2}},
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			members, err := arrays(t, c.file, c.list)
			if err != nil {
				t.Fatal(err)
			}
			if len(members) != len(c.refused)+2 {
				t.Errorf("got %d arrays, want %d", len(members), len(c.refused)+2)
			}
			for name, want := range c.refused {
				_, err := read(t, members, name)
				var got *input.TypeError
				if !errors.As(err, &got) || got.Type != want.Type || !got.Shape.Equal(want.Shape) {
					t.Errorf("%s: got %v, want %s %s refused", name, err, want.Type, want.Shape)
				}
			}
			for name, shape := range map[string]tensor.Shape{"conv.weight": {2, 1, 2, 2}, "conv.bias": {2}} {
				got, err := read(t, members, name)
				if err != nil {
					t.Fatal(err)
				}
				want := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: shape})
				copy(tensor.Of[float32](want), []float32{0, .25, .5, .75, 1, 1.25, 1.5, 1.75})
				imgiotest.SameBits(t, got, want)
			}
		})
	}
}

// TestUnknownTypes: a number that TensorProto gains later is named as it is, and
// a shape that cannot be is refused before the type.
func TestUnknownTypes(t *testing.T) {
	a := onnxTensor{dtype: 99, dims: []int64{2, 3}}
	_, err := a.stored(nil)
	imgiotest.WantError(t, err, "dtype 99 of TensorProto: not supported, want a type such as FLOAT")
	a.dims = []int64{1 << 40, 1 << 40}
	_, err = a.stored(nil)
	imgiotest.WantError(t, err, "does not fit")
	_, err = readAll(safetensorsFile(`{"a":{"dtype":"F4","shape":[4611686018427387904,4],"data_offsets":[0,8]}}`, 8), safetensorsMembers)
	imgiotest.WantError(t, err, "does not fit")
}
