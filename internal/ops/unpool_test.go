package ops_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

func operation(t *testing.T, name, params string) ops.Op {
	t.Helper()
	spec, err := ops.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return fixture{params: params}.op(t, spec)
}

// TestUnpoolPutsMaximaBack: every maximum of a pooling returns to where it was,
// and everything else is 0, for each convention, layout and number of dimensions.
func TestUnpoolPutsMaximaBack(t *testing.T) {
	for _, c := range []struct {
		shape  tensor.Shape
		format string
	}{
		{tensor.Shape{2, 9, 3}, "NWC"}, {tensor.Shape{2, 8, 9, 3}, "NHWC"}, {tensor.Shape{2, 4, 6, 8, 3}, "NDHWC"},
		{tensor.Shape{2, 3, 8, 9}, "NCHW"}, {tensor.Shape{8, 9}, "HW"}, {tensor.Shape{8, 9, 3}, "HWC"},
	} {
		for _, convention := range []string{"tensorflow", "tensorflow include-batch-in-index=true", "pytorch", "onnx", "onnx-column-major"} {
			n, _ := c.shape.Elements()
			data := make([]float32, n)
			for i, p := range rand.New(rand.NewPCG(1, 2)).Perm(n) {
				data[i] = float32(p + 1) // all different, none 0
			}
			x := tensor.From(data, c.shape...)
			common := " data-format=" + c.format + " argmax-index=" + convention
			pooled := run(t, operation(t, "pool", "type=max window=2"+common), x)
			back := run(t, operation(t, "unpool", "argmax=a output-shape="+tensor.Join(c.shape, ",")+common), pooled[0], pooled[1])[0]
			kept := map[float32]bool{}
			for _, v := range tensor.Of[float32](pooled[0]) {
				kept[v] = true
			}
			for i, v := range tensor.Of[float32](back) {
				want := data[i]
				if !kept[want] {
					want = 0
				}
				if v != want {
					t.Fatalf("%s %s: cell %v is %v, want %v", c.format, convention, c.shape.Index(i), v, want)
				}
			}
		}
	}
}

// TestUnpoolNamesTheFirstBadIndex for each convention's limit, each type of
// index, and values that wrap.
func TestUnpoolNamesTheFirstBadIndex(t *testing.T) {
	const shape = "output-shape=2,4,5,3"
	x := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{2, 2, 2, 3}})
	for _, c := range []struct {
		params string
		index  any
		at     int
		limit  int64
		want   string
	}{
		{"argmax-index=tensorflow", int64(60), 7, 60, "index 60 at [0,1,0,1], want 0 <= index < 60 (tensorflow, for batch 2, 3 channels, 1x4x5 cells)"},
		{"argmax-index=tensorflow include-batch-in-index=true", int64(120), 23, 120, "index 120 at [1,1,1,2], want 0 <= index < 120 (tensorflow"},
		{"argmax-index=pytorch", int64(20), 0, 20, "index 20 at [0,0,0,0], want 0 <= index < 20 (pytorch"},
		{"argmax-index=onnx", int64(120), 1, 120, "index 120 at [0,0,0,1], want 0 <= index < 120 (onnx"},
		{"argmax-index=onnx-column-major", int64(999999), 1, 120, "index 999999 at [0,0,0,1], want 0 <= index < 120 (onnx-column-major"},
		{"argmax-index=onnx", int64(-1), 5, 120, "index -1 at [0,0,1,2], want 0 <= index < 120"},
		{"argmax-index=onnx", int64(1 << 62), 5, 120, "index 4611686018427387904 at"},
		{"argmax-index=onnx", int64(math.MinInt64), 5, 120, "index -9223372036854775808 at"},
		{"argmax-index=onnx", uint64(math.MaxUint64), 5, 120, "index 18446744073709551615 at"},
		{"argmax-index=onnx", uint64(1 << 63), 5, 120, "index 9223372036854775808 at"},
		{"argmax-index=onnx", int32(-7), 5, 120, "index -7 at"},
		{"argmax-index=onnx", uint32(math.MaxUint32), 5, 120, "index 4294967295 at"},
		{"argmax-index=onnx", int16(120), 5, 120, "index 120 at"},
		{"argmax-index=onnx", uint16(121), 5, 120, "index 121 at"},
		{"argmax-index=onnx", int8(-128), 5, 120, "index -128 at"},
		{"argmax-index=onnx", uint8(255), 5, 120, "index 255 at"},
	} {
		argmax := tensor.New(tensor.Spec{DType: indexType(c.index), Shape: x.Shape})
		op := operation(t, "unpool", "argmax=a "+shape+" "+c.params)
		p := plan(t, op, []*tensor.Tensor{x, argmax})
		if _, _, err := ops.Run(p, 2, x, argmax); err != nil {
			t.Fatalf("%s: index 0: %v", c.params, err)
		}
		setIndex(argmax, c.at, c.index)
		_, _, err := ops.Run(p, 2, x, argmax)
		if want := "unpool: argmax: " + c.want; err == nil || len(err.Error()) < len(want) || err.Error()[:len(want)] != want {
			t.Errorf("%s: got %v, want %s", c.params, err, want)
		}
		if !typed(err) || ops.Field(err) != "argmax" {
			t.Errorf("%s: %v is about %q", c.params, err, ops.Field(err))
		}
		if argmax.DType == tensor.Int64 { // the last index that is allowed
			setIndex(argmax, c.at, c.limit-1)
			if _, _, err := ops.Run(p, 2, x, argmax); err != nil {
				t.Errorf("%s: index %d: %v", c.params, c.limit-1, err)
			}
		}
	}
}

