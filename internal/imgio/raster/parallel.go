package raster

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Parallel calls work(0) to work(n-1) on several goroutines. A panic in one
// reaches the caller.
func Parallel(n int, work func(i int)) {
	var next atomic.Int64
	var fault atomic.Pointer[any]
	run := func() {
		defer func() {
			if p := recover(); p != nil {
				fault.CompareAndSwap(nil, &p)
			}
		}()
		for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
			work(i)
		}
	}
	var wg sync.WaitGroup
	for range min(n, runtime.GOMAXPROCS(0)) - 1 {
		wg.Go(run)
	}
	run()
	wg.Wait()
	if p := fault.Load(); p != nil {
		panic(*p)
	}
}

// InOrder wraps work for Bands. After each band it calls tell with the end of the
// rows that are done without a gap, if that end has moved.
func InOrder(work func(lo, hi int), tell func(hi int)) func(lo, hi int) {
	var mu sync.Mutex
	ends := map[int]int{} // of bands that wait for earlier ones, by their start
	next := 0
	return func(lo, hi int) {
		work(lo, hi)
		mu.Lock()
		defer mu.Unlock()
		ends[lo] = hi
		for end, ok := ends[next]; ok; end, ok = ends[next] {
			delete(ends, next)
			next = end
			tell(next)
		}
	}
}

// Bands divides 0 <= i < n into ranges of size, the last one shorter, and calls
// work for them on several goroutines.
func Bands(n, size int, work func(lo, hi int)) {
	size = max(1, size)
	Parallel((n+size-1)/size, func(i int) { work(i*size, min(n, (i+1)*size)) })
}
