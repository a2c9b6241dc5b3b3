//go:build !race

package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
)

// These tests are left out with the race detector, which needs memory of its
// own.

// TestStatedMemory runs random operations on random files: the memory that
// --dry-run states is at most 64 MiB below the measured peak, and at most twice
// the peak.
func TestStatedMemory(t *testing.T) {
	folder := t.TempDir()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range repeats(12, 200) {
		args := randomOperation(t, random, folder)
		var plan struct {
			Memory struct{ Peak, Decode, Compute, Encode int }
		}
		text := succeed(t, folder, append(args, "--dry-run", "--json")...)
		var nested struct{ Operation json.RawMessage }
		if err := json.Unmarshal([]byte(text), &nested); err == nil && nested.Operation != nil {
			text = string(nested.Operation)
		}
		if err := json.Unmarshal([]byte(text), &plan); err != nil {
			t.Fatal(err)
		}
		m := measure(t, folder, args...)
		stated := plan.Memory.Peak
		command := "poolctl " + strings.Join(args, " ")
		if m.Code != 0 {
			t.Fatalf("%d: %s: exit code %d, %s", i, command, m.Code, m.Stderr)
		}
		t.Logf("%d: stated %d MiB (%d, %d, %d), measured %d MiB: %s", i, stated>>20,
			plan.Memory.Decode>>20, plan.Memory.Compute>>20, plan.Memory.Encode>>20, m.Peak>>20, command)
		if m.Peak > stated+64<<20 || stated > 2*m.Peak {
			t.Errorf("%d: stated %d MiB, measured %d MiB, want at most 64 MiB more and at least half: %s", i, stated>>20, m.Peak>>20, command)
		}
	}
}

// TestStatedMemoryOfPipelines is TestStatedMemory for the pipelines of configs/
// that take pictures of any size, on one and on several.
func TestStatedMemoryOfPipelines(t *testing.T) {
	folder := workFolder(t)
	random := rand.New(rand.NewPCG(3, 4))
	configs, err := filepath.Abs("../../configs")
	if err != nil {
		t.Fatal(err)
	}
	height := repeats(900, 3000)
	tried := 0
	for _, name := range []string{"blur-pool", "edges", "inception-pooling-branch", "resnet-stem", "tutorial", "vgg-block"} {
		for _, n := range []int{1, 3} {
			var inputs []string
			for i := range n {
				file := fmt.Sprintf("%s%d%s", name, i, pick(random, ".jpg", ".png"))
				writeRandom(t, random, filepath.Join(folder, file), tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, height, height * 4 / 3, 3}}, 8)
				inputs = append(inputs, file)
			}
			args := append([]string{"run", filepath.Join(configs, name+".yaml")}, inputs...)
			args = append(args, "-o", fmt.Sprintf("%s-%d", name, n))
			stdout, stderr, code := run(t, folder, append(args, "--dry-run", "--report", "json")...)
			if code != 0 {
				t.Fatalf("%s: exit code %d, %s", strings.Join(args, " "), code, stderr)
			}
			stated := 0
			for decoder := json.NewDecoder(strings.NewReader(stdout)); decoder.More(); {
				var plan struct {
					Memory struct {
						Peak int `json:"peak_bytes"`
					}
				}
				if err := decoder.Decode(&plan); err != nil {
					t.Fatal(err)
				}
				stated = max(stated, plan.Memory.Peak)
			}
			m := measure(t, folder, append(args, "--quiet")...)
			t.Logf("stated %d MiB, measured %d MiB: poolctl %s", stated>>20, m.Peak>>20, strings.Join(args, " "))
			if m.Code != 0 || m.Peak > stated+64<<20 || stated > 2*m.Peak {
				t.Errorf("%s: exit code %d, stated %d MiB, measured %d MiB, want at most 64 MiB more and at least half", strings.Join(args, " "), m.Code, stated>>20, m.Peak>>20)
			}
			tried++
		}
	}
	if tried != 12 {
		t.Errorf("%d runs", tried)
	}
}

func pick[T any](random *rand.Rand, list ...T) T { return list[random.IntN(len(list))] }

// randomOperation writes an input and returns a command line for it.
func randomOperation(t *testing.T, random *rand.Rand, folder string) []string {
	t.Helper()
	channels := pick(random, 1, 2, 3, 4, 8, 16)
	elements := 1 << 20 * (2 + random.IntN(22))
	extension := pick(random, ".npy", ".npy", ".npy", ".npz", ".png", ".jpg", ".tif", ".bmp", ".gif", ".pam")
	dtype := pick(random, tensor.Float32, tensor.Float32, tensor.Float64, tensor.Float16, tensor.Uint8, tensor.Int16)
	batch, format, depth := 1, "", 8
	switch extension {
	case ".npy", ".npz":
		batch = pick(random, 1, 1, 3)
		format = pick(random, "", "", "NCHW")
	default:
		dtype, channels = tensor.Uint8, pick(random, 1, 3)
		if extension == ".png" || extension == ".tif" || extension == ".pam" {
			channels = pick(random, 1, 2, 3, 4)
			if random.IntN(2) == 0 {
				dtype, depth = tensor.Uint16, 16
			}
		}
		if extension == ".bmp" || extension == ".gif" {
			channels = 3
		}
	}
	pixels := elements / channels / batch
	width := 200 + random.IntN(2000)
	shape := tensor.Shape{batch, pixels/width + 1, width, channels}
	if format == "NCHW" {
		shape = tensor.Shape{batch, channels, pixels/width + 1, width}
	}
	writeRandom(t, random, filepath.Join(folder, "in"+extension), tensor.Spec{DType: dtype, Shape: shape}, depth)

	operation, out := randomFlags(random, channels)
	words := []string{operation, "in" + extension}
	if strings.HasPrefix(operation, "grad ") {
		words = []string{"grad", operation[len("grad "):], "in" + extension}
	}
	if format != "" {
		words = append(words, "--data-format", format)
	}
	words = append(words, out...)
	return append(words, "--threads", strconv.Itoa(1+random.IntN(8)))
}

