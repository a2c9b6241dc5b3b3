package ops_test

import (
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// shapeOf reads extents from bytes: small ones, and now and then an absurd one.
func shapeOf(text []byte) tensor.Shape {
	shape := tensor.Shape{}
	for _, b := range text[:min(len(text), 6)] {
		switch {
		case b < 240:
			shape = append(shape, int(b%20))
		case b < 250:
			shape = append(shape, 1<<(3*(b-239)))
		default:
			shape = append(shape, -int(b-249))
		}
	}
	return shape
}

// FuzzPlanAndRun gives any operation any parameters and shapes: an error of a
// kind that users can cause, or a plan whose results do not depend on the
// threads.
func FuzzPlanAndRun(f *testing.F) {
	for i, spec := range ops.Table {
		for _, c := range fixtures[spec.Name] {
			var x, filter []byte
			for _, n := range c.x {
				x = append(x, byte(n%20))
			}
			for _, n := range c.filter {
				filter = append(filter, byte(n))
			}
			f.Add(uint8(i), c.params, x, filter, uint8(9))
		}
	}
	f.Fuzz(func(t *testing.T, which uint8, params string, x, filter []byte, dtype uint8) {
		spec := ops.Table[int(which)%len(ops.Table)]
		op := spec.New()
		for word := range strings.FieldsSeq(params) {
			name, value, _ := strings.Cut(word, "=")
			if ops.Set(op, name, value) != nil {
				return
			}
		}
		types := tensor.DTypes()
		specs := []tensor.Spec{{DType: types[int(dtype)%len(types)], Shape: shapeOf(x)}}
		others, err := op.Inputs(specs[0])
		refused(t, err)
		for range others {
			specs = append(specs, tensor.Spec{DType: tensor.Float32, Shape: shapeOf(filter)})
			if len(filter) > 0 { // a bias beside the filter
				filter = filter[len(filter)-1:]
			}
		}
		if spec.Name == "unpool" && len(specs) > 1 {
			specs[1] = tensor.Spec{DType: tensor.Int64, Shape: specs[0].Shape}
		}
		plan, err := op.Plan(specs, wantAll(op))
		if err != nil {
			refused(t, err)
			return
		}
		work := 0
		for i := range plan.Stages {
			if work += plan.Stages[i].Work; work < 0 {
				return
			}
		}
		if n, err := plan.Bytes(3); err != nil || n > 1<<20 || work > 1<<20 {
			return
		}
		var in []*tensor.Tensor
		for _, s := range specs {
			wide := tensor.New(tensor.Spec{DType: tensor.Int64, Shape: s.Shape})
			for i := range tensor.Of[int64](wide) {
				tensor.Of[int64](wide)[i] = int64(i * 7 % 13)
			}
			narrow, _ := tensor.Converted(wide, s.DType)
			in = append(in, narrow)
		}
		one, _, err := ops.Run(plan, 1, in...)
		refused(t, err)
		three, _, err3 := ops.Run(plan, 3, in...)
		if (err == nil) != (err3 == nil) {
			t.Fatalf("one thread: %v, three: %v", err, err3)
		}
		for i := range one {
			if err := testutil.Equal(three[i], one[i], 0); err != nil {
				t.Errorf("%s %s %s: output %d on three threads: %v", spec.Name, params, specs, i, err)
			}
		}
	})
}

// refused fails for errors that users cannot cause.
func refused(t *testing.T, err error) {
	t.Helper()
	if err != nil && !typed(err) {
		t.Fatalf("got %T: %v", err, err)
	}
}
