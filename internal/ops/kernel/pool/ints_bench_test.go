package pool_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/kerneltest"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// BenchmarkPoolPicture times what is done to pictures of 12 million pixels, at
// every CPU level on all cores, in turn with a copy of as many bytes, and reports
// the ratio of the least times.
func BenchmarkPoolPicture(b *testing.B) {
	for _, d := range []tensor.DType{tensor.Uint8, tensor.Uint16} {
		for _, c := range []int{3, 1} {
			for _, w := range [][2]int{{2, 2}, {3, 2}, {3, 1}, {31, 1}} {
				for _, kind := range []struct {
					name string
					spec pool.Spec
				}{
					{"max", pool.Spec{}},
					{"min", pool.Spec{Reduction: pool.Min}},
					{"avgPicture", pool.Spec{Reduction: pool.Average, Picture: true}},
					{"avg", pool.Spec{Reduction: pool.Average}},
					{"argmax", pool.Spec{Argmax: true}},
				} {
					if kind.spec.Argmax && w[0] > 3 {
						continue
					}
					g, err := geom.Resolve(1, []int{3000, 4000}, c, geom.Window{Size: []int{w[0], w[0]}, Stride: []int{w[1], w[1]}, Padding: geom.Same, Pooling: true})
					if err != nil {
						b.Fatal(err)
					}
					s := kind.spec
					s.Geometry, s.DType = g, d
					s.Index = pool.Index{N: 1, Channels: c, Extent: [3]int{1, 3000, 4000}}
					for level := kernel.Generic; level <= kernel.Detected(); level++ {
						s.Level = level
						b.Run(fmt.Sprintf("%s/%dx%ds%d/%vx%d/%v", kind.name, w[0], w[0], w[1], d, c, level), func(b *testing.B) {
							if d == tensor.Uint8 {
								benchmarkPicture[uint8](b, s)
							} else {
								benchmarkPicture[uint16](b, s)
							}
						})
					}
				}
			}
		}
	}
}

func benchmarkPicture[T uint8 | uint16](b *testing.B, s pool.Spec) {
	k := planned(b, s)
	src := make([]T, 3000*4000*s.Geometry.C)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range src {
		src[i] = T(random.Uint32())
	}
	out := tensor.New(tensor.Spec{DType: s.Result(), Shape: tensor.Shape{1, s.Geometry.Axes[1].Out, s.Geometry.Axes[2].Out, s.Geometry.C}})
	results := s.Geometry.Axes[1].Out * s.Geometry.Axes[2].Out * s.Geometry.C
	bytes := len(src)*s.DType.Size() + results*s.Result().Size()
	var argmax *tensor.Tensor
	if s.Argmax {
		argmax = tensor.From(make([]int64, results), results)
		bytes += 8 * results
	}
	from, to := make([]byte, bytes/2), make([]byte, bytes/2)
	for i := range from { // memory never written to is one page of zeros
		from[i] = byte(i)
	}
	in := tensor.From(src, len(src))
	threads := runtime.GOMAXPROCS(0)
	scratch := make([]kernel.Scratch, threads)
	for i := range scratch {
		scratch[i] = kernel.NewScratch(k.Scratch)
	}
	pool := func() {
		kerneltest.OnAll(threads, k.Units, func(worker, lo, hi int) { k.Run(&scratch[worker], out, argmax, in, lo, hi) })
	}
	const blocks = 64
	copyAll := func() {
		kerneltest.OnAll(threads, blocks, func(_, lo, hi int) {
			copy(to[lo*len(to)/blocks:hi*len(to)/blocks], from[lo*len(to)/blocks:])
		})
	}
	copyAll()
	pool()
	least, leastCopy := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64)
	b.SetBytes(int64(bytes))
	for b.Loop() {
		b.StopTimer()
		start := time.Now()
		copyAll()
		leastCopy = min(leastCopy, time.Since(start))
		b.StartTimer()
		start = time.Now()
		pool()
		least = min(least, time.Since(start))
	}
	b.ReportMetric(float64(least.Microseconds())/1e3, "ms-least")
	b.ReportMetric(float64(least)/float64(leastCopy), "x/copy")
}
