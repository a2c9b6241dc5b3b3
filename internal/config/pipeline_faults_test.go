package config_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// archive returns the files of an archive in testdata, in its order.
func archive(t *testing.T, name string) []txtar.File {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return a.Files
}

// typeNames are the names of all element types, as messages list them.
func typeNames() string { return strings.Join(tensor.DTypeNames(), ", ") }

// operationNames are the names of all operations, as messages list them.
func operationNames() string {
	var names []string
	for _, spec := range ops.Table {
		names = append(names, spec.Name)
	}
	return strings.Join(names, ", ")
}

// TestEveryFaultIsToldInFull: of every wrong file, all that is said of it, with
// OPERATIONS for the names of all operations.
func TestEveryFaultIsToldInFull(t *testing.T) {
	files := archive(t, "faults.txtar")
	if len(files) < 380 {
		t.Fatalf("only %d files", len(files))
	}
	for i := 0; i+1 < len(files); i += 2 {
		wrong, want := files[i], files[i+1]
		if strings.TrimSuffix(wrong.Name, ".yaml") != strings.TrimSuffix(want.Name, ".txt") {
			t.Fatalf("%s is followed by %s", wrong.Name, want.Name)
		}
		text := strings.NewReplacer("OPERATIONS", operationNames(), "TYPES", typeNames()).Replace(string(want.Data))
		if p, err := config.ParsePipeline(wrong.Name, wrong.Data); err == nil || p != nil || err.Error()+"\n" != text {
			t.Errorf("%s: got\n%v\nwant\n%s", wrong.Name, err, text)
		}
	}
}

// TestLinesMayEndAsWindowsEndsThem, and the file may begin with a byte order
// mark: places stay the same.
func TestLinesMayEndAsWindowsEndsThem(t *testing.T) {
	text := "version: 1\nsteps:\n  - {name: a, op: lrn, bias: x}\n"
	_, want := config.ParsePipeline("p.yaml", []byte(text))
	for _, other := range []string{strings.ReplaceAll(text, "\n", "\r\n"), "\ufeff" + text, strings.TrimSuffix(text, "\n")} {
		if _, err := config.ParsePipeline("p.yaml", []byte(other)); err == nil || err.Error() != want.Error() {
			t.Errorf("%q: got %v, want %v", other, err, want)
		}
	}
}

const head = "version: 1\nsteps:\n  - name: a\n    op: pool\n"

// hostile are files that mean much, nest deep or are wrong at every comma.
func hostile() map[string]string {
	repeat := strings.Repeat
	letters := func(line string) string {
		var b strings.Builder
		for i := range 26 * 26 * 10 {
			fmt.Fprintf(&b, line, string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)))
		}
		return b.String()
	}
	laughs := "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 30; i++ {
		laughs += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, repeat(fmt.Sprintf("*a%d, ", i-1), 9))
	}
	return map[string]string{
		"laughs":          laughs,
		"cycle":           "version: &a [*a]\n",
		"merge cycle":     "version: &a {<<: *a}\n",
		"flow depth":      repeat("[", 32000),
		"closed depth":    repeat("[", 9000) + repeat("]", 9000),
		"map depth":       repeat("{a: ", 16000),
		"block depth":     repeat("- ", 32000),
		"documents":       repeat("--- 1\n", 10000),
		"comment":         "#" + repeat("x", 65000),
		"anchors":         repeat("- &a 1\n", 9000),
		"keys":            head + letters("    %s: 1\n"),
		"one key":         head + repeat("    b: 1\n", 7000),
		"complex keys":    head + repeat("    ? [a]\n    : 1\n", 3500),
		"words":           head + "    window: [" + repeat("x, ", 20000) + "x]\n",
		"numbers":         head + "    window: [" + repeat("2, ", 20000) + "2]\n",
		"text of numbers": head + "    window: " + repeat("2,", 30000) + "2\n",
		"pairs":           head + "    padding: [" + repeat("[1, 1], ", 8000) + "[1, 1]]\n",
		"digits":          head + "    window: " + repeat("9", 65000) + "\n",
		"from":            "version: 1\nsteps:\n" + repeat("- {op: add, from: ["+repeat("z,", 100)+"]}\n", 250),
		"steps":           "version: 1\nsteps: [" + repeat("a,", 32000) + "]\n",
		"names":           "version: 1\nsteps:\n" + repeat("- {name: a, op: relu}\n", 256),
		"saved":           "version: 1\nsteps: [{name: a, op: relu}]\nsave:\n" + letters("  %s: npy\n"),
		"kinds":           "version: 1\nsteps: [{name: a, op: relu}]\nsave: {a: [" + repeat("npz,", 16000) + "]}\n",
		"scales":          "version: 1\ninput: {scale: [" + repeat("x,", 30000) + "]}\n",
		"long name":       "version: 1\nsteps: [{name: " + repeat("n", 65000) + ", op: relu}]\n",
		"long operation":  "version: 1\nsteps: [{name: a, op: " + repeat("n", 65000) + "}]\n",
		"long key":        head + "    " + repeat("k", 65000) + ": 1\n",
		"tag":             "version: !<" + repeat("%21", 20000) + "> 1\n",
		"zeros":           repeat("\x00", 1000),
		"not UTF-8":       "version: \xff\xfe\n",
		"UTF-32":          "\xff\xfe\x00\x00v\x00\x00\x00",
		"too large":       head + repeat("#", 65<<10),
	}
}

