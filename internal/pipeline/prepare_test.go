package pipeline_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestInputsAreResizedCroppedAndScaledAsTensorFlowDoes runs on one thread and
// on three.
func TestInputsAreResizedCroppedAndScaledAsTensorFlowDoes(t *testing.T) {
	for _, f := range testutil.Families(t, "../ops/testdata/golden/prepare") {
		for _, c := range f.Cases {
			text := "version: 1\ninput: {layout: " + c.Params["layout"]
			list := func(key string) string { return "[" + c.Params[key] + "]" }
			if c.Params["size"] != "" {
				text += fmt.Sprintf(", resize: {size: %s, filter: %s}", list("size"), c.Params["filter"])
			}
			if c.Params["crop"] != "" {
				text += ", crop: {size: " + list("crop")
				if c.Params["at"] != "" {
					text += ", at: " + list("at")
				}
				text += "}"
			}
			for _, key := range []string{"scale", "offset"} {
				if c.Params[key] != "" {
					text += ", " + key + ": " + list(key)
				}
			}
			text += "}\nsteps:\n  - {name: last, op: relu}\nsave: {input: npy}\n"
			x := f.Arrays[c.In["x"]]
			for _, threads := range []int{1, 3} {
				r := ready(t, compiled(t, text, x.Spec), threads)
				if err := r.Run(x); err != nil {
					t.Fatal(err)
				}
				if err := testutil.Equal(saved(t, r, "input", "npy"), f.Arrays[c.Out["y"]], c.Tolerance); err != nil {
					t.Errorf("%s on %d threads: %v", c.Name, threads, err)
				}
			}
		}
	}
}

// TestPicturesAreBroughtToTheLayout of a pipeline: they are NHWC in files.
func TestPicturesAreBroughtToTheLayout(t *testing.T) {
	x := tensor.From([]uint8{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, 2, 2, 3)
	for text, want := range map[string]string{
		"input: {layout: NCHW}":                "uint8 (1,3,2,2) [1 4 7 10 2 5 8 11 3 6 9 12]",
		"input: {layout: HWC}":                 "uint8 (2,2,3) [1 2 3 4 5 6 7 8 9 10 11 12]",
		"input: {dtype: int16}":                "int16 (1,2,2,3) [1 2 3 4 5 6 7 8 9 10 11 12]",
		"input: {layout: NCHW, scale: 2}":      "float32 (1,3,2,2) [2 8 14 20 4 10 16 22 6 12 18 24]",
		"input: {scale: 0.25, dtype: uint8}":   "uint8 (1,2,2,3) [0 0 1 1 1 2 2 2 2 2 3 3]",
		"input: {scale: -1, dtype: uint8}":     "uint8 (1,2,2,3) [0 0 0 0 0 0 0 0 0 0 0 0]",
		"input: {crop: {size: [1, 1]}}":        "uint8 (1,1,1,3) [1 2 3]",
		"input: {offset: 1, dtype: float64}":   "float64 (1,2,2,3) [2 3 4 5 6 7 8 9 10 11 12 13]",
		"input: {scale: [1, 0, 0], offset: 0}": "float32 (1,2,2,3) [1 0 0 4 0 0 7 0 0 10 0 0]",
	} {
		p := parsed(t, "version: 1\n"+text+"\nsteps:\n  - {name: last, op: relu}\nsave: {input: npy}\n")
		g, err := pipeline.Compile(p, pipeline.NewWeights(imgio.Options{}), pipeline.Input{Spec: x.Spec, Picture: true})
		if err != nil {
			t.Fatal(err)
		}
		r := ready(t, g, 1)
		if err := r.Run(x); err != nil {
			t.Fatal(err)
		}
		y := r.Tensor(g.Saved[0])
		if got := fmt.Sprint(y.Spec, " ", y.Data); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// TestInputsThatDoNotFitTheInputSection are refused with the key's place.
func TestInputsThatDoNotFitTheInputSection(t *testing.T) {
	for text, want := range map[string]string{
		"input: {layout: NDHWC}":                               "net.yaml:2:17: input: layout: got ",
		"input: {scale: [1, 2]}":                               "net.yaml:2:16: input: scale: got 2 numbers, want 1 or 3 (one for each channel of the input)",
		"input: {crop: {size: [5, 2]}}":                        "net.yaml:2:15: input: crop: got 5x2, want at most the picture's 4x4",
		"input: {crop: {size: [2, 2], at: [3, 0]}}":            "net.yaml:2:15: input: crop: got 2x2 at 3,0, want a part of the picture's 4x4",
		"input: {resize: {size: [99999999, 2], filter: area}}": "net.yaml:2:17: input: resize: got extent 99999999, want at most ",
	} {
		p := parsed(t, "version: 1\n"+text+"\nsteps:\n  - {name: last, op: relu}\n")
		in := pipeline.Input{Spec: tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 4, 4, 3}}, Picture: true}
		_, err := pipeline.Compile(p, pipeline.NewWeights(imgio.Options{}), in)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
