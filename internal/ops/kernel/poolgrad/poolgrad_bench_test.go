package poolgrad_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/ops/kernel/poolgrad"
	"github.com/poolctl/poolctl/internal/tensor"
)

// BenchmarkPoolGradient times the stages of gradients at every CPU level on all
// cores, in turn with a copy of as many bytes as the stage reads and writes.
func BenchmarkPoolGradient(b *testing.B) {
	for _, shape := range []struct {
		name         string
		n            int
		in           []int
		c            int
		size, stride int
	}{
		{"3x3s2", 32, []int{112, 112}, 64, 3, 2},
		{"2x2s2", 32, []int{112, 112}, 64, 2, 2},
		{"3x3s1", 16, []int{56, 56}, 256, 3, 1},
		{"image2x2s2", 1, []int{3000, 4000}, 3, 2, 2},
	} {
		g, err := geom.Resolve(shape.n, shape.in, shape.c, geom.Window{Size: []int{shape.size}, Stride: []int{shape.stride}, Padding: geom.Same, Pooling: true})
		if err != nil {
			b.Fatal(err)
		}
		for level := kernel.Generic; level <= kernel.Detected(); level++ {
			benchmarkGradient(b, shape.name+"/"+level.String(), pool.Spec{Geometry: g, DType: tensor.Float32, Level: level, Reduction: pool.Average})
		}
	}
}

func benchmarkGradient(b *testing.B, name string, spec pool.Spec) {
	g := &spec.Geometry
	random := rand.New(rand.NewPCG(1, 2))
	x := kerneltest.Fill[float32](random, kerneltest.Spread, g.N*kerneltest.InputOrder(g, false).Cells()*g.C)
	dy := kerneltest.Fill[float32](random, kerneltest.Spread, g.N*kerneltest.OutputOrder(g, g.C, false).Cells()*g.C)
	dst, upstream, input := tensor.From(make([]float32, len(x)), len(x)), tensor.From(dy, len(dy)), tensor.From(x, len(x))
	codes := tensor.From(make([]uint8, len(dy)), len(dy))
	average := poolgrad.NewCellGradient(spec)
	spec.Reduction = pool.Max
	winners, _ := poolgrad.NewWinners(spec, false)
	routing := poolgrad.NewCellGradient(spec)
	for _, stage := range []struct {
		name                  string
		bytes, units, scratch int
		run                   func(s *kernel.Scratch, lo, hi int)
	}{
		{"winners", 4*len(x) + len(dy), winners.Units, winners.Scratch(), func(s *kernel.Scratch, lo, hi int) { winners.Run(s, codes, input, lo, hi) }},
		{"route", 4*len(x) + 5*len(dy), routing.Units, routing.Scratch(), func(s *kernel.Scratch, lo, hi int) { routing.Route(s, dst, upstream, codes, lo, hi) }},
		{"spread", 4*len(x) + 4*len(dy), average.Units, average.Scratch(), func(s *kernel.Scratch, lo, hi int) { average.Spread(s, dst, upstream, lo, hi) }},
	} {
		b.Run(name+"/"+stage.name, func(b *testing.B) {
			threads := runtime.GOMAXPROCS(0)
			scratch := make([]kernel.Scratch, threads)
			for i := range scratch {
				scratch[i] = kernel.NewScratch(stage.scratch)
			}
			from, to := make([]byte, stage.bytes/2), make([]byte, stage.bytes/2)
			for i := range from { // memory never written to is one page of zeros
				from[i] = byte(i)
			}
			const blocks = 64
			least, leastCopy := time.Hour, time.Hour
			b.SetBytes(int64(stage.bytes))
			for b.Loop() {
				start := time.Now()
				kerneltest.OnAll(threads, blocks, func(_, lo, hi int) {
					copy(to[lo*len(to)/blocks:hi*len(to)/blocks], from[lo*len(to)/blocks:])
				})
				leastCopy = min(leastCopy, time.Since(start))
				start = time.Now()
				kerneltest.OnAll(threads, stage.units, func(worker, lo, hi int) { stage.run(&scratch[worker], lo, hi) })
				least = min(least, time.Since(start))
			}
			b.ReportMetric(float64(least.Microseconds())/1e3, "ms-least")
			b.ReportMetric(float64(least)/float64(leastCopy), "x/copy")
		})
	}
}

// BenchmarkUnpool puts values back to where a 2x2 argmax found them.
func BenchmarkUnpool(b *testing.B) {
	for _, n := range []int{1, 8} {
		x := pool.Index{Convention: pool.PyTorch, N: n, Channels: 64, Extent: [3]int{1, 224, 224}}
		u := &poolgrad.Unpool{Index: x, Values: 112 * 112, Duplicates: poolgrad.LastWins, DType: tensor.Float32}
		random := rand.New(rand.NewPCG(1, 2))
		count := n * u.Values * x.Channels
		index := make([]int64, count)
		for i := range index {
			cell := i / x.Channels % u.Values
			index[i] = int64((cell/112*2+random.IntN(2))*224 + cell%112*2 + random.IntN(2))
		}
		at, values := tensor.From(index, count), tensor.From(kerneltest.Fill[float32](random, kerneltest.Spread, count), count)
		dst := tensor.From(make([]float32, 4*count), 4*count)
		ranges := tensor.From(make([]int64, 2*u.Lists()), 2*u.Lists())
		threads := runtime.GOMAXPROCS(0)
		scratch := make([]kernel.Scratch, threads)
		for i := range scratch {
			scratch[i] = kernel.NewScratch(u.Scratch(false))
		}
		b.Run(fmt.Sprintf("2x2s2/%d", n), func(b *testing.B) {
			b.SetBytes(int64(28 * count))
			for b.Loop() {
				kerneltest.OnAll(threads, u.Lists(), func(worker, lo, hi int) { u.Range(&scratch[worker], ranges, at, lo, hi) })
				kerneltest.OnAll(threads, u.Units(), func(worker, lo, hi int) { u.Place(&scratch[worker], dst, values, at, ranges, lo, hi) })
			}
		})
	}
}
