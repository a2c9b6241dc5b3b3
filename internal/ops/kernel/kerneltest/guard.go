package kerneltest

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Failer is a *rapid.T or a *testing.T.
type Failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// around is how many guard numbers stand on each side of an output.
const around = 16

// Guarded makes an output of n numbers between guards, filled with what no
// kernel writes; intact tells whether the guards still stand.
func Guarded[T tensor.Real](n int) (out []T, intact func() bool) {
	mark := T(77)
	all := make([]T, n+2*around)
	for i := range all {
		all[i] = mark
	}
	return all[around : around+n : around+n], func() bool {
		for i := range around {
			if all[i] != mark || all[around+n+i] != mark {
				return false
			}
		}
		return true
	}
}

// Levels lists the CPU levels above plain Go that this machine has.
func Levels() []kernel.Level {
	var list []kernel.Level
	for l := kernel.Generic + 1; l <= kernel.Detected(); l++ {
		list = append(list, l)
	}
	return list
}

// EveryLevel lists the CPU levels of this machine, plain Go first.
func EveryLevel() []kernel.Level {
	var list []kernel.Level
	for l := range kernel.Detected() + 1 {
		list = append(list, l)
	}
	return list
}

// OnAll runs units in chunks on so many goroutines.
func OnAll(threads, units int, do func(worker, lo, hi int)) {
	chunk := int64(max(1, units/(8*threads)))
	var next atomic.Int64
	var done sync.WaitGroup
	for worker := range threads {
		done.Go(func() {
			for {
				hi := next.Add(chunk)
				if hi-chunk >= int64(units) {
					return
				}
				do(worker, int(hi-chunk), int(min(hi, int64(units))))
			}
		})
	}
	done.Wait()
}

// CheckUnits checks that every number of an output is written by exactly one
// unit, and that there is more than one.
func CheckUnits(t *testing.T, g geom.Geometry, name string, units, n int, run func(y *tensor.Tensor, unit int)) {
	t.Helper()
	const untouched = 1e30
	y, writers := make([]float32, n), make([]int, n)
	for unit := range units {
		for i := range y {
			y[i] = untouched
		}
		run(tensor.From(y, n), unit)
		for i, v := range y {
			if v != untouched {
				writers[i]++
			}
		}
	}
	for i, w := range writers {
		if w != 1 {
			t.Fatalf("%v %s: %d of %d units write output %d", g, name, w, units, i)
		}
	}
	if units < 2 {
		t.Errorf("%v %s: one unit", g, name)
	}
}

// UnitGeometries are windows over axes so long that kernels cut them into units.
func UnitGeometries(t *testing.T) []geom.Geometry {
	t.Helper()
	resolve := func(n int, in []int, c int, w geom.Window) geom.Geometry {
		g, err := geom.Resolve(n, in, c, w)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	return []geom.Geometry{
		resolve(2, []int{3001}, 3, geom.Window{Size: []int{4}, Padding: geom.Same}),
		resolve(1, []int{700, 60}, 3, geom.Window{Size: []int{3, 2}, Stride: []int{1, 2}, Padding: geom.Same}),
		resolve(2, []int{5, 40, 50}, 3, geom.Window{Size: []int{2}, Dilation: []int{2}}),
	}
}

// guard stands before and after memory that a kernel may use.
const guard = 0x5afe5afe5afe5afe

// GuardedScratch books n bytes of scratch memory between guard words, filled
// with what looks like NaN; intact tells whether the guards still stand.
func GuardedScratch(n int) (s kernel.Scratch, intact func() bool) {
	const around = 8
	words := (n + 7) / 8
	all := slices.Repeat([]uint64{guard}, words+2*around)
	for i := range words {
		all[around+i] = ^uint64(0)
	}
	s = kernel.ScratchOver(all[around : around+words : around+words])
	return s, func() bool {
		for i := range around {
			if all[i] != guard || all[around+words+i] != guard {
				return false
			}
		}
		return true
	}
}
