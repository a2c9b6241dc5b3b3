package conv_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
)

// filtering is an algorithm F(MxM, 3x3) as its matrices: y = A((G g Gᵀ) * (B d Bᵀ))Aᵀ
// in each of the two dimensions.
type filtering struct {
	algorithm kernel.Algorithm
	a, g, b   [][]float64
	extra     float64 // roundings of a product beside those of the sum over channels
	amplified float64 // of the largest input times the sum of weights: see semantics.md
}

var filterings = []filtering{
	{kernel.Winograd2x2,
		[][]float64{{1, 1, 1, 0}, {0, 1, -1, -1}},
		[][]float64{{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}},
		[][]float64{{1, 0, -1, 0}, {0, 1, 1, 0}, {0, -1, 1, 0}, {0, 1, 0, -1}}, 11, 16},
	{kernel.Winograd4x4,
		[][]float64{{1, 1, 1, 1, 1, 0}, {0, 2. / 3, -2. / 3, 1.5, -1.5, 0}, {0, 4. / 9, 4. / 9, 2.25, 2.25, 0}, {0, 8. / 27, -8. / 27, 3.375, -3.375, 1}},
		[][]float64{{1, 0, 0}, {-81. / 130, -54. / 130, -36. / 130}, {-81. / 130, 54. / 130, -36. / 130}, {8. / 65, 12. / 65, 18. / 65}, {8. / 65, -12. / 65, 18. / 65}, {0, 0, 1}},
		[][]float64{
			{1, 0, -97. / 36, 0, 1, 0}, {0, -1.5, -2.25, 2. / 3, 1, 0}, {0, 1.5, -2.25, -2. / 3, 1, 0},
			{0, -2. / 3, -4. / 9, 1.5, 1, 0}, {0, 2. / 3, -4. / 9, -1.5, 1, 0}, {0, 1, 0, -97. / 36, 0, 1},
		}, 35, 153},
}

// TestWinogradMatricesGiveConvolutions: the matrices from which the bound is computed
// are right, and amplify by no more than stated.
func TestWinogradMatricesGiveConvolutions(t *testing.T) {
	for _, w := range filterings {
		largest := 0.0
		for i, row := range w.a {
			for tap := range 3 {
				amplified := 0.0
				for cell := range w.b {
					sum := 0.0
					for k := range w.b {
						sum += row[k] * w.g[k][tap] * w.b[k][cell]
						amplified += math.Abs(row[k] * w.g[k][tap] * w.b[k][cell])
					}
					want := 0.0
					if cell == i+tap {
						want = 1
					}
					if math.Abs(sum-want) > 1e-14 {
						t.Errorf("%s: output %d takes %v of weight %d times cell %d, want %v", w.algorithm, i, sum, tap, cell, want)
					}
				}
				largest = math.Max(largest, amplified)
			}
		}
		if largest*largest > w.amplified {
			t.Errorf("%s amplifies by %v, want at most %v", w.algorithm, largest*largest, w.amplified)
		}
	}
}

// sandwich returns m x mᵀ by magnitudes.
func sandwich(m [][]float64, x [][]float64) [][]float64 {
	out := make([][]float64, len(m))
	for r := range m {
		out[r] = make([]float64, len(m))
		for c := range m {
			for i := range x {
				for j := range x {
					out[r][c] += math.Abs(m[r][i] * x[i][j] * m[c][j])
				}
			}
		}
	}
	return out
}

func square(n int) [][]float64 {
	list := make([][]float64, n)
	for i := range list {
		list[i] = make([]float64, n)
	}
	return list
}

