package conv_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/conv"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/tensor"
)

// newConvCase lays a convolution out, its numbers drawn by draw.
func newConvCase[F tensor.Floating](t *testing.T, n int, in []int, w geom.Window, i, o, groups int, transposed bool, layout string, draw func() float64) *convCase[F] {
	t.Helper()
	g, err := geom.Resolve(n, in, 1, w)
	if err != nil {
		t.Fatal(err)
	}
	c := &convCase[F]{g: g, spec: conv.Spec{
		N: n, Src: i * groups, Dst: o * groups, Groups: groups, DType: tensor.TypeOf[F](), Bias: true, SkipPadding: transposed,
	}}
	c.source, c.dest = kerneltest.Order{Channels: c.spec.Src}, kerneltest.Order{Channels: c.spec.Dst}
	for axis, a := range g.Axes {
		c.spec.Gather[axis], c.source.Size[axis], c.dest.Size[axis] = a.Forward(), a.In, a.Out
		if transposed {
			c.spec.Gather[axis], c.source.Size[axis], c.dest.Size[axis] = a.Backward(), a.Out, a.In
		}
	}
	var count int
	c.spec.Filter, count = filterStrides(layout, g.Taps(), i, o, groups, transposed)
	numbers := func(n int) []F {
		list := make([]F, n)
		for k := range list {
			list[k] = F(draw())
		}
		return list
	}
	c.x, c.f, c.bias = numbers(n*c.source.Cells()*c.spec.Src), numbers(count), numbers(c.spec.Dst)
	return c
}

// convUnit is the rounding error of one operation.
func convUnit[F tensor.Floating]() float64 {
	var zero F
	if _, single := any(zero).(float32); single {
		return 1.0 / (1 << 24)
	}
	return 1.0 / (1 << 53)
}

// checkConvLevels holds every level to the float64 reference and to plain Go. A sum
// of n products is within n+1 roundings of the sum of their magnitudes,
// whatever its order: the standard bound of recursive summation.
func checkConvLevels[F tensor.Floating](t *testing.T, c *convCase[F]) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	magnitudes := *c
	magnitudes.x, magnitudes.f, magnitudes.bias = absolute(c.x), absolute(c.f), absolute(c.bias)
	magnitudes.spec.Level = kernel.Generic
	most := magnitudes.run(t, random)
	inOrder := transposed(most, c.dest, kerneltest.Order{Channels: c.dest.Channels, Size: c.dest.Size}, c.spec.N) // of check
	slack := 2 * convUnit[F]() * float64(c.g.Taps()*c.spec.Src/c.spec.Groups+2)
	var plain []F
	for _, level := range kerneltest.EveryLevel() {
		c.spec.Level = level
		y := c.run(t, random)
		at := 0
		c.check(t, y, func(got, want float64) bool {
			at++
			return math.Abs(got-want) <= slack*float64(inOrder[at-1])
		})
		if plain == nil {
			plain = y
		}
		for k := range y {
			if d := math.Abs(float64(y[k]) - float64(plain[k])); !(d <= slack*float64(most[k])) {
				t.Fatalf("%s at level %v: number %d is %v, plain Go has %v", c.text(), level, k, y[k], plain[k])
			}
		}
	}
}

// TestConvolutionIsWithinItsBoundAtEveryLevel: with every number of destinations and
// channels in the last tile and panel.
func TestConvolutionIsWithinItsBoundAtEveryLevel(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	same := geom.Window{Size: []int{3}, Padding: geom.Same}
	for n := range 68 {
		checkConvLevels(t, newConvCase[float32](t, 1, []int{n}, same, 2, 5, 1, n%2 == 1, "TIO", random.NormFloat64))
		if n > 0 {
			checkConvLevels(t, newConvCase[float32](t, 2, []int{5}, same, 3, n, 1, n%2 == 0, "TOI", random.NormFloat64))
			checkConvLevels(t, newConvCase[float64](t, 1, []int{7}, same, 1, n, 1, n%2 == 0, "OIT", random.NormFloat64))
			checkConvLevels(t, newConvCase[float32](t, 1, []int{4, 4}, geom.Window{Size: []int{2}}, n, 3, 1, false, "IOT", random.NormFloat64))
		}
	}
	for _, w := range []geom.Window{
		{Size: []int{3, 3}, Padding: geom.Same},
		{Size: []int{3, 2}, Stride: []int{2, 3}, Padding: geom.SameLower},
		{Size: []int{2, 3}, Dilation: []int{3, 2}, Padding: geom.Same},
		{Size: []int{4, 3}, Stride: []int{3, 2}, Dilation: []int{2, 3}, Padding: geom.Explicit, Amounts: [][2]int{{7, 1}, {0, 9}}},
		{Size: []int{1, 1}},
	} {
		for _, transposed := range []bool{false, true} {
			for _, groups := range []int{1, 3} {
				checkConvLevels(t, newConvCase[float32](t, 2, []int{9, 11}, w, 5, 19, groups, transposed, "TIO", random.NormFloat64))
				checkConvLevels(t, newConvCase[float64](t, 1, []int{9, 11}, w, 4, 17, groups, transposed, "TOI", random.NormFloat64))
			}
		}
	}
	checkConvLevels(t, newConvCase[float32](t, 1, []int{3, 5, 4}, geom.Window{Size: []int{3, 2, 3}, Padding: geom.Same}, 9, 33, 1, false, "TIO", random.NormFloat64))
}

