package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/npy"
	"github.com/poolctl/poolctl/internal/tensor"
)

// tools/fixtures/weights.py makes the fixtures with the libraries of the formats.
const (
	modelONNX       = "testdata/model.onnx"
	arraysST        = "testdata/arrays.safetensors"
	expectedWeights = "testdata/expected.npz"
)

// list lists the arrays of a file.
type list func(*input.File) ([]input.Member, error)

// arrays opens every array of a file.
func arrays(t *testing.T, name string, list list) ([]input.Member, error) {
	t.Helper()
	file, _, err := input.Open(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return list(file)
}

// read opens and reads the array of that name.
func read(t *testing.T, members []input.Member, name string) (*tensor.Tensor, error) {
	t.Helper()
	i := slices.IndexFunc(members, func(m input.Member) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("%s is not listed", name)
	}
	array, err := members[i].Open()
	if err != nil {
		return nil, err
	}
	got, err := array.Read()
	if err == nil && !array.Spec.Equal(got.Spec) {
		t.Errorf("%s: opened as %s, read as %s", name, array.Spec, got.Spec)
	}
	return got, err
}

// TestWeights reads every array of both files as their own libraries do.
func TestWeights(t *testing.T) {
	all, err := arrays(t, expectedWeights, npy.Members)
	if err != nil || len(all) < 50 {
		t.Fatalf("got %d arrays (%v), want the 50 and more that the script makes", len(all), err)
	}
	files := map[string][]input.Member{}
	for format, file := range map[string]struct {
		name string
		list list
	}{"onnx": {modelONNX, onnxMembers}, "safetensors": {arraysST, safetensorsMembers}} {
		if files[format], err = arrays(t, file.name, file.list); err != nil {
			t.Fatal(err)
		}
	}
	if listed := len(files["onnx"]) + len(files["safetensors"]); listed != len(all) {
		t.Errorf("got %d arrays listed, want %d", listed, len(all))
	}
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) {
			want, err := read(t, all, m.Name)
			if err != nil {
				t.Fatal(err)
			}
			format, name, _ := strings.Cut(m.Name, "/")
			got, err := read(t, files[format], name)
			if err != nil {
				t.Fatal(err)
			}
			imgiotest.SameBits(t, got, want)
		})
	}
}

// TestWeightUses: the list says how an ONNX model uses an array.
func TestWeightUses(t *testing.T) {
	members, err := arrays(t, modelONNX, onnxMembers)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]input.Use{
		"conv.weight": {Operator: "Conv W", Layout: "OIHW"}, "conv.bias": {Operator: "Conv B"}, "conv1d.weight": {Operator: "Conv W", Layout: "OIW"}, "conv3d.weight": {Operator: "Conv W", Layout: "OIDHW"},
		"up.weight": {Operator: "ConvTranspose W", Layout: "IOHW"}, "fc.weight": {Operator: "Gemm B", Layout: "OI"}, "mm.weight": {Operator: "MatMul B", Layout: "IO"}, "bn.mean": {Operator: "BatchNormalization mean"}, "scalar": {},
	} {
		i := slices.IndexFunc(members, func(m input.Member) bool { return m.Name == name })
		if i < 0 || members[i].Use != want {
			t.Errorf("%s: got %+v, want %q", name, members[i], want)
		}
	}
}

// safetensorsFile makes a file of a header and so many bytes of data.
func safetensorsFile(header string, size int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, size)...)
}

func TestBadSafetensorsAreRefused(t *testing.T) {
	ok := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	if _, err := readAll(safetensorsFile(ok, 8), safetensorsMembers); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"cut":          {safetensorsFile(ok, 7), "up to byte 8 of 7, the file is cut"},
		"longer":       {safetensorsFile(ok, 9), "got 1 bytes after the last array"},
		"header cut":   {safetensorsFile(ok, 0)[:20], "the file is cut"},
		"header long":  {slices.Concat([]byte{0, 0, 0, 2, 0, 0, 0, 0}, []byte(ok)), "got 33554432 bytes, want <= 16777216"},
		"no json":      {safetensorsFile(`{"a":1}`, 0), `member "a"`},
		"more json":    {safetensorsFile(ok+`{}`, 8), "nothing but spaces"},
		"wrong size":   {safetensorsFile(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8), "got 8 bytes of data for float32 (3), want 12"},
		"negative":     {safetensorsFile(`{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}`, 8), "want sizes >= 0"},
		"overflow":     {safetensorsFile(`{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}`, 8), "4611686018427387904"},
		"fraction":     {safetensorsFile(`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,8]}}`, 8), `member "a"`},
		"gap":          {safetensorsFile(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8), "want them to begin at 0"},
		"overlap":      {safetensorsFile(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}`, 8), "want them to begin at 8"},
		"backwards":    {safetensorsFile(`{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,-8]}}`, 8), "want them to begin at 0"},
		"twice":        {safetensorsFile(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`, 8), "occurs twice"},
		"type unknown": {safetensorsFile(`{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}`, 8), "dtype F8_E4M3: not supported, want a type such as F32"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readAll(c.file, safetensorsMembers)
			imgiotest.WantError(t, err, c.want)
		})
	}
}

