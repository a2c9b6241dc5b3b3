package imgio

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// The fixtures are made by tools/fixtures/weights.py with the libraries of the
// two formats.
const (
	modelONNX       = "testdata/weights/model.onnx"
	arraysST        = "testdata/weights/arrays.safetensors"
	expectedWeights = "testdata/weights/expected.npz"
)

// TestWeights reads every array of both files as their own libraries do.
func TestWeights(t *testing.T) {
	all, err := List(expectedWeights)
	if err != nil || len(all) < 50 {
		t.Fatalf("got %d arrays (%v), want the 50 and more that the script makes", len(all), err)
	}
	listed := map[string]bool{}
	for format, file := range map[string]string{"onnx": modelONNX, "safetensors": arraysST} {
		members, err := List(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			listed[format+"/"+m.Name] = true
			t.Run(format+"/"+m.Name, func(t *testing.T) {
				want, _ := mustRead(t, expectedWeights+"#"+format+"/"+m.Name, Options{})
				got, info := mustRead(t, file+"#"+m.Name, Options{})
				if !m.Spec.Equal(got.Spec) || info.Picture || info.Format.String() != format {
					t.Errorf("got %+v, listed as %s, read as %s", info, m.Spec, got.Spec)
				}
				sameBits(t, got, want)
			})
		}
	}
	for _, m := range all {
		if !listed[m.Name] {
			t.Errorf("%s is not listed", m.Name)
		}
	}
}

// TestWeightUses tells what an ONNX model does with an array.
func TestWeightUses(t *testing.T) {
	members, err := List(modelONNX)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{
		"conv.weight": {"Conv W", "OIHW"}, "conv.bias": {"Conv B", ""}, "conv1d.weight": {"Conv W", "OIW"}, "conv3d.weight": {"Conv W", "OIDHW"},
		"up.weight": {"ConvTranspose W", "IOHW"}, "fc.weight": {"Gemm B", "OI"}, "mm.weight": {"MatMul B", "IO"}, "bn.mean": {"BatchNormalization mean", ""}, "scalar": {"", ""},
	} {
		i := slices.IndexFunc(members, func(m Member) bool { return m.Name == name })
		if i < 0 || members[i].Use != want[0] || members[i].Layout != want[1] {
			t.Errorf("%s: got %+v, want %q", name, members[i], want)
		}
	}
}

// TestWeightsThroughPipes reads from standard input what is in one file.
func TestWeightsThroughPipes(t *testing.T) {
	for _, file := range []string{modelONNX, arraysST} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		wantError(t, readError(t, "-", Options{Stdin: bytes.NewReader(data)}), "arrays, want one of them by name")
	}
}

// safetensorsFile makes a file of a header and so many bytes of data.
func safetensorsFile(header string, size int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, size)...)
}

func TestBadSafetensorsAreRefused(t *testing.T) {
	ok := `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`
	mustRead(t, writeFile(t, "ok.safetensors", safetensorsFile(ok, 8)), Options{})
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
		"type unknown": {safetensorsFile(`{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}`, 8), "got type F8_E4M3"},
		"no arrays":    {safetensorsFile(`{"__metadata__":{"a":"b"}}`, 0), "holds no arrays"},
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, readError(t, writeFile(t, "x.safetensors", c.file), Options{}), c.want)
		})
	}
}

// TestDamagedWeights cuts and changes the fixtures at every byte: each either
// reads or is refused with an error of one line.
func TestDamagedWeights(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{modelONNX, arraysST} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		try := func(damaged []byte) {
			path := filepath.Join(dir, "x")
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			members, err := List(path)
			if err != nil {
				if strings.Contains(err.Error(), "internal error") {
					t.Error(err)
				}
				return
			}
			for _, m := range members {
				if n, _ := m.Spec.Bytes(); n > 1<<20 {
					t.Errorf("%s: listed as %s, of a file of %d bytes", m.Name, m.Spec, len(damaged))
				} else if s, err := Open(path+"#"+m.Name, Options{}); err == nil {
					if _, err := s.Read(); err != nil && strings.Contains(err.Error(), "internal error") {
						t.Error(err)
					}
					_ = s.Close()
				}
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
		return path + "#outside"
	}
	wantError(t, readError(t, write("model.data"), Options{}), "external data: model.data", "no such file")
	wantError(t, readError(t, write("../model.d"), Options{}), `got location "../model.d"`, "inside the model's folder")
	wantError(t, readError(t, write("/tmp/model"), Options{}), "inside the model's folder")
	if err := os.Symlink(secret, filepath.Join(folder, "model.link")); err != nil {
		t.Fatal(err)
	}
	wantError(t, readError(t, write("model.link"), Options{}), "external data: model.link")
	if err := os.WriteFile(filepath.Join(folder, "model.data"), make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, readError(t, write("model.data"), Options{}), "got 36 bytes from 64 on, want 64")
	if err := os.WriteFile(filepath.Join(folder, "model.data"), make([]byte, 128), 0o600); err != nil {
		t.Fatal(err)
	}
	got, _ := mustRead(t, write("model.data"), Options{})
	if got.Len() != 16 || got.DType != tensor.Float32 {
		t.Errorf("got %s", got.Spec)
	}
}
