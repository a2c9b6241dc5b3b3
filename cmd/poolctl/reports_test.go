package main

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// commandLine is a command line of an operation: its input, its flags, and the
// replacements for files where there is only a shape.
type commandLine struct{ input, flags, shape, shapeFlags string }

// operationArgs has a command line for operations that take more than their
// input, or whose example is several commands. The others run their first example.
var operationArgs = map[string]commandLine{
	"pool": {"samples/ramp_6x6.npy", "--type max --window 2", "1,6,6,1", "--type max --window 2"},
	"unpool": {"samples/pooled_3x3.npy", "--argmax samples/argmax_3x3.npy --output-shape 6,6", "3,3",
		"--output-shape 6,6"},
	"conv1d":           {"samples/sequence_1x64x2.npy", "--filter box:3", "1,64,2", "--filter-shape 3,2,4"},
	"conv2d":           {"samples/ramp_6x6.npy", "--filter box:3", "1,6,6,1", "--filter-shape 3,3,1,4"},
	"conv3d":           {"samples/volume_1x2x5x5x1.npy", "--filter box:2", "1,2,5,5,1", "--filter-shape 2,2,2,1,4"},
	"conv1d-transpose": {"samples/sequence_1x64x2.npy", "--filter box:3", "1,64,2", "--filter-shape 3,4,2"},
	"conv2d-transpose": {"samples/ramp_6x6.npy", "--filter box:3", "1,6,6,1", "--filter-shape 3,3,4,1"},
	"conv3d-transpose": {"samples/volume_1x2x5x5x1.npy", "--filter box:2", "1,2,5,5,1", "--filter-shape 2,2,2,4,1"},
	"depthwise-conv2d": {"samples/ramp_6x6.npy", "--filter box:3", "1,6,6,1", "--filter-shape 3,3,1,4"},
	"dilation2d":       {"samples/ramp_6x6.npy", "--filter box:3", "1,6,6,1", "--filter-shape 3,3,1"},
	"erosion2d":        {"samples/ramp_6x6.npy", "--filter box:3", "1,6,6,1", "--filter-shape 3,3,1"},
	"bias-add":         {"samples/sequence_1x64x2.npy", "--bias samples/bias_2.npy", "1,64,2", ""},
	"relu":             {"samples/ramp_6x6.npy", "", "6,6", ""},
	"batch-norm": {"samples/sequence_1x64x2.npy", "--mean samples/mean_2.npy --variance samples/variance_2.npy",
		"1,64,2", ""},
	"dense": {"samples/input_10x9x9x3.npy", "--filter uniform:3x5:1", "10,9,9,3", "--filter-shape 3,5"},
}

// exampleArgs makes a command line of an operation's first example.
func exampleArgs(t *testing.T, spec ops.Spec, folder string) commandLine {
	t.Helper()
	words := strings.Fields(spec.Examples[0].Command)[2:]
	first := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "-") })
	flags := words[first:]
	if at := slices.Index(flags, "-o"); at >= 0 {
		flags = slices.Delete(slices.Clone(flags), at, at+2)
	}
	line := commandLine{input: strings.Join(words[:first], " "), flags: strings.Join(flags, " ")}
	line.shapeFlags = line.flags
	var report struct{ Input struct{ Shape tensor.Shape } }
	command := slices.Concat([]string{spec.Name}, words[:first], flags, []string{"--dry-run", "--json"})
	if err := json.Unmarshal([]byte(succeed(t, folder, command...)), &report); err != nil {
		t.Fatal(err)
	}
	line.shape = tensor.Join(report.Input.Shape, ",")
	return line
}

// reportKeys are the keys of every shape report.
var reportKeys = []string{
	"schema", "op", "input", "output", "window", "strides", "dilations", "padding", "pad_lo", "pad_hi",
	"receptive_field", "parameters", "multiply_adds", "bytes", "kernel", "settings",
}

