package weights

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/npy"
	"github.com/poolctl/poolctl/internal/tensor"
)

// tools/fixtures/onnx_forms.py makes the fixtures with ONNX's own library.
const (
	constantsONNX = "testdata/constants.onnx"
	inputPB       = "testdata/input_0.pb"
)

// TestONNXForms reads arrays in Constant nodes, sparse ones, those of inner graphs
// and those behind Identity nodes, and a single TensorProto, as ONNX's library
// does.
func TestONNXForms(t *testing.T) {
	all, err := arrays(t, "testdata/onnx_forms.npz", npy.Members)
	if err != nil {
		t.Fatal(err)
	}
	members, err := arrays(t, constantsONNX, onnxMembers)
	if err != nil {
		t.Fatal(err)
	}
	single, err := arrays(t, inputPB, tensorProtoMembers)
	if err != nil || len(single) != 1 || single[0].Name != "x" {
		t.Fatalf("got %v, %v", single, err)
	}
	if len(members) != len(all) { // text for input_0.pb
		t.Errorf("got %d arrays, want %d", len(members), len(all))
	}
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) {
			want, err := read(t, all, m.Name)
			if err != nil {
				t.Fatal(err)
			}
			from, name := members, m.Name
			if name == "input_0.pb" {
				from, name = single, "x"
			}
			got, err := read(t, from, name)
			if err != nil {
				t.Fatal(err)
			}
			imgiotest.SameBits(t, got, want)
		})
	}
	var refused *input.TypeError
	if _, err := read(t, members, "text"); !errors.As(err, &refused) || refused.Type != "STRING" {
		t.Errorf("text: got %v, want STRING refused", err)
	}
	for name, want := range map[string]input.Use{
		"conv.w": {Operator: "Conv W", Layout: "OIHW"}, "and_again": {Operator: "Gemm B", Layout: "OI"}, "if_1.else_branch/w": {Operator: "MatMul B", Layout: "IO"}, "ints": {},
	} {
		i := slices.IndexFunc(members, func(m input.Member) bool { return m.Name == name })
		if i < 0 || members[i].Use != want {
			t.Errorf("%s: got %+v, want %+v", name, members, want)
		}
	}
}

// TestBeginnings: TensorProtos, models and saved models of TensorFlow are told
// apart by their first bytes.
func TestBeginnings(t *testing.T) {
	pb, err := os.ReadFile(inputPB)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		head            string
		onnx, one, save bool
	}{
		{string(pb[:16]), false, true, false},
		{"\x08\x80\x28\x10\x01", false, true, false}, // 5120 numbers: the third byte is one of a model's
		{"\x10\x01\x22\x04\x00\x00\x80\x3f", false, true, false},
		{"\x0a\x02\x01\x02\x10\x01\x4a\x00", false, true, false},
		{"\x08\x07\x12\x07pytorch", true, false, false},
		{"\x08\x07\x3a\x02\x0a\x00", true, false, false},
		{"\x08\x01\x12\xe4\x12\x0a\xc2", false, false, true},
		{"\x08\x01\x08\x01", false, false, false}, // cut
		{"\n\n\n text", false, false, false},
		{"\x10\x00\x4a\x00", false, false, false}, // the type UNDEFINED
		{"", false, false, false},
	} {
		head := []byte(c.head)
		if got := looksONNX(head); got != c.onnx {
			t.Errorf("%q: got a model: %t", c.head, got)
		}
		if got := looksTensorProto(head); got != c.one {
			t.Errorf("%q: got a TensorProto: %t", c.head, got)
		}
		if got := LooksSavedModel(head); got != c.save {
			t.Errorf("%q: got a saved model: %t", c.head, got)
		}
	}
}

// sparseMessage is a SparseTensorProto of float32 values in a matrix.
func sparseMessage(t *testing.T, dims []int64, at int64) input.Array {
	t.Helper()
	// values {dims 1, FLOAT, raw}, indices {dims 1, INT64, int64_data}
	message := []byte("\x0a\x0a\x08\x01\x10\x01\x4a\x04\x00\x00\x80\x3f\x12\x07\x08\x01\x10\x07\x3a\x01")
	message = append(message, byte(at))
	for _, d := range dims {
		message = append(message, 0x18)
		for ; d >= 0x80; d >>= 7 {
			message = append(message, byte(d)|0x80)
		}
		message = append(message, byte(d))
	}
	a := onnxArray{form: onnxSparse, message: field{kind: 2, size: int64(len(message))}}
	array, err := a.open(imgiotest.File(message))
	if err != nil {
		array.Read = func() (*tensor.Tensor, error) { return nil, err }
	}
	return array
}

// TestSparseBounds: a sparse array of few values does not claim much, and each
// value has a place.
func TestSparseBounds(t *testing.T) {
	if got, err := sparseMessage(t, []int64{32, 32}, 33).Read(); err != nil || got.At(33) != 1 || got.Len() != 1024 {
		t.Errorf("got %v, %v", got, err)
	}
	_, err := sparseMessage(t, []int64{1 << 20, 1 << 10}, 3).Read()
	imgiotest.WantError(t, err, "got 1 values for (1048576,1024), want one for at most 1024 elements")
	_, err = sparseMessage(t, []int64{4, 4}, 16).Read()
	imgiotest.WantError(t, err, "indices: got 16, want 0 to 15")
	_, err = sparseMessage(t, []int64{1 << 40, 1 << 40}, 3).Read()
	imgiotest.WantError(t, err, "does not fit")
}

// TestONNXLimits: what a model claims costs little memory until a limit is met.
func TestONNXLimits(t *testing.T) {
	empty := make([]byte, 0, 40<<20)
	empty = append(empty, 0x08, 0x07, 0x3a, 0x80, 0x80, 0x80, 0x10, 0x2a, 0xfb, 0xff, 0xff, 0x0f) // a graph of 32 MiB, an initialiser
	for len(empty) < 7+32<<20 {
		empty = append(empty, 0x4a, 0x00) // raw_data
	}
	empty = empty[:8+32<<20]
	peak := testing.AllocsPerRun(1, func() {
		_, err := onnxMembers(imgiotest.File(empty))
		var limit *input.LimitError
		if err != nil && !errors.As(err, &limit) && !errors.Is(err, errWire) {
			t.Errorf("got %v", err)
		}
	})
	if peak > 100_000 {
		t.Errorf("got %g allocations", peak)
	}
	_, err := parseONNXTensor(&wire{window: &window{fields: wireMaxFields}, end: 1}, field{kind: 2, size: 1})
	imgiotest.WantError(t, err, "got more than 16777216 fields of protocol-buffer messages")
}
