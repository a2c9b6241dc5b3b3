package imgio

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls work(0) to work(n-1), several at a time. A panic in one of
// them reaches the caller.
func parallel(n int, work func(i int)) {
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

// bands calls work for ranges that together make up 0 <= i < n, several at a
// time; each but the last has size members.
func bands(n, size int, work func(lo, hi int)) {
	size = max(1, size)
	parallel((n+size-1)/size, func(i int) { work(i*size, min(n, (i+1)*size)) })
}