// TestManyPatches: more destinations over padding than there are patches at a time.
func TestManyPatches(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	checkConvLevels(t, newConvCase[float32](t, 40, []int{2, 2}, geom.Window{Size: []int{3, 3}, Padding: geom.Same}, 300, 4, 1, false, "TIO", random.NormFloat64))
	checkConvLevels(t, newConvCase[float32](t, 4, []int{6, 18}, geom.Window{Size: []int{3, 7}, Padding: geom.Same}, 100, 20, 1, false, "TIO", random.NormFloat64))
}

// TestConvolutionSpecialsAtEveryLevel: weights that are not finite are multiplied
// with padding in a convolution, and are not in a transposed one.
func TestConvolutionSpecialsAtEveryLevel(t *testing.T) {
	agree := func(got, want float64) bool { return got == want || got != got && want != want }
	random := rand.New(rand.NewPCG(7, 8))
	draw := func() float64 {
		switch pick := random.IntN(150); pick {
		case 0, 1, 2:
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[pick]
		default:
			return float64(pick%9 - 4)
		}
	}
	for _, s := range []struct {
		in      []int
		w       geom.Window
		i, o, g int
	}{
		{[]int{6, 7}, geom.Window{Size: []int{3, 4}, Stride: []int{1, 2}, Padding: geom.Same}, 2, 35, 2},
		{[]int{9, 31}, geom.Window{Size: []int{5, 3}, Padding: geom.Same}, 17, 20, 1},
		{[]int{4, 5, 27}, geom.Window{Size: []int{3, 3, 2}, Padding: geom.SameLower}, 5, 9, 2},
	} {
		for _, transposed := range []bool{false, true} {
			for _, finite := range []bool{false, true} {
				c := newConvCase[float32](t, 2, s.in, s.w, s.i, s.o, s.g, transposed, "TIO", draw)
				for k, w := range c.f {
					if finite && w-w != 0 {
						c.f[k] = 3
					}
				}
				for _, c.spec.Level = range kerneltest.EveryLevel() {
					c.check(t, c.run(t, random), agree)
				}
			}
		}
	}
}

// TestMisalignedConvolution: slices may begin at any address.
func TestMisalignedConvolution(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for shift := range 17 {
		c := newConvCase[float32](t, 1, []int{5, 6}, geom.Window{Size: []int{3, 3}, Padding: geom.Same}, 3, 37, 1, false, "TIO", random.NormFloat64)
		moved := func(list []float32) []float32 {
			return append(make([]float32, shift, shift+len(list)), list...)[shift:]
		}
		c.x, c.f, c.bias = moved(c.x), moved(c.f), moved(c.bias)
		checkConvLevels(t, c)
	}
}

