package ops_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"testing"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestNormsOfSmallAndLargePowers: norms and their gradients whose powers are beyond
// the range of float32 or float64, where the result is not.
func TestNormsOfSmallAndLargePowers(t *testing.T) {
	for _, c := range []struct {
		x      *tensor.Tensor
		params string
		y, dx  []float64
	}{
		{tensor.From([]uint8{255, 200, 100}, 1, 3, 1), "p=20", []float64{255.09831}, []float64{.99268, .00982, 1.9e-8}},
		{tensor.From([]float32{.004, .002, .001}, 1, 3, 1), "p=18", []float64{.004}, []float64{1, 7.6e-6, 5.8e-11}},
		{tensor.From([]float64{1e200, 5e199, 0}, 1, 3, 1), "p=2", []float64{math.Sqrt(1.25) * 1e200}, []float64{1 / math.Sqrt(1.25), .5 / math.Sqrt(1.25), 0}},
		{tensor.From([]float64{-1e-200, 5e-201, 0}, 1, 3, 1), "p=2", []float64{math.Sqrt(1.25) * 1e-200}, []float64{-1 / math.Sqrt(1.25), .5 / math.Sqrt(1.25), 0}},
		{tensor.From([]float64{.001, .001, -.001}, 1, 3, 1), "p=200", []float64{.001 * math.Pow(3, 1./200)}, []float64{math.Pow(3, -199./200), math.Pow(3, -199./200), -math.Pow(3, -199./200)}},
		{tensor.From([]float32{.001, .0009, 0}, 1, 3, 1), "p=200", []float64{.001}, []float64{1, math.Pow(.9, 199), 0}},
		{tensor.From([]float32{1e-40, 0, 0}, 1, 3, 1), "p=2", []float64{1e-40}, []float64{1, 0, 0}},
		{tensor.From([]float32{3e38, 3e38, -3e38}, 1, 3, 1), "p=2", []float64{math.Inf(1)}, []float64{1 / math.Sqrt(3), 1 / math.Sqrt(3), -1 / math.Sqrt(3)}},
		{tensor.From([]float64{math.NaN(), 1e200, 1e200}, 1, 3, 1), "p=2 nan=ignore", []float64{math.Sqrt2 * 1e200}, []float64{0, math.Sqrt(.5), math.Sqrt(.5)}},
		{tensor.From([]float32{float32(math.NaN()), .001, 0}, 1, 3, 1), "p=200 nan=ignore", []float64{.001}, []float64{0, 1, 0}},
		{tensor.From([]float64{0, 0, 0}, 1, 3, 1), "p=300", []float64{0}, []float64{0, 0, 0}},
		{tensor.From([]float64{math.NaN(), -2, 1}, 1, 3, 1), "p=inf nan=ignore", []float64{2}, []float64{0, -1, 0}},
		{tensor.From([]float64{math.NaN(), math.NaN(), math.NaN()}, 1, 3, 1), "p=inf nan=ignore", []float64{math.NaN()}, []float64{0, 0, 0}},
	} {
		op := differentiable(t, "pool", "type=lp window=3 "+c.params)
		plan, err := op.Plan(specsOf([]*tensor.Tensor{c.x}), ops.Want{})
		if err != nil {
			t.Fatal(err)
		}
		dy := tensor.From([]float64{1}, 1, 1, 1)
		grad, err := op.PlanGrad(specsOf([]*tensor.Tensor{c.x, dy}), ops.WantGrad{Input: true})
		if err != nil {
			t.Fatal(err)
		}
		near := func(got, want []float64) bool { // what is small above has two digits
			return slices.EqualFunc(got, want, func(a, b float64) bool {
				return a == b || a != a && b != b || math.Abs(a-b) <= 2e-2*math.Abs(b) && (math.Abs(b) < 1e-3 || math.Abs(a-b) <= 2e-5*math.Abs(b))
			})
		}
		if got := runPlan(t, plan, c.x); !near(got, c.y) {
			t.Errorf("%v %s: norm %v, want %v", values(c.x), c.params, got, c.y)
		}
		if got := runPlan(t, grad, c.x, dy); !near(got, c.dx) {
			t.Errorf("%v %s: gradient %v, want %v", values(c.x), c.params, got, c.dx)
		}
	}
}

func values(x *tensor.Tensor) []float64 {
	wide, _ := tensor.Converted(x, tensor.Float64)
	return tensor.Of[float64](wide)
}

// TestOverlappingNormsOfManyMagnitudes: windows that share cells, some of ordinary
// magnitudes and some not, against the formula in 300 bits and large exponents.
func TestOverlappingNormsOfManyMagnitudes(t *testing.T) {
	data := make([]float32, 2*40*3)
	for i := range data {
		data[i] = float32(math.Copysign(math.Pow(10, float64(i*7%23)-14), float64(i%3)-.5))
	}
	x := tensor.From(data, 2, 40, 3)
	for _, p := range []int{2, 3, 9, 30} {
		for _, layout := range []string{"NWC", "NCW"} {
			op := differentiable(t, "pool", fmt.Sprintf("type=lp window=4 strides=2 dilations=2 padding=SAME p=%d data-format=%s", p, layout))
			given := x
			if layout == "NCW" {
				given = tensor.From(data, 2, 3, 40)
			}
			plan, err := op.Plan(specsOf([]*tensor.Tensor{given}), ops.Want{})
			if err != nil {
				t.Fatal(err)
			}
			dy := tensor.New(plan.Outputs[0].Spec)
			for i := range dy.Len() {
				tensor.Of[float32](dy)[i] = float32(1 + i%5)
			}
			grad, err := op.PlanGrad(specsOf([]*tensor.Tensor{given, dy}), ops.WantGrad{Input: true})
			if err != nil {
				t.Fatal(err)
			}
			got := runPlan(t, grad, given, dy)
			a := plan.Geometry.Axes[2]
			at := func(image, cell, channel, extent int) int {
				if layout == "NCW" {
					return (image*3+channel)*extent + cell
				}
				return (image*extent+cell)*3 + channel
			}
			for image := range 2 {
				for channel := range 3 {
					for cell := range 40 {
						want := 0.0
						v := math.Abs(float64(data[at(image, cell, channel, 40)]))
						for o := range a.Out {
							if _, ok := a.Tap(o, cell); !ok {
								continue
							}
							first, n := a.Cells(o)
							sum := new(big.Float).SetPrec(300)
							for k := range n {
								sum.Add(sum, powerOf(math.Abs(float64(data[at(image, first+2*k, channel, 40)])), p))
							}
							// (v/y)^(p-1) = v^(p-1) / sum * y, of which y is sum^(1/p).
							ratio := new(big.Float).Quo(powerOf(v, p), sum)
							r, _ := ratio.Float64() // (v/y)^p
							want += float64(dy.At(at(image, o, channel, a.Out))) * math.Pow(r, float64(p-1)/float64(p))
						}
						want = math.Copysign(want, float64(data[at(image, cell, channel, 40)]))
						if g := got[at(image, cell, channel, 40)]; math.Abs(g-want) > 1e-4*math.Abs(want)+1e-37 {
							t.Fatalf("p %d %s: gradient of cell %d, channel %d, image %d is %g, want %g", p, layout, cell, channel, image, g, want)
						}
					}
				}
			}
		}
	}
}

func powerOf(v float64, p int) *big.Float {
	x := new(big.Float).SetPrec(300).SetFloat64(v)
	y := new(big.Float).SetPrec(300).SetInt64(1)
	for range p {
		y.Mul(y, x)
	}
	return y
}