// randomFlags returns an operation with its flags and its output.
func randomFlags(random *rand.Rand, channels int) (operation string, flags []string) {
	operation = pick(random, "pool", "pool", "pool", "conv2d", "conv2d", "depthwise-conv2d", "dilation2d", "conv2d-transpose", "relu", "grad pool", "grad conv2d")
	outChannels := channels
	switch operation {
	case "pool", "grad pool":
		flags = []string{"--type", pick(random, "max", "avg", "sum", "lp"), "--window", strconv.Itoa(2 + random.IntN(4)), "--padding", "SAME", "--strides", strconv.Itoa(1 + random.IntN(3))}
		if operation == "pool" && flags[1] == "max" && random.IntN(3) == 0 {
			flags = append(flags, "--argmax", "at.npy")
		}
	case "conv2d", "grad conv2d":
		outChannels = pick(random, 1, 3, 8)
		flags = []string{"--filter", fmt.Sprintf("uniform:3x3x%dx%d:1", channels, outChannels), "--padding", "SAME", "--strides", strconv.Itoa(1 + random.IntN(2))}
		if operation == "grad conv2d" && random.IntN(2) == 0 {
			flags = append(flags, "--filter-grad", "filter.npy")
		}
	case "conv2d-transpose":
		outChannels = pick(random, 1, 3)
		flags = []string{"--filter", fmt.Sprintf("uniform:2x2x%dx%d:1", outChannels, channels), "--strides", "2"}
	case "depthwise-conv2d", "dilation2d":
		flags = []string{"--filter", "box:3", "--padding", "SAME"}
	}
	output := pick(random, "y.npy", "y.npy", "y.npz")
	if outChannels <= 4 && random.IntN(2) == 0 && !strings.HasPrefix(operation, "grad") {
		output = pick(random, "y.png", "y.tif", "y.bmp", "y.pam")
		if outChannels == 1 || outChannels == 3 { // without alpha
			output = pick(random, "y.png", "y.jpg", "y.gif")
		}
		flags = append(flags, "--normalize", pick(random, "none", "minmax"), "--quiet")
	}
	return operation, append(flags, "-o", output)
}

// writeRandom writes a file of random bytes as that type; of floating-point
// numbers, their low bits.
func writeRandom(t *testing.T, random *rand.Rand, name string, spec tensor.Spec, depth int) {
	t.Helper()
	x := tensor.New(spec)
	switch data := x.Data.(type) {
	case []uint8:
		fill(random, data, func(v uint64) uint8 { return uint8(v) >> 6 })
	case []uint16:
		fill(random, data, func(v uint64) uint16 { return uint16(v) >> 12 })
	case []int16:
		fill(random, data, func(v uint64) int16 { return int16(v) >> 8 })
	case []tensor.F16:
		fill(random, data, func(v uint64) tensor.F16 { return tensor.F16(v % 0x5000) })
	case []float32:
		fill(random, data, func(v uint64) float32 { return float32(v % 256) })
	case []float64:
		fill(random, data, func(v uint64) float64 { return float64(v % 256) })
	}
	if _, err := imgio.WriteAll([]imgio.Output{{Name: name, Tensor: x, Depth: depth}}, imgio.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func fill[T any](random *rand.Rand, data []T, of func(uint64) T) {
	for i := range data {
		data[i] = of(random.Uint64())
	}
}

// TestDecodersAreCounted: a decoder's memory beside the picture is part of the
// stated memory, which is compared with --max-memory. A progressive JPEG takes
// the most: its planes, and two bytes for each of their coefficients.
func TestDecodersAreCounted(t *testing.T) {
	const width, height = 3000, 2000
	data, err := os.ReadFile("../../internal/imgio/jpeg/testdata/jpeg-progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	frame := bytes.Index(data, []byte("\xff\xc2"))
	binary.BigEndian.PutUint16(data[frame+5:], height)
	binary.BigEndian.PutUint16(data[frame+7:], width)
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "claims.jpg"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	var plan struct{ Memory struct{ Decode int } }
	text := succeed(t, folder, "pool", "claims.jpg", "--type", "max", "--window", "200", "-o", "y.npy", "--dry-run", "--json")
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		t.Fatal(err)
	}
	const picture, decoder = width * height * 3, width * height * 3 / 2 * 3
	if got := plan.Memory.Decode; got < picture+decoder || got > picture+decoder*11/10 {
		t.Errorf("got %d bytes for decoding, want %d for the picture and %d for its decoder", got, picture, decoder)
	}
	limit := strconv.Itoa(picture + decoder/2)
	if m := measure(t, folder, "pool", "claims.jpg", "--type", "max", "--window", "200", "-o", "y.npy", "--max-memory", limit); m.Code != 5 {
		t.Errorf("within %s bytes: got exit code %d, %s", limit, m.Code, m.Stderr)
	}
}
