package report

import (
	"encoding/csv"
	"reflect"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

func maxPool() Operation {
	return Operation{
		Op: "pool", Name: "pool1", DataFormat: "NHWC",
		Input:   tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{10, 9, 9, 2}},
		Output:  tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{10, 9, 9, 2}},
		Outputs: []Output{{"argmax", tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{10, 9, 9, 2}}}},
		Window:  []int{2, 2}, Stride: []int{1, 1}, Dilation: []int{1, 1}, PadLo: []int{0, 0}, PadHi: []int{1, 1}, Padding: "SAME",
		ReceptiveField: []int{2, 2}, MultiplyAdds: 0, Bytes: 25920, ActivationBytes: 19440, Kernel: "max.rows.go",
		Settings: []Setting{{"type", "max"}, {"nan", "propagate"}},
		Why:      []string{"max.avx2: built with purego"},
	}
}

func TestShapeReportAsText(t *testing.T) {
	want := `operation        pool (pool1)
input            float32 (10,9,9,2) NHWC
output           float32 (10,9,9,2) NHWC
  argmax         int64 (10,9,9,2)
window           2x2
strides          1x1
dilations        1x1
padding          SAME  0:1,0:1
                 asymmetric: height 0 before, 1 after; width 0 before, 1 after
receptive field  2x2
parameters       0
multiply-adds    0
bytes touched    25,920 (25.3 KiB)
activations      19,440 (19.0 KiB)
kernel           max.rows.go
  why            max.avx2: built with purego
settings         type=max
                 nan=propagate
`
	if got := textOf(t, maxPool().WriteText); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	relu := Operation{Op: "relu", Name: "relu", Input: maxPool().Input, Output: maxPool().Output, DataFormat: "NHWC"}
	text := textOf(t, relu.WriteText)
	for _, word := range []string{"window", "padding", "relu (relu)", "kernel", "settings"} {
		if strings.Contains(text, word) {
			t.Errorf("an operation without windows speaks of %q:\n%s", word, text)
		}
	}
}

func TestShapeReportMarksAsymmetricPaddingOnly(t *testing.T) {
	o := maxPool()
	o.PadLo, o.PadHi = []int{1, 0}, []int{1, 2}
	if text := textOf(t, o.WriteText); !strings.Contains(text, "asymmetric: width 0 before, 2 after\n") {
		t.Errorf("padding 1:1,0:2:\n%s", text)
	}
	o.PadHi = o.PadLo
	if text := textOf(t, o.WriteText); strings.Contains(text, "asymmetric") {
		t.Errorf("padding 1:1,0:0 is symmetric:\n%s", text)
	}
}

func TestShapeReportAsJSON(t *testing.T) {
	got := strictJSON[shapeJSON](t, maxPool().WriteJSON)
	want := shapeJSON{"poolctl.shape/v1", operationJSON{
		Op: "pool", Name: "pool1", DataFormat: "NHWC",
		Input: specJSON{"float32", []int{10, 9, 9, 2}}, Output: specJSON{"float32", []int{10, 9, 9, 2}},
		Outputs: []outputJSON{{"argmax", specJSON{"int64", []int{10, 9, 9, 2}}}},
		Window:  []int{2, 2}, Strides: []int{1, 1}, Dilations: []int{1, 1}, Padding: "SAME", PadLo: []int{0, 0}, PadHi: []int{1, 1}, Asymmetric: true,
		ReceptiveField: []int{2, 2}, Bytes: 25920, ActivationBytes: 19440, Kernel: "max.rows.go",
		Why: []string{"max.avx2: built with purego"}, Settings: []settingJSON{{"type", "max"}, {"nan", "propagate"}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if text := textOf(t, Operation{}.WriteJSON); strings.Contains(text, "null") {
		t.Errorf("an empty list is null:\n%s", text)
	}
}

func TestShapeReportAsCSV(t *testing.T) {
	var b strings.Builder
	odd := maxPool()
	odd.Name = `a "quoted", name`
	if err := WriteShapeCSV(&b, maxPool(), odd); err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(records) != 3 || len(records[0]) != len(shapeColumns) {
		t.Fatalf("%d lines, want a header and 2:\n%s", len(records), b.String())
	}
	cell := func(line int, column string) string {
		for i, name := range records[0] {
			if name == column {
				return records[line][i]
			}
		}
		t.Fatalf("no column %s in %v", column, records[0])
		return ""
	}
	for column, want := range map[string]string{
		"op": "pool", "input": "10x9x9x2", "output_dtype": "float32", "window": "2x2", "pad_lo": "0x0", "pad_hi": "1x1",
		"bytes": "25920", "settings": "type=max nan=propagate", "padding": "SAME",
	} {
		if got := cell(1, column); got != want {
			t.Errorf("%s: got %q, want %q", column, got, want)
		}
	}
	if got := cell(2, "name"); got != odd.Name {
		t.Errorf("name: got %q, want %q", got, odd.Name)
	}
}