// bounds returns the largest error that each output may have. Every product, through
// all transforms, is rounded once for each channel and a few times more.
func (w *filtering) bounds(c *convCase[float32], unit float64) []float64 {
	size, out := len(w.b), len(w.a)
	height, width := c.dest.Size[1], c.dest.Size[2]
	bounds := make([]float64, c.spec.N*height*width*c.spec.Dst)
	first := [2]int{-c.g.Axes[1].Lo, -c.g.Axes[2].Lo}
	tapOf := func(y, x int) int { return 3*y + x }
	if c.spec.SkipPadding {
		first = [2]int{c.g.Axes[1].Lo - 2, c.g.Axes[2].Lo - 2}
		tapOf = func(y, x int) int { return 3*(2-y) + 2 - x }
	}
	for n := range c.spec.N {
		for y := 0; y < height; y += out {
			for x := 0; x < width; x += out {
				for o := range c.spec.Dst {
					sums := square(size)
					for i := range c.spec.Src {
						d, g := square(size), square(3)
						for r := range d {
							for s := range d {
								if cy, cx := y+first[0]+r, x+first[1]+s; cy >= 0 && cx >= 0 && cy < c.source.Size[1] && cx < c.source.Size[2] {
									d[r][s] = float64(c.x[c.source.At(n, i, 0, cy, cx)])
								}
							}
						}
						for tap := range 9 {
							g[tap/3][tap%3] = float64(c.f[tapOf(tap/3, tap%3)*c.spec.Filter.Tap+i*c.spec.Filter.Src+o*c.spec.Filter.Dst])
						}
						d, g = sandwich(w.b, d), sandwich(w.g, g)
						for r := range sums {
							for s := range sums {
								sums[r][s] += d[r][s] * g[r][s]
							}
						}
					}
					sums = sandwich(w.a, sums)
					for r := range min(out, height-y) {
						for s := range min(out, width-x) {
							at := c.dest.At(n, o, 0, y+r, x+s)
							bounds[at] = unit * ((float64(c.spec.Src)+w.extra)*sums[r][s] + math.Abs(float64(c.bias[o])))
						}
					}
				}
			}
		}
	}
	return bounds
}

var same3x3 = geom.Window{Size: []int{3, 3}, Padding: geom.Same}

// TestWinogradIsWithinItsBoundAtEveryLevel: with every number of outputs and channels
// in the last tile, vector and panel, forward and transposed.
func TestWinogradIsWithinItsBoundAtEveryLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	for _, w := range filterings {
		check := func(c *convCase[float32]) {
			t.Helper()
			c.spec.Algorithm = w.algorithm
			bounds := w.bounds(c, convUnit[float32]())
			for _, c.spec.Level = range kerneltest.EveryLevel() {
				c.check(t, c.run(t, random), asNear(bounds))
			}
			wide := widened(c)
			for i := range bounds {
				bounds[i] *= convUnit[float64]() / convUnit[float32]()
			}
			for _, wide.spec.Level = range kerneltest.EveryLevel() {
				wide.check(t, wide.run(t, random), asNear(bounds))
			}
		}
		for n := range 68 {
			if n == 0 {
				continue
			}
			check(newConvCase[float32](t, 1, []int{3, n}, same3x3, 2, 5, 1, n%2 == 1, "TIO", random.NormFloat64))
			check(newConvCase[float32](t, 2, []int{5, 4}, same3x3, n, 3, 1, n%2 == 0, "TOI", random.NormFloat64))
			check(newConvCase[float32](t, 1, []int{5, 4}, same3x3, 3, n, 1, n%2 == 1, filterLayouts[n%4], random.NormFloat64))
		}
		check(newConvCase[float32](t, 2, []int{9, 13}, geom.Window{Size: []int{3, 3}}, 7, 33, 1, false, "TIO", random.NormFloat64))
		check(newConvCase[float32](t, 1, []int{5, 6}, geom.Window{Size: []int{3, 3}, Padding: geom.Explicit, Amounts: [][2]int{{4, 0}, {1, 7}}}, 9, 18, 1, false, "TIO", random.NormFloat64))
		check(newConvCase[float32](t, 3, []int{30, 31}, same3x3, 5, 6, 1, true, "OIT", random.NormFloat64))
	}
}

// asNear accepts outputs whose error is within the next bound, in the order of
// convCase.check.
func asNear(bounds []float64) func(got, want float64) bool {
	at := 0
	return func(got, want float64) bool {
		at++
		return math.Abs(got-want) <= bounds[at-1]
	}
}

func widened(c *convCase[float32]) *convCase[float64] {
	wide := &convCase[float64]{spec: c.spec, g: c.g, source: c.source, dest: c.dest}
	wide.spec.DType = tensor.Float64
	convert := func(list []float32) []float64 {
		out := make([]float64, len(list))
		for i, v := range list {
			out[i] = float64(v)
		}
		return out
	}
	wide.x, wide.f, wide.bias = convert(c.x), convert(c.f), convert(c.bias)
	return wide
}