func indexType(v any) tensor.DType {
	switch v.(type) {
	case uint8:
		return tensor.Uint8
	case int8:
		return tensor.Int8
	case uint16:
		return tensor.Uint16
	case int16:
		return tensor.Int16
	case uint32:
		return tensor.Uint32
	case int32:
		return tensor.Int32
	case uint64:
		return tensor.Uint64
	default:
		return tensor.Int64
	}
}

func setIndex(t *tensor.Tensor, at int, v any) {
	switch list := t.Data.(type) {
	case []uint8:
		list[at] = v.(uint8)
	case []int8:
		list[at] = v.(int8)
	case []uint16:
		list[at] = v.(uint16)
	case []int16:
		list[at] = v.(int16)
	case []uint32:
		list[at] = v.(uint32)
	case []int32:
		list[at] = v.(int32)
	case []uint64:
		list[at] = v.(uint64)
	case []int64:
		list[at] = v.(int64)
	}
}

// TestUnpoolDuplicates: what becomes of several values for one cell; sums stay
// within the range of their type.
func TestUnpoolDuplicates(t *testing.T) {
	argmax := tensor.From([]int64{1, 3, 1, 1}, 1, 4, 1)
	for _, c := range []struct {
		rule  string
		x     *tensor.Tensor
		want  *tensor.Tensor
		error string
	}{
		{"last", tensor.From([]float32{5, 6, 9, 7}, 1, 4, 1), tensor.From([]float32{0, 7, 0, 6}, 1, 4, 1), ""},
		{"sum", tensor.From([]float32{5, 6, 9, 7}, 1, 4, 1), tensor.From([]float32{0, 21, 0, 6}, 1, 4, 1), ""},
		{"max", tensor.From([]float32{5, 6, 9, 7}, 1, 4, 1), tensor.From([]float32{0, 9, 0, 6}, 1, 4, 1), ""},
		{"max", tensor.From([]int8{-5, 6, -9, -7}, 1, 4, 1), tensor.From([]int8{0, -5, 0, 6}, 1, 4, 1), ""},
		{"max", tensor.From([]float32{5, 6, float32(math.NaN()), 7}, 1, 4, 1), tensor.From([]float32{0, float32(math.NaN()), 0, 6}, 1, 4, 1), ""},
		{"sum", tensor.From([]uint8{200, 6, 50, 100}, 1, 4, 1), tensor.From([]uint8{0, 255, 0, 6}, 1, 4, 1), ""},
		{"sum", tensor.From([]int8{-100, 6, -100, 100}, 1, 4, 1), tensor.From([]int8{0, -100, 0, 6}, 1, 4, 1), ""},
		{"sum", tensor.From([]int64{math.MaxInt64, 6, 1, 5}, 1, 4, 1), tensor.From([]int64{0, math.MaxInt64, 0, 6}, 1, 4, 1), ""},
		{"sum", tensor.From([]int64{math.MinInt64, 6, -1, 0}, 1, 4, 1), tensor.From([]int64{0, math.MinInt64, 0, 6}, 1, 4, 1), ""},
		{"sum", tensor.From([]uint64{math.MaxUint64 - 1, 6, 1, 5}, 1, 4, 1), tensor.From([]uint64{0, math.MaxUint64, 0, 6}, 1, 4, 1), ""},
		{"error", tensor.From([]float32{5, 6, 9, 7}, 1, 4, 1), nil,
			"unpool: argmax: values [0,0,0] and [0,2,0] (channels last) both go to index 1, want every cell at most once (--duplicates last, sum or max says what becomes of them)"},
	} {
		p := plan(t, operation(t, "unpool", "argmax=a output-shape=1,4,1 duplicates="+c.rule), []*tensor.Tensor{c.x, argmax})
		out, _, err := ops.Run(p, 1, c.x, argmax)
		switch {
		case c.error != "":
			if err == nil || err.Error() != c.error {
				t.Errorf("%s: got %v, want %s", c.rule, err, c.error)
			}
		case err != nil:
			t.Errorf("%s: %v", c.rule, err)
		default:
			if err := testutil.Equal(out[0], c.want, 0); err != nil {
				t.Errorf("%s of %s: %v", c.rule, c.x.DType, err)
			}
		}
	}
}

