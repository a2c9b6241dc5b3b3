//go:build !race

package main

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// crashers are commands with the arguments that crashed a pooling or convolution
// of TensorFlow, or TensorFlow Lite, by advisory (github.com/pypa/advisory-database).
// f1x4x4x1.npy is an array of float32 of that shape, i1x2x2x1.npy one of int64, all
// zeros. A row without commands says why there are none.
var crashers = []struct {
	id       string
	commands []string
	none     string
}{
	{id: "CVE-2021-41196: a window of 0 or less", commands: []string{
		"pool f1x4x4x1.npy --type max --window 0", "pool f1x4x4x4x1.npy --type avg --window=1,-1,1"}},
	{id: "CVE-2022-35941: a window that is no positive int32", commands: []string{
		"pool f1x4x4x1.npy --type avg --window 100000000000000000000", "pool f1x4x4x1.npy --type avg --window 10000000000", "pool f1x4x4x1.npy --type avg --window=-9"}},
	{id: "CVE-2022-35968: a shape with extents below 0", commands: []string{
		"unpool f1x2x2x1.npy --argmax i1x2x2x1.npy --output-shape=-536870912,-536870912,-536870912,-536870912"}},
	{id: "CVE-2022-35959: a shape whose product overflows", commands: []string{
		"unpool f1x2x2x1.npy --argmax i1x2x2x1.npy --output-shape 1879048192,1879048192,1879048192,1879048192"}},
	{id: "CVE-2021-29577: a gradient of other channels", commands: []string{
		"grad pool f1x2x2x2x7.npy --type avg --window 2 --upstream f1x1x1x1x8.npy"}},
	{id: "AvgPoolGrad: a gradient of another size", commands: []string{
		"grad pool f1x4x4x1.npy --type avg --window 2 --upstream f1x3x3x1.npy", "grad pool f1x4x4x1.npy --type avg --window 2 --upstream f1x2x2x3.npy"}},
	{id: "CVE-2022-35989: VALID with a window beyond the input", commands: []string{
		"pool f1x1x4x4.npy --data-format NCHW --type max --window 9"}},
	{id: "CVE-2021-29579: an empty gradient", commands: []string{
		"grad pool f1x4x4x1.npy --type max --window 2 --upstream f0x0x0x0.npy"}},
	{id: "CVE-2021-29570: argmax and gradient of other sizes", commands: []string{
		"grad pool f1x4x4x1.npy --type max --window 2 --from-argmax i1x1x1x1.npy", "grad pool f1x4x4x1.npy --type max --window 2 --from-argmax i1x2x2x1.npy --upstream f1x1x1x1.npy"}},
	{id: "CVE-2021-29569, CVE-2021-29571: an argmax out of range", commands: []string{
		"grad pool f1x4x4x1.npy --type max --window 2 --from-argmax far.npy", "grad pool f1x4x4x1.npy --type max --window 2 --from-argmax below.npy",
		"grad pool f1x4x4x1.npy --type max --window 2 --from-argmax beyond.npy", "unpool f1x2x2x1.npy --argmax far.npy --output-shape 1,4,4,1",
		"unpool f1x2x2x1.npy --argmax below.npy --output-shape 1,4,4,1", "unpool f1x2x2x1.npy --argmax beyond.npy --output-shape 1,4,4,1"}},
	{id: "CVE-2021-29573: division by a batch of 0", none: "legitimate, and gives an empty result: cve.txtar, grad_cve.txtar"},
	{id: "CVE-2021-29574: MaxPool3DGradGrad of empty tensors", commands: []string{
		"grad pool f0x0x0x0x0.npy --type max --window 2 --second f1x2x2x2x1.npy", "grad pool f1x2x2x2x1.npy --type max --window 2 --second f0x0x0x0x0.npy"}},
	{id: "CVE-2021-29576: MaxPool3DGradGrad with a negative stride", commands: []string{
		"grad pool f1x4x4x4x1.npy --type max --window 2 --strides=-5,1,1 --second f1x4x4x4x1.npy", "pool f1x4x4x4x1.npy --type max --window 2 --strides=-5,1,1"}},
	{id: "CVE-2021-29550: a ratio that leaves no output", commands: []string{
		"pool f1x4x4x1.npy --type avg --fractional 6,1", "pool f1x4x4x1.npy --type avg --fractional inf"}},
	{id: "CVE-2022-21735: a ratio above the extent", commands: []string{"pool f1x1x4x1.npy --type max --fractional 1.44"}},
	{id: "CVE-2022-41900: a ratio below 1", commands: []string{
		"pool f1x4x4x1.npy --type max --fractional 0.9", "pool f1x4x4x1.npy --type avg --fractional nan"}},
	{id: "CVE-2023-25801: a ratio of batch or channels", commands: []string{
		"pool f1x4x4x1.npy --type max --fractional 2,1.2,1.2,1", "pool f1x4x4x1.npy --type avg --fractional 1,1.2,2"}},
	{id: "CVE-2022-35981, CVE-2021-29580: FractionalMaxPoolGrad of wrong sizes", commands: []string{
		"grad pool f1x6x6x1.npy --type max --fractional 1.5 --seed 1 --upstream f4x4.npy", "grad pool f1x6x6x1.npy --type max --fractional 1.5 --seed 1 --upstream f0x0x0x0.npy"}},
	{id: "CVE-2022-41897: a pooling sequence out of range", none: "sequences are drawn from the seed, nobody can give one"},
	{id: "CVE-2022-35963, CVE-2021-29578, CVE-2021-37651: FractionalAvgPoolGrad of wrong sizes", commands: []string{
		"grad pool f1x6x6x1.npy --type avg --fractional 1.5 --seed 1 --upstream f1x5x4x1.npy", "grad pool f0x6x6x1.npy --type avg --fractional 1.5 --seed 1 --upstream f1x4x4x1.npy"}},
	{id: "CVE-2021-29526, CVE-2021-41209, CVE-2021-37675: a filter that is empty, or whose channels do not divide", commands: []string{
		"conv2d f1x4x4x1.npy --filter f1x1x0x1.npy", "conv2d f1x4x4x1.npy --filter f0x1x1x1.npy", "conv2d f1x4x4x3.npy --filter f1x1x2x1.npy"}},
	{id: "CVE-2021-29525, CVE-2022-35969: Conv2DBackpropInput without output channels, of rank 2", commands: []string{
		"grad conv2d f1x4x4x1.npy --filter f2x2x1x0.npy", "conv2d-transpose f1x4x4x1.npy --filter f1x1x0x1.npy", "conv2d-transpose f1x4x4x1.npy --filter f1x1x1x1.npy --output-shape 4,4"}},
	{id: "CVE-2021-29524, CVE-2021-29538, CVE-2021-29540: Conv2DBackpropFilter of nothing, of other channels", commands: []string{
		"grad conv2d f1x4x4x1.npy --filter f2x2x0x1.npy --filter-grad df.npy", "grad conv2d f0x0x0x0.npy --filter f0x0x0x0.npy --filter-grad df.npy",
		"grad conv2d f1x4x4x1.npy --filter f2x2x1x2.npy --upstream f1x3x3x3.npy --filter-grad df.npy"}},
	{id: "CVE-2021-29517, CVE-2021-29522, CVE-2021-29520, CVE-2022-29196: Conv3D and its gradients", commands: []string{
		"conv3d f1x2x2x2x1.npy --filter f1x0x1x1x1.npy", "conv3d f1x2x2x2x1.npy --filter f1.npy",
		"grad conv3d f1x2x2x2x1.npy --filter f1x1x1x1x2.npy --upstream f1x2x2x2x1.npy --filter-grad df.npy"}},
	{id: "CVE-2021-29566: Dilation2DBackprop of too large a gradient", commands: []string{
		"grad dilation2d f1x4x4x1.npy --filter f2x2x1.npy --upstream f1x9x9x1.npy", "grad erosion2d f1x4x4x1.npy --filter f2x2x1.npy --upstream f1x9x9x1.npy --filter-grad df.npy"}},
	{id: "CVE-2021-29585, CVE-2021-29586, CVE-2021-37684: a stride of 0", commands: []string{
		"pool f1x4x4x1.npy --type avg --window 2 --strides 0", "pool f1x4x4x1.npy --type max --window 2 --strides 1,0 --padding SAME", "conv2d f1x4x4x1.npy --filter box:2 --strides 0"}},
	{id: "CVE-2021-29602, CVE-2021-29594, CVE-2022-21741: convolution of 0 channels", commands: []string{
		"conv2d f1x4x4x0.npy --filter f1x1x0x1.npy", "depthwise-conv2d f1x4x4x0.npy --filter f1x1x0x1.npy", "depthwise-conv2d f1x4x4x1.npy --filter f1x1x1x0.npy"}},
	{id: "CVE-2022-41885: padding whose size overflows", commands: []string{
		"conv2d f1x4x4x1.npy --filter f1x1x1x1.npy --padding 1879048192:1879048192", "pad f1x4x4x1.npy --paddings 1879048192:1879048192"}},
	{id: "CVE-2021-41199: an output of 2147483647 squared", commands: []string{
		"pool f1x4x4x1.npy --type max --output-size 2147483647,2147483647", "unpool f1x2x2x1.npy --argmax i1x2x2x1.npy --output-shape 1,2147483647,2147483647,4"}},
	{id: "CVE-2022-21739, CVE-2022-35966: quantised pooling with ranges that are no scalars", none: "there is no quantised pooling"},
	{id: "CVE-2018-21233: integer overflow in DecodeBmp", none: "claims.bmp of TestRefusalsAreCheap, and imgio's own tests of BMP files"},
	{id: "no CVE: dilations, padding", commands: []string{
		"pool f1x4x4x1.npy --type max --window 2 --dilations 0", "conv2d f1x4x4x1.npy --filter box:2 --dilations=-1", "conv2d f1x4x4x1.npy --filter box:2 --padding=-1:0",
		"conv2d f1x4x4x1.npy --filter box:2 --padding 1:1,0:0,0:0,0:0", "conv2d f1x4x4x1.npy --filter box:2 --padding 1,1,1,1,1,1,1", "pool f1x4x4x1.npy --type max --window 2 --padding 1073741824:0"}},
}

