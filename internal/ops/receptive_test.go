package ops_test

import (
	"math"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestReceptiveFieldsAreWhatOutputsDependOn: along each spatial axis, a change of
// the input cells at one place changes no output outside of whose field it lies;
// and some output depends on both ends of its field.
func TestReceptiveFieldsAreWhatOutputsDependOn(t *testing.T) {
	tested := map[string]bool{}
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		op := f.op(t, spec)
		in := f.tensors(tensor.Float32)
		p := plan(t, op, in)
		fields := ops.ReceptiveField(op, p)
		if fields == nil {
			return
		}
		if len(fields) != p.Layout.Spatial() {
			t.Fatalf("%d axes have a field, want %d", len(fields), p.Layout.Spatial())
		}
		tested[spec.Name] = true
		for main := range 1 + len(f.more) {
			next := 0
			for axis := range p.Layout {
				if p.Layout.IsSpatial(axis) {
					checkField(t, p, in, main, axis, fields[next])
					next++
				}
			}
		}
	})
	for _, spec := range ops.Table {
		if _, has := spec.New().(ops.Receptive); has && !tested[spec.Name] {
			t.Errorf("%s has a receptive field, and no fixture with one", spec.Name)
		}
	}
}

// checkField changes the cells of every place along one axis of a main input in
// turn.
func checkField(t *testing.T, p *ops.Plan, in []*tensor.Tensor, main, axis int, field geom.Field) {
	t.Helper()
	was, _, err := ops.Run(p, 1, in...)
	if err != nil {
		t.Fatal(err)
	}
	first, last := map[int]int{}, map[int]int{} // the places that an output place sees
	for place := range in[main].Shape[axis] {
		for _, sign := range []float32{1, -1} { // a maximum depends on larger numbers only
			changed := slices.Clone(in)
			changed[main], _ = tensor.Converted(in[main], tensor.Float32)
			data, channels := tensor.Of[float32](changed[main]), in[main].Shape[len(in[main].Shape)-1]
			for i := range data {
				if placeOf(in[main].Shape, axis, i) == place {
					data[i] += sign * float32(16+i%channels)
				}
			}
			now, _, err := ops.Run(p, 1, changed...)
			if err != nil {
				t.Fatal(err)
			}
			for out := range differing(was[0], now[0], axis) {
				if middle := field.Start + float64(out)*field.Jump; math.Abs(float64(place)-middle) > field.Size/2 {
					t.Fatalf("axis %d: output %d depends on input %d, its field %+v has its middle at %g", axis, out, place, field, middle)
				}
				if _, seen := first[out]; !seen {
					first[out] = place
				}
				last[out] = place
			}
		}
	}
	widest := 0
	for out := range first {
		widest = max(widest, last[out]-first[out]+1)
	}
	if float64(widest) != field.Size {
		t.Errorf("axis %d: an output depends on %d inputs in a row at most, its field is %+v", axis, widest, field)
	}
}

// placeOf returns where along an axis element i of a tensor lies.
func placeOf(shape tensor.Shape, axis, i int) int {
	inner := 1
	for _, n := range shape[axis+1:] {
		inner *= n
	}
	return i / inner % shape[axis]
}

// differing returns the places along an axis where numbers differ by more than
// rounding.
func differing(a, b *tensor.Tensor, axis int) map[int]bool {
	places := map[int]bool{}
	was := tensor.Of[float32](a)
	for i, now := range tensor.Of[float32](b) {
		if math.Abs(float64(now-was[i])) > 1e-4 {
			places[placeOf(a.Shape, axis, i)] = true
		}
	}
	return places
}

// TestWithoutFields: operations and calls whose outputs see cells at uneven
// distances have no field, rather than a wrong one.
func TestWithoutFields(t *testing.T) {
	for _, c := range []struct {
		op string
		f  fixture
	}{
		{"unpool", fixtures["unpool"][0]},
		{"flatten", fixtures["flatten"][0]},
		{"roll", fixtures["roll"][0]},
		{"pool", fixture{params: "type=avg output-size=4,5", x: tensor.Shape{2, 9, 8, 3}}},
		{"pool", fixture{params: "type=max fractional=1.5 seed=7", x: tensor.Shape{2, 19, 18, 3}}},
		{"softmax", fixture{params: "axis=1", x: tensor.Shape{2, 9, 8, 3}}},
		{"concat", fixture{params: "axis=-2", x: tensor.Shape{2, 9, 8, 3}, more: []tensor.Shape{{2, 9, 2, 3}}}},
		{"pad", fixture{params: "paddings=0:1,0:0 mode=reflect", x: tensor.Shape{2, 9, 8, 3}}},
		{"pad", fixture{params: "paddings=-1:0,0:1 mode=wrap", x: tensor.Shape{2, 9, 8, 3}}},
		{"pad", fixture{params: "paddings=1:0,0:0 mode=edge", x: tensor.Shape{2, 9, 8, 3}}},
		{"resize", fixture{params: "size=6,8", x: tensor.Shape{2, 9, 8, 3}}},
		{"resize", fixture{params: "size=9,5 method=area", x: tensor.Shape{2, 9, 8, 3}}},
		{"resize", fixture{params: "size=18,16 coordinates=align-corners", x: tensor.Shape{2, 9, 8, 3}}},
		{"conv2d-transpose", fixture{params: "filter=f.npy strides=3 dilations=2", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 3, 4}}},
	} {
		spec, err := ops.Lookup(c.op)
		if err != nil {
			t.Fatal(err)
		}
		op := c.f.op(t, spec)
		if fields := ops.ReceptiveField(op, plan(t, op, c.f.tensors(tensor.Float32))); fields != nil {
			t.Errorf("%s %s: %+v", c.op, c.f.params, fields)
		}
	}
}