// benchKeys are the keys that `bench` prints.
var benchKeys = []string{
	"op", "shape", "out_shape", "impl", "isa", "threads", "iterations", "seconds", "bytes", "flops", "gb_per_s", "gflop_per_s",
}

// TestEveryOperationReports runs every operation that `poolctl ops` lists with
// each form of its report.
func TestEveryOperationReports(t *testing.T) {
	var list struct{ Operations []struct{ Name string } }
	if err := json.Unmarshal([]byte(succeed(t, t.TempDir(), "ops", "--json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Operations) != len(ops.Table) {
		t.Errorf("poolctl ops lists %d operations, want %d", len(list.Operations), len(ops.Table))
	}
	for _, op := range list.Operations {
		t.Run(op.Name, func(t *testing.T) {
			t.Parallel()
			folder := workFolder(t)
			args, ok := operationArgs[op.Name]
			if !ok {
				spec, err := ops.Lookup(op.Name)
				if err != nil {
					t.Fatal(err)
				}
				args = exampleArgs(t, spec, folder)
			}
			command := append([]string{op.Name}, strings.Fields(args.input+" "+args.flags)...)
			checkTextReport(t, succeed(t, folder, append(slices.Clone(command), "--dry-run")...), op.Name)
			checkTextReport(t, succeed(t, folder, append(slices.Clone(command), "--dry-run", "--report", "text")...), op.Name)
			checkKeys(t, succeed(t, folder, append(slices.Clone(command), "--dry-run", "--json")...), reportKeys)
			checkCSVReport(t, succeed(t, folder, append(slices.Clone(command), "-o", "y.npy", "--dry-run", "--report", "csv")...), op.Name)
			if _, err := os.Stat(filepath.Join(folder, "y.npy")); err == nil {
				t.Error("--dry-run wrote the output")
			}
			checkKeys(t, succeed(t, folder, append(slices.Clone(command), "-o", "y.npy", "--report", "json")...), reportKeys)
			if _, err := os.Stat(filepath.Join(folder, "y.npy")); err != nil {
				t.Error(err)
			}
			if out := succeed(t, folder, append(slices.Clone(command), "-o", "y.npy")...); out != "" {
				t.Errorf("printed %q, want nothing without --report", out)
			}
			flags := strings.Fields(args.shapeFlags)
			checkTextReport(t, succeed(t, folder, append([]string{"shape", op.Name, "--why", "--input-shape", args.shape}, flags...)...), op.Name)
			checkKeys(t, succeed(t, folder, append([]string{"shape", op.Name, "--json", "--input-shape", args.shape}, flags...)...), reportKeys)
			checkKeys(t, succeed(t, folder, append([]string{"bench", op.Name, "--json", "--no-roofline", "--min-time", "1ms", "--shape", args.shape}, flags...)...), benchKeys)
			checkKeys(t, succeed(t, folder, "ops", "describe", op.Name, "--json"), []string{"name", "summary", "tensorflow", "doc", "parameters"})
			if out := succeed(t, folder, "ops", "describe", op.Name); !strings.Contains(out, "Examples:\n  # ") {
				t.Errorf("ops describe has no examples: %s", out)
			}
		})
	}
}

func checkTextReport(t *testing.T, text, op string) {
	t.Helper()
	for _, want := range []string{"operation ", op, "input ", "output ", "parameters ", "multiply-adds ", "bytes touched ", "kernel ", "settings "} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
}

func checkCSVReport(t *testing.T, text, op string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("got %d rows (%v), want a header and one line:\n%s", len(rows), err, text)
	}
	if at := slices.Index(rows[0], "op"); at < 0 || rows[1][at] != op {
		t.Errorf("no column op with %s in %q", op, rows)
	}
}

// checkKeys checks for exactly one JSON object, with those keys.
func checkKeys(t *testing.T, text string, keys []string) {
	t.Helper()
	var object map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, key := range keys {
		if _, ok := object[key]; !ok {
			t.Errorf("no key %q in %s", key, text)
		}
	}
}