// TestUnpoolConvertsFirst: --dtype is the type in which values are added, so
// that they are clipped before the sum, and the sum is too.
func TestUnpoolConvertsFirst(t *testing.T) {
	x, argmax := tensor.From([]float64{300.5, -300.25, 0, 0}, 1, 4, 1), tensor.From([]int64{1, 1, 0, 2}, 1, 4, 1)
	got := run(t, operation(t, "unpool", "argmax=a output-shape=1,4,1 duplicates=sum dtype=int8"), x, argmax)[0]
	if err := testutil.Equal(got, tensor.From([]int8{0, -1, 0, 0}, 1, 4, 1), 0); err != nil {
		t.Error(err)
	}
}

// TestUnpoolShapesMustAgree: batch, channels, rank and type of the argmax.
func TestUnpoolShapesMustAgree(t *testing.T) {
	x := tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{2, 2, 2, 3}}
	for _, c := range []struct {
		shape  string
		argmax tensor.Spec
		want   string
	}{
		{"1,4,4,3", tensor.Spec{DType: tensor.Int64, Shape: x.Shape}, "unpool: output-shape: got batch 1 and 3 channels, want the input's 2 and 3"},
		{"2,4,4,1", tensor.Spec{DType: tensor.Int64, Shape: x.Shape}, "unpool: output-shape: got batch 2 and 1 channels, want the input's 2 and 3"},
		{"2,4,4", tensor.Spec{DType: tensor.Int64, Shape: x.Shape}, "unpool: output-shape: got shape (2,4,4) of rank 3, want rank 4 for NHWC"},
		{"2,4,4,3", tensor.Spec{DType: tensor.Float32, Shape: x.Shape}, "unpool: argmax: got float32, want an integer type"},
		{"2,4,4,3", tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{2, 2, 2, 1}}, "unpool: argmax: got shape (2,2,2,1), want the input's (2,2,2,3)"},
	} {
		_, err := operation(t, "unpool", "argmax=a output-shape="+c.shape).Plan([]tensor.Spec{x, c.argmax}, ops.Want{})
		if err == nil || err.Error() != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
