package report

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

func twoSteps() Network {
	pool := NetworkStep{Operation: maxPool(), From: []string{"input"}, Runs: true, Unread: 19, Tail: []int{1, 1},
		Field: &Field{[]float64{2, 2}, []float64{1, 1}, []float64{0.5, 0.5}}}
	flat := NetworkStep{Operation: Operation{Op: "flatten", Name: "flat", Kernel: "copy, go", Parameters: 7,
		Output: tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{10, 162}}}, From: []string{"pool1"}}
	return Network{File: "net.yaml", Input: tensor.Spec{DType: tensor.Uint8, Shape: maxPool().Input.Shape}, Prepared: maxPool().Input, DataFormat: "NHWC",
		Steps: []NetworkStep{pool, flat}, Why: true, Memory: NetworkMemory{Peak: 5000, Arena: 2048, Scratch: 0, Weights: 1000, Input: 1952, Separate: 4096, Threads: 2}}
}

func TestNetworkReportAsText(t *testing.T) {
	want := `net.yaml on uint8 (10,9,9,2), prepared to float32 (10,9,9,2) NHWC
step    op       from   output              window  strides  padding    field  jump  start    parameters  multiply-adds  activations    never read
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
pool1   pool     input  float32 (10,9,9,2)  2x2     1x1      0:1,0:1 *  2,2    1,1   0.5,0.5           0              0     19.0 KiB  19, tail 1x1
(flat)  flatten  pool1  float32 (10,162)                                -      -     -                 7              0          0 B
total: 0 parameters, 0 multiply-adds, 19.0 KiB of activations
peak memory on 2 threads: 4.9 KiB = arena 2.0 KiB (4.0 KiB without reuse) + weights 1000 B and 0 B packed + scratch 0 B + input 1.9 KiB
padding *: more at one end than at the other (lo:hi of each spatial dimension)
(step) does not run: nothing that is saved depends on it
pool1 runs max.rows.go; not max.avx2: built with purego
flat runs copy, go
`
	if got := textOf(t, twoSteps().WriteText); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestNetworkReportAsMarkdown(t *testing.T) {
	got := textOf(t, twoSteps().WriteMarkdown)
	for _, want := range []string{"| step | op | from |", "| pool1 | pool | input | float32 (10,9,9,2) | 2x2 | 1x1 | 0:1,0:1 * |", "\n- total: 0 parameters"} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
}

func TestNetworkReportAsCSV(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(textOf(t, twoSteps().WriteCSV))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	cells := map[string]string{}
	for i, name := range rows[0] {
		cells[name] = rows[1][i]
	}
	for name, want := range map[string]string{"name": "pool1", "output": "10x9x9x2", "pad_hi": "1x1", "from": "input", "runs": "true", "field": "2,2", "jump": "1,1", "start": "0.5,0.5", "unread": "19", "tail": "1x1"} {
		if cells[name] != want {
			t.Errorf("%s: got %q, want %q", name, cells[name], want)
		}
	}
}

func TestNetworkReportAsJSON(t *testing.T) {
	n := twoSteps()
	n.Steps[1].Unread = -1
	var got struct {
		Schema string
		Steps  []struct {
			Name, Op, Schema string
			Output           specJSON
			Field            *Field
			Unread           *int64
			From, Why        []string
			Asymmetric       bool
		}
		Totals totalsJSON
		Memory map[string]int64
	}
	text := textOf(t, n.WriteJSON)
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	pool, flat := got.Steps[0], got.Steps[1]
	switch {
	case got.Schema != "poolctl.network/v1", pool.Name != "pool1", pool.Schema != "", !pool.Asymmetric, pool.Field.Size[1] != 2, *pool.Unread != 19,
		flat.Field != nil, flat.Unread != nil, flat.Why == nil, got.Totals.ActivationBytes != 19440, got.Memory["peak_bytes"] != 5000:
		t.Errorf("got %s", text)
	}
}
