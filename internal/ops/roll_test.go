package ops_test

import (
	"math"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

var _ = conform("roll", rollReference,
	fixture{params: "shift=5 axis=2", x: tensor.Shape{2, 9, 8, 3}},
	fixture{params: "shift=-1,12,2 axis=1,-1,2", x: tensor.Shape{2, 9, 8, 3}},
	fixture{params: "shift=1 axis=0,1,3", x: tensor.Shape{2, 3, 4, 5, 2}},
	fixture{params: "shift=-1,7 axis=-1,0", x: tensor.Shape{2, 9, 8, 3}},
	fixture{params: "shift=-3,-3 axis=1,1", x: tensor.Shape{3, 7}},
	fixture{params: "shift=11", x: tensor.Shape{2, 7, 3}, memory: true},
	fixture{params: "shift=2 axis=0 data-format=HW", x: tensor.Shape{4, 5}},
	fixture{params: "shift=1,-2 axis=1,-1 data-format=HWC", x: tensor.Shape{4, 5, 3}},
)

// rollReference looks up for every cell which one moves there.
func rollReference(c *call) []grid {
	x, shifts := c.in[0], c.ints("shift", 1, nil)
	if c.values["axis"] == "" {
		y := newGrid(x.shape...)
		for i, v := range x.data {
			y.data[((i+shifts[0])%len(x.data)+len(x.data))%len(x.data)] = v
		}
		return []grid{y}
	}
	return []grid{fill(x.shape, func(o []int) float64 {
		from := slices.Clone(o)
		for i, axis := range c.axes(nil) {
			n := x.shape[axis]
			from[axis] = ((from[axis]-shifts[min(i, len(shifts)-1)])%n + n) % n
		}
		return x.at(from...)
	})}
}

// TestRollMovesEveryCell to (place + shift) mod n along each axis, and the
// gradient back: tensors of several blocks, whose ends lie within rows, and
// shifts of every size.
func TestRollMovesEveryCell(t *testing.T) {
	for _, c := range []struct {
		x      tensor.Shape
		params string
		shifts []int // of every axis; nil: along all cells as one line
		line   int
	}{
		{x: tensor.Shape{2, 150, 151, 3}, params: "shift=-7 axis=2", shifts: []int{0, 0, -7, 0}},
		{x: tensor.Shape{2, 150, 151, 3}, params: "shift=40,1,1 axis=1,3,0", shifts: []int{1, 40, 0, 1}},
		{x: tensor.Shape{2, 150, 151, 3}, params: "shift=3,-5 axis=2,1", shifts: []int{0, -5, 3, 0}},
		{x: tensor.Shape{3, 70000}, params: "shift=66000 axis=1", shifts: []int{0, 66000}},
		{x: tensor.Shape{70000, 3}, params: "shift=66000,2 axis=0,1", shifts: []int{66000, 2}},
		{x: tensor.Shape{2, 150, 151, 3}, params: "shift=-100001", line: -100001},
		{x: tensor.Shape{3, 7}, params: "shift=-9223372036854775808,9223372036854775807 axis=0,1", shifts: []int{math.MinInt64 % 3, math.MaxInt64 % 7}},
		{x: tensor.Shape{3, 7}, params: "shift=9223372036854775807 axis=1,1,1", shifts: []int{0, math.MaxInt64 % 7 * 3}},
	} {
		n, _ := c.x.Elements()
		places := make([]float64, n)
		for i := range places {
			places[i] = float64(i)
		}
		moved := make([]float64, n)
		for i := range places {
			at, inner := 0, n
			if c.shifts == nil {
				at = ((i+c.line)%n + n) % n
			}
			for axis, s := range c.shifts {
				extent := c.x[axis]
				inner /= extent
				place := i / inner % extent
				at += ((place+s)%extent + extent) % extent * inner
			}
			moved[at] = places[i]
		}
		op := differentiable(t, "roll", c.params)
		for _, threads := range []int{1, 3} {
			x := tensor.From(places, c.x...)
			y, _, err := ops.Run(plan(t, op, []*tensor.Tensor{x}), threads, x)
			if err != nil {
				t.Fatal(err)
			}
			dx := backward(t, op, ops.WantGrad{Input: true}, threads, x, tensor.From(moved, c.x...))["dx"]
			for i := range places {
				if got := y[0].At(i); got != moved[i] {
					t.Fatalf("%s of %s on %d threads: element %d is %g, want %g", c.params, c.x, threads, i, got, moved[i])
				}
				if got := dx.At(i); got != places[i] {
					t.Fatalf("gradient of %s of %s on %d threads: element %d is %g, want %g", c.params, c.x, threads, i, got, places[i])
				}
			}
		}
	}
}