// TestFewChannels: rows are split into channels, from one channel to more than the
// kernel takes, over several strips and bands, with every border.
func TestFewChannels(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 14))
	draw := func() float64 { return random.NormFloat64() }
	same := geom.Window{Size: []int{3, 3}, Padding: geom.Same}
	for src := 1; src <= 17; src++ {
		for dst := 1; dst <= 7; dst++ {
			checkConvLevels(t, newConvCase[float32](t, 1, []int{3, 6 + src + dst}, same, src, dst, 1, false, "TIO", draw))
		}
	}
	for _, w := range []geom.Window{
		same,
		{Size: []int{1, 1}},
		{Size: []int{3, 2}, Stride: []int{2, 2}, Padding: geom.SameLower},
		{Size: []int{2, 5}, Stride: []int{3, 2}, Dilation: []int{2, 3}, Padding: geom.Same},
		{Size: []int{4, 3}, Dilation: []int{3, 2}, Padding: geom.Explicit, Amounts: [][2]int{{9, 1}, {0, 8}}},
		{Size: []int{2, 2}, Stride: []int{3, 1}, Padding: geom.Explicit, Amounts: [][2]int{{0, 0}, {4, 4}}},
	} {
		for _, channels := range [][2]int{{1, 3}, {2, 1}, {3, 4}, {5, 5}} {
			checkConvLevels(t, newConvCase[float32](t, 2, []int{11, 19}, w, channels[0], channels[1], 1, false, "TIO", draw))
			checkConvLevels(t, newConvCase[float32](t, 1, []int{1, 2}, geom.Window{Size: w.Size, Stride: w.Stride, Dilation: w.Dilation, Padding: geom.Same}, channels[0], channels[1], 1, false, "OIT", draw))
		}
	}
	for _, width := range []int{511, 512, 513, 1030} {
		checkConvLevels(t, newConvCase[float32](t, 1, []int{2, width}, same, 3, 2, 1, false, "TIO", draw))
		checkConvLevels(t, newConvCase[float32](t, 1, []int{width}, geom.Window{Size: []int{9}, Stride: []int{2}, Padding: geom.Same}, 8, 1, 1, false, "TIO", draw))
	}
	checkConvLevels(t, newConvCase[float32](t, 1, []int{70, 5}, same, 1, 2, 1, false, "TIO", draw))
}

// TestChannelsFirst: the kernel that takes channels-first data as it is, with every
// border and a depth of planes.
func TestChannelsFirst(t *testing.T) {
	random := rand.New(rand.NewPCG(19, 20))
	for _, w := range []geom.Window{
		{Size: []int{1, 3, 3}, Padding: geom.Same},
		{Size: []int{1, 1, 1}},
		{Size: []int{1, 3, 2}, Stride: []int{1, 2, 2}, Padding: geom.SameLower},
		{Size: []int{1, 2, 5}, Stride: []int{1, 3, 2}, Dilation: []int{1, 2, 3}, Padding: geom.Same},
		{Size: []int{1, 4, 3}, Dilation: []int{1, 3, 2}, Padding: geom.Explicit, Amounts: [][2]int{{0, 0}, {9, 1}, {0, 8}}},
	} {
		for _, channels := range [][2]int{{1, 1}, {1, 3}, {2, 9}, {3, 4}, {5, 40}, {8, 8}} {
			for _, in := range [][]int{{1, 11, 19}, {3, 2, 40}, {2, 5, 1}} {
				c := newConvCase[float32](t, 2, in, w, channels[0], channels[1], 1, false, "TIO", random.NormFloat64)
				c.spec.ChannelsFirst, c.source.ChannelsFirst, c.dest.ChannelsFirst = true, true, true
				for _, c.spec.Level = range kerneltest.Levels() {
					if kerneltest.HasAssembly && !plannedConv(t, c.spec).ChannelsFirst {
						t.Errorf("%s at level %v: does not take channels-first data", c.text(), c.spec.Level)
					}
				}
				checkConvLevels(t, c)
			}
		}
	}
}

// TestSmallGroups: groups of two and four channels, from one group to several
// vectors of them, forward and transposed.
func TestSmallGroups(t *testing.T) {
	random := rand.New(rand.NewPCG(17, 18))
	draw := func() float64 { return random.NormFloat64() }
	for _, channels := range []int{2, 4} {
		for groups := 1; groups <= 11; groups++ {
			for _, transposed := range []bool{false, true} {
				for _, w := range []geom.Window{
					{Size: []int{3, 3}, Padding: geom.Same},
					{Size: []int{2, 3}, Stride: []int{2, 2}, Padding: geom.SameLower},
					{Size: []int{2, 2}, Dilation: []int{1, 3}, Padding: geom.Explicit, Amounts: [][2]int{{2, 0}, {4, 1}}},
				} {
					checkConvLevels(t, newConvCase[float32](t, 1, []int{4, 23}, w, channels, channels, groups, transposed, "TIO", draw))
					checkConvLevels(t, newConvCase[float32](t, 2, []int{5, 3}, w, channels, channels, groups, transposed, "OIT", draw))
				}
			}
		}
	}
	checkConvLevels(t, newConvCase[float32](t, 1, []int{3, 4, 9}, geom.Window{Size: []int{2, 3, 3}, Padding: geom.Same}, 4, 4, 5, false, "TIO", draw))
}

