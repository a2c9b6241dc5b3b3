package arrows

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// pool returns pooling with parameters given as name, value, name, value.
func pool(t *testing.T, values ...string) *ops.Pool {
	t.Helper()
	spec, err := ops.Lookup("pool")
	if err != nil {
		t.Fatal(err)
	}
	op := spec.New().(*ops.Pool)
	for i := 0; i < len(values); i += 2 {
		if err := ops.SetParam(append(op.Params(), op.GradParams()...), values[i], values[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := op.Check(); err != nil {
		t.Fatal(err)
	}
	return op
}

func cases(t *testing.T, op *ops.Pool, x, upstream *tensor.Tensor, target []int) []figure.ArrowCase {
	t.Helper()
	list, err := Cases(op, x, upstream, target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := figure.ArrowsSVG(list...); err != nil {
		t.Fatal(err)
	}
	return list
}

func share(out, in int, weight float64) figure.Share {
	return figure.Share{Out: out, In: in, Weight: weight}
}

// TestRulesSayWhatTheSharesDo holds the words against the shares: of the windows
// of these 2x2 cells the first has four equal maxima, the second two.
func TestRulesSayWhatTheSharesDo(t *testing.T) {
	x := tensor.From([]float32{5, 5, 7, 1, 5, 5, 2, 7}, 2, 4)
	dy := tensor.From([]float32{1, 1}, 1, 2)
	for _, c := range []struct {
		params []string
		rule   string
		rest   string
		shares []figure.Share
	}{
		{[]string{"type", "max"}, "all of it to the maximum, the first of equal ones", "", []figure.Share{share(0, 0, 1), share(1, 2, 1)}},
		{[]string{"type", "max", "ties", "last"}, "all of it to the maximum, the last of equal ones", "", []figure.Share{share(0, 5, 1), share(1, 7, 1)}},
		{[]string{"type", "max", "ties", "split"}, "all of it to the maximum, in equal parts to equal ones", "",
			[]figure.Share{share(0, 0, 0.25), share(0, 1, 0.25), share(0, 4, 0.25), share(0, 5, 0.25), share(1, 2, 0.5), share(1, 7, 0.5)}},
		{[]string{"type", "max", "ties", "all"}, "all of it to every maximum", "to further maxima",
			[]figure.Share{share(0, 0, 1), share(0, 1, 1), share(0, 4, 1), share(0, 5, 1), share(1, 2, 1), share(1, 7, 1)}},
		{[]string{"type", "min", "ties", "all"}, "all of it to every minimum", "to further minima",
			[]figure.Share{share(0, 0, 1), share(0, 1, 1), share(0, 4, 1), share(0, 5, 1), share(1, 3, 1)}},
	} {
		got := cases(t, pool(t, append(c.params, "window", "2")...), x, dy, nil)
		if got[0].Rule != c.rule || got[0].Rest != c.rest {
			t.Errorf("%v: got %q, %q, want %q, %q", c.params, got[0].Rule, got[0].Rest, c.rule, c.rest)
		}
		if !slices.Equal(got[0].Shares, c.shares) {
			t.Errorf("%v: got shares %v, want %v", c.params, got[0].Shares, c.shares)
		}
		if got[1].Title != "avg" || len(got[1].Shares) != 8 || got[1].Shares[3].Weight != 0.25 {
			t.Errorf("%v: the average beside it is %q with shares %v", c.params, got[1].Title, got[1].Shares)
		}
	}
}

func TestAveragesSayWhatTheyDivideBy(t *testing.T) {
	x := tensor.From([]float32{1, 2, 3, 4}, 2, 2)
	dy := tensor.From([]float32{1, 1, 1, 1}, 2, 2)
	for _, c := range []struct {
		params     []string
		rule, rest string
		gradient   float64 // of each cell: all four windows see it
	}{
		{nil, "an equal share to each real cell", "", 4.0 / 4},
		{[]string{"count-include-pad", "true"}, "an equal share to each cell of the window; padding's is lost", "into padding", 4.0 / 9},
		{[]string{"divisor", "5"}, "to each real cell the gradient divided by 5", "by the divisor", 4.0 / 5},
		{[]string{"divisor", "5", "nan", "ignore"}, "to each real cell that is not NaN the gradient divided by 5", "by the divisor", 4.0 / 5},
	} {
		got := cases(t, pool(t, append([]string{"type", "avg", "window", "3", "strides", "1", "padding", "1:1"}, c.params...)...), x, dy, nil)
		if got[0].Title != "max" || got[1].Title != "avg" {
			t.Fatalf("panels %q and %q, want max and avg", got[0].Title, got[1].Title)
		}
		if got[1].Rule != c.rule || got[1].Rest != c.rest {
			t.Errorf("%v: got %q, %q, want %q, %q", c.params, got[1].Rule, got[1].Rest, c.rule, c.rest)
		}
		for i, v := range got[1].Gradient {
			if math.Abs(v-c.gradient) > 1e-12 {
				t.Errorf("%v: gradient of cell %d is %g, want %g", c.params, i, v, c.gradient)
			}
		}
	}
}

// TestTheTargetsPlaneIsDrawn: each plane holds its own number everywhere, in any
// layout.
func TestTheTargetsPlaneIsDrawn(t *testing.T) {
	last := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{2, 4, 4, 3}})
	for i := range tensor.Of[float32](last) {
		last.Data.([]float32)[i] = float32(10*(i/48) + i%3)
	}
	up := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{2, 2, 2, 3}})
	for i := range tensor.Of[float32](up) {
		up.Data.([]float32)[i] = float32(10*(i/12)+i%3) + 100
	}
	first := tensor.Permuted(last, tensor.Permutation("NHWC", "NCHW"))
	upFirst := tensor.Permuted(up, tensor.Permutation("NHWC", "NCHW"))
	for _, c := range []struct {
		layout      string
		x, upstream *tensor.Tensor
		target      []int
		want        float64
		part        string
	}{
		{"NHWC", last, up, nil, 0, "image 0 of 2, channel 0 of 3 (counted from 0)"},
		{"NHWC", last, up, []int{1, 0, 1, 2}, 12, "image 1 of 2, channel 2 of 3 (counted from 0)"},
		{"NCHW", first, upFirst, nil, 0, "image 0 of 2, channel 0 of 3 (counted from 0)"},
		{"NCHW", first, upFirst, []int{0, 1, 0, 1}, 1, "image 0 of 2, channel 1 of 3 (counted from 0)"},
		{"HWC", last.Reshaped(tensor.Shape{8, 4, 3}), up.Reshaped(tensor.Shape{4, 2, 3}), []int{0, 0, 2}, 2, "channel 2 of 3 (counted from 0)"},
	} {
		got := cases(t, pool(t, "type", "max", "window", "2", "data-format", c.layout), c.x, c.upstream, c.target)
		for _, panel := range got {
			if panel.Input[0] != c.want || panel.Upstream[0] != c.want+100 {
				t.Errorf("%s %v: plane of %g with gradient %g, want %g and %g", c.layout, c.target, panel.Input[0], panel.Upstream[0], c.want, c.want+100)
			}
			if panel.Part != c.part {
				t.Errorf("%s %v: called %q, want %q", c.layout, c.target, panel.Part, c.part)
			}
		}
	}
	one := cases(t, pool(t, "type", "max", "window", "2"), tensor.From([]float32{1, 2, 3, 4}, 2, 2), tensor.From([]float32{1}, 1, 1), nil)
	if one[0].Part != "" {
		t.Errorf("the only plane is called %q", one[0].Part)
	}
}

func TestWhatCannotBeDrawnIsRefused(t *testing.T) {
	x, dy := tensor.From([]float32{1, 2, 3, 4}, 2, 2), tensor.From([]float32{1}, 1, 1)
	if _, err := Cases(pool(t, "type", "sum", "window", "2"), x, dy, nil); err == nil || err.Error() != "pool: arrows: got --type sum, want max, min, avg" {
		t.Errorf("sum: %v", err)
	}
	large := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{20, 20}})
	out := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{10, 10}})
	if _, err := Cases(pool(t, "type", "max", "window", "2"), large, out, nil); err == nil || !strings.Contains(err.Error(), "want an input of at most 16x16 cells") {
		t.Errorf("20x20: %v", err)
	}
}
