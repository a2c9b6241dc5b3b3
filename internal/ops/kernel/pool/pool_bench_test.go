package pool_test

import (
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

// poolShapes are windows that people run, over inputs larger than caches.
var poolShapes = []struct {
	name      string
	reduction pool.Reduction
	argmax    bool
	n         int
	in        []int
	c         int
	size      int
	stride    int
	padding   geom.Padding
}{
	{"max2x2s2", pool.Max, false, 32, []int{112, 112}, 64, 2, 2, geom.Valid},
	{"max3x3s2", pool.Max, false, 32, []int{112, 112}, 64, 3, 2, geom.Same},
	{"max3x3s1", pool.Max, false, 16, []int{56, 56}, 256, 3, 1, geom.Same},
	{"max5x5s1", pool.Max, false, 16, []int{56, 56}, 256, 5, 1, geom.Same},
	{"max2x2x2s2", pool.Max, false, 2, []int{32, 112, 112}, 32, 2, 2, geom.Valid},
	{"maxGlobal", pool.Max, false, 256, []int{7, 7}, 2048, 7, 7, geom.Valid},
	{"maxImage2x2s2", pool.Max, false, 1, []int{3000, 4000}, 3, 2, 2, geom.Valid},
	{"maxImage3x3s1", pool.Max, false, 1, []int{1080, 1920}, 3, 3, 1, geom.Same},
	{"maxImage31x31s1", pool.Max, false, 1, []int{1080, 1920}, 3, 31, 1, geom.Same},
	{"avg2x2s2", pool.Average, false, 32, []int{112, 112}, 64, 2, 2, geom.Valid},
	{"avg3x3s1", pool.Average, false, 16, []int{56, 56}, 256, 3, 1, geom.Same},
	{"avg2x2x2s2", pool.Average, false, 2, []int{32, 112, 112}, 32, 2, 2, geom.Valid},
	{"avgGlobal", pool.Average, false, 256, []int{7, 7}, 2048, 7, 7, geom.Valid},
	{"avgImage2x2s2", pool.Average, false, 1, []int{3000, 4000}, 3, 2, 2, geom.Valid},
	{"avgImage31x31s1", pool.Average, false, 1, []int{1080, 1920}, 3, 31, 1, geom.Same},
	{"argmax2x2s2", pool.Max, true, 32, []int{112, 112}, 64, 2, 2, geom.Valid},
	{"argmax3x3s2", pool.Max, true, 32, []int{112, 112}, 64, 3, 2, geom.Same},
}

// BenchmarkPool times every shape at every CPU level on all cores, in turn with
// a copy of as many bytes, and reports the ratio of the least times: what other
// programs of a busy machine disturb least.
func BenchmarkPool(b *testing.B) {
	for _, shape := range poolShapes {
		window := geom.Window{Padding: shape.padding, Pooling: true}
		for range shape.in {
			window.Size, window.Stride = append(window.Size, shape.size), append(window.Stride, shape.stride)
		}
		g, err := geom.Resolve(shape.n, shape.in, shape.c, window)
		if err != nil {
			b.Fatal(err)
		}
		s := pool.Spec{Geometry: g, DType: tensor.Float32, Reduction: shape.reduction, Argmax: shape.argmax, Index: pool.Index{N: g.N, Channels: g.C}}
		for i, a := range g.Axes {
			s.Index.Extent[i] = a.In
		}
		for level := kernel.Generic; level <= kernel.Detected(); level++ {
			b.Run(shape.name+"/"+level.String(), func(b *testing.B) {
				s.Level = level
				benchmarkPool(b, s)
			})
		}
	}
}

func benchmarkPool(b *testing.B, s pool.Spec) {
	k := planned(b, s)
	src := make([]float32, s.Geometry.N*kerneltest.InputOrder(&s.Geometry, false).Cells()*s.Geometry.C)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range src {
		src[i] = float32(random.Int32N(1000))
	}
	dst := make([]float32, s.Geometry.N*kerneltest.OutputOrder(&s.Geometry, s.Geometry.C, false).Cells()*s.Geometry.C)
	bytes := 4 * (len(src) + len(dst))
	var argmax *tensor.Tensor
	if s.Argmax {
		argmax = tensor.From(make([]int64, len(dst)), len(dst))
		bytes += 8 * len(dst)
	}
	from, to := make([]byte, bytes/2), make([]byte, bytes/2)
	for i := range from { // memory never written to is one page of zeros
		from[i] = byte(i)
	}
	in, out := tensor.From(src, len(src)), tensor.From(dst, len(dst))
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