// TestHostileFilesAreRefusedShortly: in little time, memory and text.
func TestHostileFilesAreRefusedShortly(t *testing.T) {
	for name, text := range hostile() {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		_, err := config.ParsePipeline("p.yaml", []byte(text))
		took := time.Since(start)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 100 && !raceDetector || took > 5*time.Second { // a second alone on a machine
			t.Errorf("%s: took %d MiB and %v", name, n, took)
		}
		if faults := strings.Count(err.Error(), "\n") + 1; faults > 101 || len(err.Error()) > 101*1000 {
			t.Errorf("%s: %d faults in %d bytes: %.300s", name, faults, len(err.Error()), err)
		}
	}
}

// TestFaultsBeyondAHundredAreCounted.
func TestFaultsBeyondAHundredAreCounted(t *testing.T) {
	_, err := config.ParsePipeline("p.yaml", []byte(head+"    window: ["+strings.Repeat("x, ", 149)+"x]\n"))
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != 101 || lines[100] != "p.yaml: 50 more faults are not told" || lines[99] != "p.yaml:5:311: a: window: got x, want a whole number in decimal digits without quotes" {
		t.Errorf("got %d lines, the last %q", len(lines), lines[len(lines)-2:])
	}
}

// TestNoLongText: what names a key or a file is short.
func TestNoLongText(t *testing.T) {
	for text, want := range map[string]string{
		"filter: " + strings.Repeat("f", config.MaxPipelineText+1): "p.yaml:3:34: got a text of 4097 bytes, want at most 4096",
		strings.Repeat("f", config.MaxPipelineText+1) + ": 1":      "p.yaml:3:26: got a text of 4097 bytes, want at most 4096",
	} {
		if _, err := config.ParsePipeline("p.yaml", []byte("version: 1\nsteps:\n  - {name: a, op: dense, "+text+"}\n")); err == nil || err.Error() != want {
			t.Errorf("got %.300v, want %s", err, want)
		}
	}
	if _, err := config.ParsePipeline("p.yaml", []byte("version: 1\nsteps:\n  - {name: a, op: dense, filter: "+strings.Repeat("f", config.MaxPipelineText)+"}\n")); err != nil {
		t.Errorf("of %d bytes: %v", config.MaxPipelineText, err)
	}
}

// TestWhatAFileMeans: every section and every way of writing a value.
func TestWhatAFileMeans(t *testing.T) {
	p, err := config.ParsePipeline("p.yaml", []byte(`# yaml-language-server: $schema=pipeline.schema.json
version: 1
input:
  layout: nchw
  dtype: float32
  resize: {size: [256, 320], filter: Bilinear}
  crop: {size: [224, 200], at: [3, 0]}
  scale: [0.25, 1e-2, .5]
  offset: -1
steps:
  - name: conv1
    op: conv2d
    filter: "weights.npz#conv1"
    strides: 2x1
    padding: [[0, 1], [2, 3]]
    filter_format: OIHW
  - {name: "5", op: leaky_relu, alpha: 0}
  - {name: pool-1, op: pool, type: MAX, window: [2, 2], strides: +2, padding: same, ceil-mode: True, from: conv1}
  - {name: mix, op: concat, from: ["5", pool-1, input], axis: -1}
  - {name: lp, op: pool, type: lp, p: 1.5, window: global}
  - {name: pad, op: pad, paddings: "1:2,0:1", value: -3}
  - {name: again, op: pad, paddings: [[0, 7]], mode: edge}
save:
  input: npy
  "5": [png, gradient]
  pool-1: [argmax, npy]
`))
	if err != nil {
		t.Fatal(err)
	}
	in := p.Input
	if got, want := fmt.Sprintln(in.Layout, in.DType, *in.Resize, *in.Crop, in.Scale, in.Offset),
		"NCHW float32 {[256 320] bilinear} {[224 200] [3 0]} [0.25 0.01 0.5] [-1]\n"; got != want {
		t.Errorf("input: got %s, want %s", got, want)
	}
	want := []string{
		"conv1 conv2d [input] filter=weights.npz#conv1 filter-format=OIHW strides=2,1 padding=0:1,2:3",
		"5 leaky-relu [conv1] alpha=0",
		"pool-1 pool [conv1] type=max window=2,2 strides=2 padding=SAME ceil-mode=true",
		"mix concat [5 pool-1 input] axis=-1",
		"lp pool [mix] type=lp window=global p=1.5",
		"pad pad [lp] paddings=1:2,0:1 value=-3",
		"again pad [pad] paddings=0:7 mode=edge",
	}
	for i, s := range p.Steps {
		got := strings.Join([]string{s.Name, s.Spec.Name, fmt.Sprint(s.From), values(s.Op)}, " ")
		if i >= len(want) || got != want[i] {
			t.Errorf("step %d: got %s", i+1, got)
		}
	}
	if got, want := fmt.Sprint(p.Saved("input").Kinds, p.Saved("5").Kinds, p.Saved("pool-1").Kinds, p.Saved("lp").Kinds), "[npy] [png grad] [argmax npy] []"; got != want {
		t.Errorf("save: got %s, want %s", got, want)
	}
	if at := p.Steps[0].At("strides").String(); at != "p.yaml:14:14" || !p.Steps[0].Given("strides") || p.Steps[0].Given("bias") {
		t.Errorf("strides are at %s", at)
	}
	if at := p.Steps[2].At("nan").String(); at != "p.yaml:18:5" {
		t.Errorf("what is not given is at %s, want the step", at)
	}
}

