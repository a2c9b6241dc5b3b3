//go:build unix && !race

package ops_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// fence is memory between two pages that must not be touched: a read or write
// beyond it faults, in assembly too.
type fence struct{ inside []byte }

func newFence(t *testing.T, bytes int) fence {
	t.Helper()
	page := os.Getpagesize()
	bytes = (bytes + page - 1) / page * page
	all, err := unix.Mmap(-1, 0, bytes+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Munmap(all) })
	for _, guard := range [][]byte{all[:page], all[page+bytes:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return fence{all[page : page+bytes]}
}

// tensor lays a tensor against the page after the memory, or before it.
func (f fence) tensor(spec tensor.Spec, atEnd bool) *tensor.Tensor {
	n, err := spec.Bytes()
	if err != nil || n > len(f.inside) {
		panic(fmt.Sprintf("%s: larger than the fence", spec))
	}
	memory := f.inside[:n]
	if atEnd {
		memory = f.inside[len(f.inside)-n:]
	}
	return tensor.OverBytes(memory, spec)
}

// fences are one for each buffer of a plan, made once.
type fences struct {
	t    *testing.T
	list map[int]fence
}

const fenceBytes = 8 << 20

func (f *fences) of(i int) fence {
	if _, ok := f.list[i]; !ok {
		f.list[i] = newFence(f.t, fenceBytes)
	}
	return f.list[i]
}

// run runs a plan twice, with every buffer against the page after it and before
// it. A fault fails the test with the plan's kernel.
func (f *fences) run(label string, plan *ops.Plan, in []*tensor.Tensor) {
	for _, atEnd := range []bool{true, false} {
		func() {
			defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
			defer func() {
				if cause := recover(); cause != nil {
					f.t.Errorf("%s: %s: %v (buffers at the end of their memory: %v)", label, plan.Impl, cause, atEnd)
				}
			}()
			err := ops.RunPlaced(plan, in, func(i int, spec tensor.Spec) *tensor.Tensor { return f.of(i).tensor(spec, atEnd) })
			if err != nil {
				f.t.Errorf("%s: %v", label, err)
			}
		}()
	}
}

// sized are calls whose width or number of channels is to be every size: those
// that choose among the kernels of an operation. Operations that are not here
// have the width of their fixtures changed.
func sized(op string, size int) []fixture {
	wide, deep := tensor.Shape{1, 5, size, 2}, tensor.Shape{1, 4, 7, size}
	var list []fixture
	switch op {
	case "pool":
		for _, params := range []string{
			"type=max window=2", "type=max window=3 strides=1", "type=max window=3 strides=2 padding=SAME", "type=min window=2,3 strides=1 padding=SAME",
			"type=avg window=2", "type=avg window=3 strides=1 padding=SAME", "type=avg window=3 strides=2 padding=SAME", "type=max window=5 strides=1 padding=SAME",
			"type=avg window=7 strides=1 padding=SAME", "type=max window=global", "type=avg window=global", "type=sum window=3 padding=SAME", "type=lp window=2 p=3 padding=SAME",
		} {
			params += " empty=allow"
			list = append(list, fixture{params: params, x: wide}, fixture{params: params, x: deep}, fixture{params: params, x: tensor.Shape{1, 5, size, 1}})
		}
	case "conv2d":
		for _, c := range []struct{ x, filter tensor.Shape }{
			{tensor.Shape{1, 5, size, 3}, tensor.Shape{3, 3, 3, 5}},
			{deep, tensor.Shape{3, 3, size, 5}},
			{tensor.Shape{1, 4, 7, 3}, tensor.Shape{3, 3, 3, size}},
			{deep, tensor.Shape{1, 1, size, 17}},
			{tensor.Shape{1, 4, 7, 1}, tensor.Shape{5, 5, 1, size}},
		} {
			for _, params := range []string{"filter=f padding=SAME", "filter=f padding=SAME strides=2"} {
				list = append(list, fixture{params: params, x: c.x, filter: c.filter})
			}
		}
	case "conv2d-transpose":
		list = append(list,
			fixture{params: "filter=f strides=2 padding=SAME", x: deep, filter: tensor.Shape{3, 3, 5, size}},
			fixture{params: "filter=f strides=2 padding=SAME", x: tensor.Shape{1, 4, 7, 3}, filter: tensor.Shape{3, 3, size, 3}})
	case "depthwise-conv2d":
		for _, params := range []string{"filter=f padding=SAME", "filter=f padding=SAME strides=2"} {
			list = append(list,
				fixture{params: params, x: deep, filter: tensor.Shape{3, 3, size, 1}},
				fixture{params: params, x: deep, filter: tensor.Shape{3, 3, size, 2}},
				fixture{params: params, x: tensor.Shape{1, 5, size, 3}, filter: tensor.Shape{5, 3, 3, 1}})
		}
	case "dilation2d", "erosion2d":
		list = append(list, fixture{params: "filter=f padding=SAME", x: deep, filter: tensor.Shape{3, 3, size}})
	case "dense":
		list = append(list,
			fixture{params: "filter=f bias=b", x: tensor.Shape{3, size}, filter: tensor.Shape{size, 5}, bias: tensor.Shape{5}},
			fixture{params: "filter=f bias=b", x: tensor.Shape{3, 7}, filter: tensor.Shape{7, size}, bias: tensor.Shape{size}})
	case "bias-add":
		list = append(list, fixture{params: "bias=b", x: deep, bias: tensor.Shape{size}})
	case "batch-norm":
		list = append(list, fixture{params: "mean=m variance=v", x: deep, rest: []tensor.Shape{{size}, {size}}})
	case "unpool":
		list = append(list, fixture{params: fmt.Sprintf("argmax=a output-shape=1,8,%d,3", 2*size), x: tensor.Shape{1, 4, size, 3}},
			fixture{params: fmt.Sprintf("argmax=a output-shape=1,8,14,%d", size), x: deep})
	case "add", "concat":
		list = append(list, fixture{x: deep, more: []tensor.Shape{deep}}, fixture{x: wide, more: []tensor.Shape{wide, wide}})
	case "softmax", "lrn", "relu", "relu6", "sigmoid", "tanh", "leaky-relu", "flatten":
		list = append(list, fixture{x: deep})
	}
	for _, f := range fixtures[op] {
		if at := len(f.x) - 2; at > 0 && f.more == nil && f.params == mapShapes(f.params, func([]int) []int { return nil }) {
			f.x = slices.Clone(f.x)
			f.x[at] = size
			list = append(list, f)
		}
	}
	return list
}

// TestKernelsStayInTheirBuffers runs every operation and its gradients, by every
// implementation, on tensors that lie against pages which must not be touched:
// widths and numbers of channels up to 200, all of them under POOLCTL_TORTURE=1,
// so that every alignment of an end occurs. .ci/run repeats it at each CPU level.
func TestKernelsStayInTheirBuffers(t *testing.T) {
	f := &fences{t, map[int]fence{}}
	dtypes := []tensor.DType{tensor.Float32, tensor.Uint8, tensor.Float64, tensor.Int16, tensor.Float16, tensor.Uint16, tensor.Int8, tensor.Int32, tensor.BFloat16}
	runs := map[string]int{}
	const least = 100
	all := os.Getenv("POOLCTL_TORTURE") == "1"
	for size := 1; size <= 200; size++ {
		if near := size%16 <= 1 || size%16 == 15; size > 34 && !near && !all {
			continue
		}
		for _, spec := range ops.Table {
			for i, call := range sized(spec.Name, size) {
				d := dtypes[0]
				if (size+i)%3 == 0 { // the others in turn
					d = dtypes[(size+i)/3%len(dtypes)]
				}
				runs[spec.Name] += fencedCall(t, f, spec, call, d, size)
			}
		}
		if t.Failed() {
			break
		}
	}
	for _, spec := range ops.Table {
		if runs[spec.Name] < least {
			t.Errorf("%s: %d runs, want at least %d", spec.Name, runs[spec.Name], least)
		}
	}
}

// fencedCall runs one call and its gradients, by every implementation, and
// returns how many runs that were; none where the size is wrong for the call.
func fencedCall(t *testing.T, f *fences, spec ops.Spec, call fixture, d tensor.DType, size int) (runs int) {
	t.Helper()
	op := call.op(t, spec)
	in := call.tensors(d)
	specs := call.specs(d)
	label := fmt.Sprintf("%s %s %s", spec.Name, call.params, specs)
	plan, err := op.Plan(specs, wantAll(op))
	if err != nil || !fits(plan) {
		return 0
	}
	f.run(label, plan, in)
	runs++
	for _, impl := range plan.Impls[min(1, len(plan.Impls)):] {
		want := wantAll(op)
		want.Impl = impl
		if other, err := op.Plan(specs, want); err == nil {
			f.run(label, other, in)
			runs++
		}
	}
	backward, ok := op.(ops.Differentiable)
	if !ok || size > 70 && size%5 != 0 {
		return runs
	}
	specs = append(specs, tensor.Spec{DType: d.Averaged(), Shape: plan.Outputs[0].Shape})
	in = append(in, tensor.New(specs[len(specs)-1]))
	want := ops.WantGrad{Input: true}
	for _, name := range ops.Gradients(backward) {
		*want.Of(name) = true
	}
	grad, err := backward.PlanGrad(specs, want)
	if err != nil || !fits(grad) {
		return runs
	}
	f.run("gradient of "+label, grad, in)
	return runs + 1
}

// fits reports whether every buffer of a plan has room within a fence.
func fits(plan *ops.Plan) bool {
	return !slices.ContainsFunc(plan.Buffers, func(spec tensor.Spec) bool {
		n, _ := spec.Bytes() // checked by the plan
		return n > fenceBytes
	})
}

// TestFencesAreNoticed: a read past a buffer's end is a fault that a test sees.
func TestFencesAreNoticed(t *testing.T) {
	memory := newFence(t, 1)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, at := range []int{-1, len(memory.inside)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("byte %d of %d could be read", at, len(memory.inside))
				}
			}()
			sink = *(*byte)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(memory.inside)), at))
		}()
	}
}

var sink byte
