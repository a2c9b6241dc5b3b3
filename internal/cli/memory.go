package cli

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// footprint is the largest amount of memory that a command needs, in bytes. A
// command decodes, computes and encodes. Memory that only one of these needs is
// freed before the next, unless they run at the same time. The footprint is
// known before anything large is allocated. The program itself and blocks of
// fixed size come on top.
type footprint struct {
	decode  int // inputs, and the most demanding decoder
	compute int // inputs, outputs, temporaries, every thread's scratch memory
	encode  int // inputs, outputs, and the most demanding encoder

	beside   int // the part of these that only decoders and encoders need
	together bool
}

// join makes the three run at the same time.
func (f *footprint) join() { f.together = true }

func (f footprint) peak() int {
	if f.together {
		return plus(f.compute, f.beside)
	}
	return max(f.decode, f.compute, f.encode)
}

func (f footprint) report(threads int) *report.Memory {
	return &report.Memory{Peak: f.peak(), Decode: f.decode, Compute: f.compute, Encode: f.encode, Together: f.together, Threads: threads}
}

// footprint adds up the memory of an operation's run. It does not look at the
// outputs' tensors; results are those of the plan, in its order, and outputs
// beyond them are drawings of fixed size made from all of its tensors.
func (a *app) footprint(plan *ops.Plan, in *inputs, outputs []imgio.Output) (footprint, error) {
	compute, err := plan.Bytes(a.Threads)
	if err != nil {
		return footprint{}, &limitError{plan.Op + ": " + err.Error(), ""}
	}
	tensors, decoding := in.bytes()
	f := footprint{decode: plus(tensors, decoding), compute: compute, encode: tensors}
	for _, o := range plan.Outputs {
		n, _ := o.Bytes() // checked when the plan was made
		f.encode = plus(f.encode, n)
	}
	encoding := 0
	for i, o := range outputs {
		if i < len(plan.Outputs) {
			encoding = max(encoding, o.Encoding(plan.Outputs[i].Spec))
		} else {
			encoding = max(encoding, f.encode)
		}
	}
	f.encode = plus(f.encode, encoding)
	f.beside = plus(decoding, encoding)
	return f, nil
}

// admit refuses work that needs more memory than --max-memory, and sets the
// garbage collector's limit near the stated memory.
func (a *app) admit(what string, f footprint) error {
	need := f.peak()
	if err := a.checkBytes(what, need); err != nil {
		return err
	}
	keepHeap(need)
	return nil
}

// firstLimit is the limit of the heap that the environment sets, if any.
var firstLimit = debug.SetMemoryLimit(-1)

// keepHeap limits the heap to about the given number of bytes. The room on top
// is for small objects and for garbage that is not collected yet.
func keepHeap(need int) {
	const room = 24 << 20
	debug.SetMemoryLimit(min(firstLimit, int64(plus(need, room))))
}

// collect frees the garbage of the last phase before the next one takes the
// given number of bytes.
func collect(next int) {
	const worthwhile = 16 << 20
	if next >= worthwhile {
		runtime.GC()
	}
}

// checkBytes refuses work that needs more memory than --max-memory.
func (a *app) checkBytes(what string, need int) error {
	if a.MaxMemory <= 0 || need <= int(a.MaxMemory) {
		return nil
	}
	return &limitError{
		fmt.Sprintf("%s: needs %s of memory, the limit is %s", what, formatBytes(need), formatBytes(int(a.MaxMemory))),
		"--max-memory raises the limit; fewer --threads need less scratch memory"}
}

// checkEnlarged refuses a picture that --enlarge makes larger than pictures may
// be.
func (a *app) checkEnlarged(what string, o imgio.Output, spec tensor.Spec) error {
	if o.Enlarge <= 1 {
		return nil
	}
	width, height, err := o.Size(spec)
	switch {
	case err != nil:
		return &limitError{fmt.Sprintf("%s: enlarge: got %d for %s, the picture does not fit: %v", what, o.Enlarge, spec, err), ""}
	case width*height > a.MaxPixels:
		return &limitError{fmt.Sprintf("%s: enlarge: got %d, which makes %d pixels (%dx%d), the limit is %d", what, o.Enlarge, width*height, width, height, a.MaxPixels), "--max-pixels raises the limit"}
	case max(width, height) > a.MaxSide:
		return &limitError{fmt.Sprintf("%s: enlarge: got %d, which makes %dx%d pixels, the limit is %d across and down", what, o.Enlarge, width, height, a.MaxSide), "--max-side raises the limit"}
	}
	return nil
}

// checkMemory refuses a plan that needs more than --max-memory.
func (a *app) checkMemory(plan *ops.Plan) error {
	need, err := plan.Bytes(a.Threads)
	if err != nil {
		return &limitError{plan.Op + ": " + err.Error(), ""}
	}
	return a.checkBytes(plan.Op, need)
}

// plus adds two sizes. A sum that does not fit an int becomes the largest int,
// which no limit allows.
func plus(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}