// TestFewChannelsSpecials: numbers that are not finite stay in the windows that see
// them, and weights that are not finite are multiplied with padding.
func TestFewChannelsSpecials(t *testing.T) {
	random := rand.New(rand.NewPCG(15, 16))
	agree := func(got, want float64) bool { return got == want || got != got && want != want }
	for trial := range 20 {
		draw := func() float64 {
			switch pick := random.IntN(120 + 1000*(trial%2)); pick {
			case 0, 1, 2:
				return []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[pick]
			default:
				return float64(pick%9 - 4)
			}
		}
		for _, level := range kerneltest.EveryLevel() {
			c := newConvCase[float32](t, 1, []int{9, 21}, geom.Window{Size: []int{3, 4}, Stride: []int{1, 1 + trial%2}, Padding: geom.Same}, 3, 1+trial%6, 1, false, "TIO", draw)
			c.spec.Level = level
			c.check(t, c.run(t, random), agree)
			for _, transposed := range []bool{false, true} {
				c = newConvCase[float32](t, 1, []int{9, 21}, geom.Window{Size: []int{3, 4}, Padding: geom.Same}, 2+trial%2*2, 2+trial%2*2, 1+trial%5, transposed, "TIO", draw)
				c.spec.Level = level
				c.check(t, c.run(t, random), agree)
			}
		}
	}
}

// TestConvolutionDoesNotAllocate: running a plan allocates nothing.
func TestConvolutionDoesNotAllocate(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	window := geom.Window{Size: []int{3, 3}, Stride: []int{2, 1}, Padding: geom.Same}
	for _, c := range []*convCase[float32]{
		newConvCase[float32](t, 1, []int{9, 9}, window, 4, 18, 1, false, "TIO", random.NormFloat64),
		newConvCase[float32](t, 1, []int{9, 9}, window, 4, 18, 1, true, "TIO", random.NormFloat64),
		newConvCase[float32](t, 1, []int{9, 9}, window, 6, 5, 1, false, "TIO", random.NormFloat64),
	} {
		for _, c.spec.Level = range kerneltest.EveryLevel() {
			k := plannedConv(t, c.spec)
			scratch := kernel.NewScratch(k.Scratch)
			packed, y := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{k.Packed}}), tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{c.dest.Cells() * c.spec.Dst}})
			x, f, bias := tensor.From(c.x, len(c.x)), tensor.From(c.f, len(c.f)), tensor.From(c.bias, len(c.bias))
			allocations := testing.AllocsPerRun(3, func() {
				k.Pack(packed, f, 0, k.PackUnits)
				k.Run(&scratch, y, x, packed, bias, 0, k.Units)
			})
			if allocations != 0 {
				t.Errorf("%s, %s: %v allocations", c.text(), k.Impl, allocations)
			}
		}
	}
}

// TestConvolutionsSayWhy: the best implementation that the level allows is
// chosen, and every better one has a reason.
func TestConvolutionsSayWhy(t *testing.T) {
	c := newConvCase[float32](t, 1, []int{3}, geom.Window{Size: []int{1}}, 2, 7, 1, false, "TIO", rand.NormFloat64)
	for _, c.spec.Level = range kerneltest.EveryLevel() {
		k := plannedConv(t, c.spec)
		if strings.HasSuffix(k.Impl, ", go") {
			if len(k.Why) != 3 {
				t.Errorf("plain Go, but the reasons are %v", k.Why)
			}
			continue
		}
		if !strings.HasSuffix(k.Impl, ", "+c.spec.Level.String()) || len(k.Why) != 1+int(kernel.AVX512-c.spec.Level) {
			t.Errorf("level %v runs %s, reasons %v", c.spec.Level, k.Impl, k.Why)
		}
	}
	wide := newConvCase[float32](t, 1, []int{100, 100}, geom.Window{Size: []int{1, 1}, Stride: []int{100, 100}}, 1, 1, 1, true, "TIO", rand.NormFloat64)
	wide.spec.Level = kernel.Detected()
	if k := plannedConv(t, wide.spec); !strings.HasSuffix(k.Impl, ", go") {
		t.Errorf("10,000 phases run %s", k.Impl)
	}
	checkConvLevels(t, wide)
}

