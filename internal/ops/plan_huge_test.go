package ops_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestPlansOfHugeShapes plans shapes that no machine could compute. Planning takes
// neither time nor memory that grows with them.
func TestPlansOfHugeShapes(t *testing.T) {
	const (
		mostBytes = 16 << 20
		mostTime  = 5 * time.Second // far more than it takes, for slow machines
	)
	cases := []struct {
		op, params string
		in         []tensor.Shape
		dtype      tensor.DType
	}{
		{"pool", "type=max window=global strides=2 padding=SAME", []tensor.Shape{{1, 1000000, 1, 1}}, tensor.Float32},
		{"pool", "type=avg window=global strides=100000000", []tensor.Shape{{1, 1000000006, 6, 1}}, tensor.Uint8},
		{"pool", "type=sum window=2,1 dilations=1000000,1 padding=SAME strides=1", []tensor.Shape{{1, 1000000000, 1, 1}}, tensor.Float64},
		{"conv2d", "filter=f.npy padding=SAME", []tensor.Shape{{1, 6, 6, 2}, {8000, 8000, 2, 1}}, tensor.Float32},
		{"conv2d", "filter=f.npy padding=SAME", []tensor.Shape{{1, 6, 6, 2}, {8000, 8000, 2, 4}}, tensor.Float64},
		{"conv2d-transpose", "filter=f.npy strides=1000000000,1", []tensor.Shape{{1, 6, 6, 1}, {2, 2, 1, 1}}, tensor.Float32},
		{"conv2d-transpose", "filter=f.npy strides=1000000000,1 padding=SAME", []tensor.Shape{{1, 6, 6, 3}, {2, 2, 5, 3}}, tensor.Float64},
		{"conv1d-transpose", "filter=f.npy strides=1000000007 dilations=999999937", []tensor.Shape{{1, 6, 1}, {60000, 1, 1}}, tensor.Float32},
	}
	for _, c := range cases {
		spec, err := ops.Lookup(c.op)
		if err != nil {
			t.Fatal(err)
		}
		op := spec.New()
		for word := range strings.FieldsSeq(c.params) {
			name, value, _ := strings.Cut(word, "=")
			if err := ops.Set(op, name, value); err != nil {
				t.Fatal(err)
			}
		}
		var in []tensor.Spec
		for i, shape := range c.in {
			in = append(in, tensor.Spec{DType: tensor.Float32, Shape: shape})
			if i == 0 {
				in[0].DType = c.dtype
			}
		}
		began, before := time.Now(), allocated()
		if _, err := op.Plan(in, ops.Want{}); err != nil {
			t.Errorf("%s %s: %v", c.op, c.params, err)
			continue
		}
		if bytes, took := allocated()-before, time.Since(began); bytes > mostBytes || took > mostTime {
			t.Errorf("%s %s of %v: planning took %s and %d bytes, want at most %s and %d", c.op, c.params, c.in, took, bytes, mostTime, mostBytes)
		}
	}
}

// allocated returns the bytes allocated since the program began.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