// TestCrashersAreRefused runs every command, also as a pipeline file where
// possible. Each gives a documented exit code and one line of error, writes no
// file, and takes at most a second and 100 MiB.
func TestCrashersAreRefused(t *testing.T) {
	folder := t.TempDir()
	for name, index := range map[string]int64{"far.npy": 999_999, "below.npy": -1, "beyond.npy": 1 << 62} {
		zeros(t, filepath.Join(folder, name), "i1x2x2x1")
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		binary.LittleEndian.PutUint64(data[128+8:], uint64(index))
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	piped := 0
	for _, c := range crashers {
		t.Run(c.id, func(t *testing.T) {
			if len(c.commands) == 0 && c.none == "" {
				t.Error("no command and no reason")
			}
			for _, command := range c.commands {
				words := strings.Fields(command)
				for _, word := range words {
					if name, ok := strings.CutSuffix(word, ".npy"); ok && arrayName.MatchString(name) {
						zeros(t, filepath.Join(folder, word), name)
					}
				}
				before := files(t, folder)
				direct := words
				if !slices.Contains(words, "--filter-grad") {
					direct = append(direct[:len(direct):len(direct)], "-o", "y.npy")
				}
				if !strings.HasPrefix(command, "pad ") { // a layer of pipelines only
					refusesAtOnce(t, folder, command, direct, 1, 2, 5)
				}
				if pipelineFile(t, filepath.Join(folder, "net.yaml"), words) {
					piped++
					refusesAtOnce(t, folder, "run "+command, []string{"run", "net.yaml", words[1], "-o", "out", "--quiet"}, 1, 2, 5)
					if err := os.RemoveAll(filepath.Join(folder, "out", ".poolctl")); err != nil { // the journal
						t.Fatal(err)
					}
					_ = os.Remove(filepath.Join(folder, "out")) // fails when something was written
					_ = os.Remove(filepath.Join(folder, "net.yaml"))
				}
				if after := files(t, folder); !slices.Equal(after, before) {
					t.Errorf("%s: made %v of %v", command, after, before)
				}
			}
		})
	}
	if piped < 25 {
		t.Errorf("%d commands ran as pipelines", piped)
	}
}

// refusesAtOnce runs the program, which must end with one of the codes.
func refusesAtOnce(t *testing.T, folder, label string, args []string, codes ...int) {
	t.Helper()
	m, most := measure(t, folder, args...), within(time.Second)
	if !slices.Contains(codes, m.Code) || m.Took >= most || m.Peak >= 100<<20 {
		t.Errorf("%s: exit code %d after %v with %d MiB, want one of %v within %v and 100 MiB: %s", label, m.Code, m.Took, m.Peak>>20, codes, most, m.Stderr)
	}
	text, hint, _ := strings.Cut(m.Stderr, "\n")
	if !strings.HasPrefix(text, "poolctl: error: ") || hint != "" && (!strings.HasPrefix(hint, "poolctl: hint: ") || strings.Count(hint, "\n") != 1) {
		t.Errorf("%s: got %q, want one line of error, and one with a hint at most", label, m.Stderr)
	}
}

// pipelineFile writes a command as a pipeline of one step, and reports whether
// it can: gradients and commands with a second tensor cannot.
func pipelineFile(t *testing.T, name string, words []string) bool {
	t.Helper()
	if words[0] == "grad" || words[0] == "unpool" {
		return false
	}
	step := "version: 1\nsteps:\n  - name: a\n    op: " + words[0] + "\n"
	for at := 2; at < len(words); at++ {
		key, value, given := strings.Cut(strings.TrimPrefix(words[at], "--"), "=")
		if !given {
			at++
			value = words[at]
		}
		if strings.ContainsAny(value, ":") || key == "padding" && strings.ContainsAny(value, ",") {
			value = strconv.Quote(value)
		} else if strings.Contains(value, ",") {
			value = "[" + value + "]"
		}
		step += fmt.Sprintf("    %s: %s\n", key, value)
	}
	if err := os.WriteFile(name, []byte(step), 0o666); err != nil {
		t.Fatal(err)
	}
	return true
}

var arrayName = regexp.MustCompile(`^[fi]\d+(x\d+)*$`)

// zeros writes an array of zeros; its file's name gives the shape.
func zeros(t *testing.T, name, shape string) {
	t.Helper()
	descr, size := "<f4", 4
	if shape[0] == 'i' {
		descr, size = "<i8", 8
	}
	extents := strings.Split(shape[1:], "x")
	for _, word := range extents {
		n, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		size *= n
	}
	text := "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + strings.Join(extents, ", ") + ",), }"
	text = "\x93NUMPY\x01\x00\x76\x00" + text + strings.Repeat(" ", 117-len(text)) + "\n"
	if err := os.WriteFile(name, append([]byte(text), make([]byte, size)...), 0o666); err != nil {
		t.Fatal(err)
	}
}

// files lists a folder with all below it.
func files(t *testing.T, folder string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(folder, func(name string, _ fs.DirEntry, err error) error {
		list = append(list, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