// TestConvolutionRunsTheRequiredISA: where POOLCTL_REQUIRE_ISA names a level,
// convolution planned for it must run its assembly, so that no machine passes
// by skipping.
func TestConvolutionRunsTheRequiredISA(t *testing.T) {
	name := os.Getenv("POOLCTL_REQUIRE_ISA")
	if name == "" {
		return
	}
	c := newConvCase[float32](t, 1, []int{30}, geom.Window{Size: []int{3}, Padding: geom.Same}, 3, 40, 1, false, "TIO", rand.NormFloat64)
	want := ", " + name
	if name == kernel.Generic.String() {
		want = ", go"
	}
	for _, c.spec.Level = range kerneltest.EveryLevel() {
		if c.spec.Level.String() != name {
			continue
		}
		if k := plannedConv(t, c.spec); !strings.HasSuffix(k.Impl, want) {
			t.Errorf("convolution runs %s, POOLCTL_REQUIRE_ISA wants %s", k.Impl, name)
		}
		return
	}
	t.Errorf("this machine has %v, POOLCTL_REQUIRE_ISA wants %s", kernel.Detected(), name)
}

// BenchmarkConv times one thread, level by level, without packing.
func BenchmarkConv(b *testing.B) {
	for _, s := range []struct {
		name       string
		n          int
		in, size   []int
		stride     int
		i, o       int
		transposed bool
	}{
		{"3x3_64to64", 8, []int{56, 56}, []int{3, 3}, 1, 64, 64, false},
		{"3x3_256to256", 8, []int{14, 14}, []int{3, 3}, 1, 256, 256, false},
		{"1x1_256to512", 8, []int{28, 28}, []int{1, 1}, 1, 256, 512, false},
		{"7x7s2_3to64", 8, []int{224, 224}, []int{7, 7}, 2, 3, 64, false},
		{"3x3x3_32to64", 1, []int{16, 56, 56}, []int{3, 3, 3}, 1, 32, 64, false},
		{"3x3_3to16", 1, []int{1080, 1920}, []int{3, 3}, 1, 3, 16, false},
		{"3x3_64to64_input_gradient", 8, []int{56, 56}, []int{3, 3}, 1, 64, 64, true},
	} {
		g, err := geom.Resolve(s.n, s.in, s.i, geom.Window{Size: s.size, Stride: []int{s.stride}, Padding: geom.Same})
		if err != nil {
			b.Fatal(err)
		}
		spec := conv.Spec{N: s.n, Src: s.i, Dst: s.o, Groups: 1, DType: tensor.Float32, SkipPadding: s.transposed}
		source, dest := s.n*s.i, s.n*s.o
		for axis, a := range g.Axes {
			spec.Gather[axis] = a.Forward()
			if s.transposed {
				spec.Gather[axis] = a.Backward()
			}
			source, dest = source*spec.Gather[axis].Src, dest*spec.Gather[axis].Dst
		}
		var count int
		spec.Filter, count = filterStrides("TIO", g.Taps(), s.i, s.o, 1, false)
		one := func(n int) *tensor.Tensor {
			list := make([]float32, n)
			for k := range list {
				list[k] = float32(k%17) - 8
			}
			return tensor.From(list, n)
		}
		x, f, y := one(source), one(count), one(dest)
		for _, spec.Algorithm = range []kernel.Algorithm{kernel.Auto, kernel.Winograd2x2, kernel.Winograd4x4} {
			for _, spec.Level = range kerneltest.Levels() {
				k, err := conv.New(spec)
				if err != nil {
					continue // not by Winograd's
				}
				packed, scratch := one(k.Packed), kernel.NewScratch(k.Scratch)
				k.Pack(packed, f, 0, k.PackUnits)
				b.Run(fmt.Sprintf("%s/%s/%v", s.name, spec.Algorithm, spec.Level), func(b *testing.B) {
					for b.Loop() {
						k.Run(&scratch, y, x, packed, nil, 0, k.Units)
					}
					flop := 2 * float64(g.Taps()*s.i*s.o*s.n*g.Axes[0].Out*g.Axes[1].Out*g.Axes[2].Out)
					b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()*1e-9, "GFLOP/s")
				})
			}
		}
	}
}