// values lists the parameters that are not at their default.
func values(op ops.Op) string {
	var words []string
	for _, p := range op.Params() {
		if text := p.String(); text != "" && text != p.Default {
			words = append(words, p.Name+"="+text)
		}
	}
	return strings.Join(words, " ")
}

// TestNamesOfFilesAreRelativeToThePipeline.
func TestNamesOfFilesAreRelativeToThePipeline(t *testing.T) {
	p := &config.Pipeline{File: filepath.Join("nets", "deep", "p.yaml")}
	absolute, err := filepath.Abs("w.npy")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"w.npy":        filepath.Join("nets", "deep", "w.npy"),
		"../w.npz#a/b": filepath.Join("nets", "w.npz#a/b"),
		absolute:       absolute,
	} {
		if got := p.Resolve(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestFilesThatCannotBeRead.
func TestFilesThatCannotBeRead(t *testing.T) {
	folder := t.TempDir()
	for name, want := range map[string]string{
		filepath.Join(folder, "missing.yaml"): ": no such file or directory",
		folder:                                ": is not a regular file, want a pipeline file",
	} {
		_, err := config.ReadPipeline(name)
		if err == nil || !bytes.HasSuffix([]byte(err.Error()), []byte(want)) {
			t.Errorf("got %v, want …%s", err, want)
		}
	}
	large := filepath.Join(folder, "large.yaml")
	if err := os.WriteFile(large, bytes.Repeat([]byte("#\n"), config.MaxPipelineBytes), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := config.ReadPipeline(large); err == nil || err.Error() != large+": got more than 65536 bytes, want at most that" {
		t.Errorf("got %v", err)
	}
}

// TestPipelineLimits: a file at each limit is read, one beyond it refused.
func TestPipelineLimits(t *testing.T) {
	steps := func(n int) string {
		text := "version: 1\nsteps:\n"
		for i := range n {
			text += fmt.Sprintf("  - {name: a%d, op: relu}\n", i)
		}
		return text
	}
	sized := func(n int) string {
		text := steps(1)
		return text + strings.Repeat("#", n-len(text)-1) + "\n"
	}
	// The mapping is the first level, the first list the second.
	nested := func(deep int) string {
		return "version: 1\nsteps: " + strings.Repeat("[", deep-1) + strings.Repeat("]", deep-1) + "\n"
	}
	named := func(n int) string {
		return "version: 1\nsteps: [{name: a, op: conv2d, filter: " + strings.Repeat("f", n) + "}]\n"
	}
	name := filepath.Join(t.TempDir(), "net.yaml")
	for _, c := range []struct{ limit, at, beyond, want string }{
		{"steps", steps(config.MaxPipelineSteps), steps(config.MaxPipelineSteps + 1), "net.yaml:3:3: steps: got 257 steps, want at most 256"},
		{"bytes", sized(config.MaxPipelineBytes), sized(config.MaxPipelineBytes + 1), "net.yaml: got more than 65536 bytes, want at most that"},
		{"depth", nested(config.MaxPipelineDepth), nested(config.MaxPipelineDepth + 1), "nested more than 32 deep"},
		{"text", named(config.MaxPipelineText), named(config.MaxPipelineText + 1), "got a text of 4097 bytes, want at most 4096"},
	} {
		for text, refused := range map[string]bool{c.at: false, c.beyond: true} {
			if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
			message := ""
			if _, err := config.ReadPipeline(name); err != nil {
				message = err.Error()
			}
			if strings.Contains(message, c.want) != refused || c.limit != "depth" && (message != "") != refused {
				t.Errorf("%s: refused %v, got %q, want %q when it is", c.limit, refused, message, c.want)
			}
		}
	}
}