// TestWinogradErrorsAreAsStated: with normal random numbers, 2x2 is closer than
// the sums of the definition in order, 4x4 at most three times as far.
func TestWinogradErrorsAreAsStated(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	c := newConvCase[float32](t, 1, []int{24, 24}, same3x3, 64, 8, 1, false, "TIO", random.NormFloat64)
	off := func(algorithm kernel.Algorithm) float64 {
		c.spec.Algorithm = algorithm
		sum := 0.0
		c.check(t, c.run(t, random), func(got, want float64) bool {
			sum += (got - want) * (got - want)
			return true
		})
		return math.Sqrt(sum)
	}
	direct := off(kernel.Direct)
	for _, c.spec.Level = range kerneltest.EveryLevel() {
		if e := off(kernel.Winograd2x2); e > direct {
			t.Errorf("2x2 at level %v is off by %v, sums in order by %v", c.spec.Level, e, direct)
		}
		if e := off(kernel.Winograd4x4); e > 3*direct {
			t.Errorf("4x4 at level %v is off by %v, sums in order by %v", c.spec.Level, e, direct)
		}
	}
}

// TestWinogradSpreadsWhatIsNotFinite: an infinity or NaN reaches all outputs of its
// tile, and no others.
func TestWinogradSpreadsWhatIsNotFinite(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	for _, w := range filterings {
		out := len(w.a)
		for _, bad := range []float64{math.Inf(1), math.NaN()} {
			c := newConvCase[float32](t, 1, []int{12, 12}, same3x3, 3, 4, 1, false, "TIO", random.NormFloat64)
			c.spec.Algorithm = w.algorithm
			for _, c.spec.Level = range kerneltest.EveryLevel() {
				before := c.run(t, random)
				at := c.source.At(0, 1, 0, 5, 6)
				was := c.x[at]
				c.x[at] = float32(bad)
				after := c.run(t, random)
				c.x[at] = was
				for y := range 12 {
					for x := range 12 {
						sees := func(v, cell int) bool { return v/out*out-1 <= cell && cell <= v/out*out+out }
						inTile := sees(y, 5) && sees(x, 6)
						meets := y >= 4 && y <= 6 && x >= 5 && x <= 7
						for o := range 4 {
							k := c.dest.At(0, o, 0, y, x)
							switch finite := after[k]-after[k] == 0; {
							case !inTile && after[k] != before[k]:
								t.Errorf("%s at level %v: (%d,%d) changes with a cell outside its tile", w.algorithm, c.spec.Level, y, x)
							case meets && finite:
								t.Errorf("%s at level %v: (%d,%d) is %v where its window holds %v", w.algorithm, c.spec.Level, y, x, after[k], bad)
							}
						}
					}
				}
			}
		}
	}
}

// TestWinogradOnlyRunsWhenAskedFor: auto takes it only when it is allowed, the faster
// of the two first, and a candidate that cannot run says why.
func TestWinogradOnlyRunsWhenAskedFor(t *testing.T) {
	c := newConvCase[float32](t, 1, []int{56, 56}, same3x3, 64, 64, 1, false, "TIO", rand.NormFloat64)
	for _, c.spec.Level = range kerneltest.EveryLevel() {
		c.spec.Algorithm, c.spec.AllowWinograd = kernel.Auto, false
		if k := plannedConv(t, c.spec); isWinograd(k.Impl) {
			t.Errorf("auto runs %s", k.Impl)
		}
		c.spec.AllowWinograd = true
		if k := plannedConv(t, c.spec); !isWinograd(k.Impl) {
			t.Errorf("allowed, auto runs %s", k.Impl)
		}
		for algorithm, prefix := range map[kernel.Algorithm]string{
			kernel.Winograd: "Winograd 4x4", kernel.Winograd2x2: "Winograd 2x2", kernel.Winograd4x4: "Winograd 4x4", kernel.Direct: "direct",
		} {
			c.spec.Algorithm = algorithm
			if k := plannedConv(t, c.spec); k.Impl[:len(prefix)] != prefix {
				t.Errorf("algorithm %s runs %s", algorithm, k.Impl)
			}
		}
	}
	for _, w := range []geom.Window{
		{Size: []int{3, 3}, Stride: []int{2, 1}}, {Size: []int{3, 3}, Dilation: []int{1, 2}}, {Size: []int{3, 5}}, {Size: []int{3}}, {Size: []int{3, 3, 3}},
	} {
		in := []int{20, 20, 20}[:len(w.Size)]
		c := newConvCase[float32](t, 1, in, w, 2, 2, 1, false, "TIO", rand.NormFloat64)
		c.spec.Algorithm = kernel.Winograd
		if _, err := conv.New(c.spec); err == nil {
			t.Errorf("%s: Winograd does it", c.text())
		}
	}
}

func isWinograd(impl string) bool { return len(impl) > 8 && impl[:8] == "Winograd" }