// readAll opens and reads every array of a file, and returns how many there are.
func readAll(data []byte, list list) (int, error) {
	members, err := list(imgiotest.File(data))
	for _, m := range members {
		array, err := m.Open()
		if err == nil {
			_, err = array.Read()
		}
		if err != nil {
			return 0, err
		}
	}
	return len(members), err
}

// TestSafetensorsLimit reads a header at the limit, and refuses one that is
// larger by one with a *LimitError.
func TestSafetensorsLimit(t *testing.T) {
	file := func(length int) []byte {
		text := `{"m0":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`
		return safetensorsFile(text+strings.Repeat(" ", length-len(text)), 1)
	}
	if n, err := readAll(file(safetensorsMaxHeader), safetensorsMembers); n != 1 || err != nil {
		t.Errorf("got %d arrays, %v", n, err)
	}
	_, err := readAll(file(safetensorsMaxHeader+1), safetensorsMembers)
	imgiotest.WantError(t, err, "header: got 16777217 bytes, want <= 16777216")
	var limit *input.LimitError
	if !errors.As(err, &limit) {
		t.Errorf("got %T, want a *LimitError", err)
	}
}

// TestDamagedWeights cuts and changes the fixtures at every byte: each either
// reads or is refused with an error of one line, and claims nothing large.
func TestDamagedWeights(t *testing.T) {
	for file, list := range map[string]list{modelONNX: onnxMembers, constantsONNX: onnxMembers, inputPB: tensorProtoMembers, arraysST: safetensorsMembers} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		try := func(damaged []byte) {
			members, err := list(imgiotest.File(damaged))
			imgiotest.CheckError(t, err)
			for _, m := range members {
				imgiotest.Array(t, func() (input.Array, error) {
					array, err := m.Open()
					if n, _ := array.Spec.Bytes(); err == nil && n > 1<<20 {
						t.Fatalf("%s: opened as %s, of a file of %d bytes", m.Name, array.Spec, len(damaged))
					}
					return array, err
				})
			}
		}
		for i := range data {
			if i%3 == 0 {
				try(data[:i])
			}
			for _, flip := range []byte{0x80, 0x01, 0xff} {
				changed := slices.Clone(data)
				changed[i] ^= flip
				try(changed)
			}
		}
	}
}

// TestExternalDataStaysInTheFolder refuses locations that lead elsewhere.
func TestExternalDataStaysInTheFolder(t *testing.T) {
	model, err := os.ReadFile(modelONNX)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder := filepath.Join(dir, "model")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "model.dat")
	if err := os.WriteFile(secret, make([]byte, 128), 0o600); err != nil {
		t.Fatal(err)
	}
	write := func(location string) string {
		path := filepath.Join(folder, "m.onnx")
		if err := os.WriteFile(path, bytes.Replace(model, []byte("model.data"), []byte(location), 1), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	outside := func(name string) (*tensor.Tensor, error) {
		members, err := arrays(t, name, onnxMembers)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, members, "outside")
	}
	refused := func(location string, parts ...string) {
		t.Helper()
		_, err := outside(write(location))
		imgiotest.WantError(t, err, parts...)
	}
	refused("model.data", "external data: model.data", "no such file")
	refused("../model.d", `got location "../model.d"`, "inside the model's folder")
	refused("/tmp/model", "inside the model's folder")
	if err := os.Symlink(secret, filepath.Join(folder, "model.link")); err != nil {
		t.Fatal(err)
	}
	refused("model.link", "external data: model.link")
	if err := os.WriteFile(filepath.Join(folder, "model.data"), make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("model.data", "got 36 bytes from 64 on, want 64")
	if err := os.WriteFile(filepath.Join(folder, "model.data"), make([]byte, 128), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := outside(write("model.data"))
	if err != nil || got.Len() != 16 || got.DType != tensor.Float32 {
		t.Errorf("got %v, %v", got, err)
	}
}
