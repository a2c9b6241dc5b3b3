package cli

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
)

// footprint is the memory that a command needs at most, in bytes: it decodes,
// then computes, then encodes, and what only one of these needs is let go before
// the next, unless they run at the same time. It is known before anything large is allocated. The program itself
// and pieces of a fixed size come on top.
type footprint struct {
	decode  int // inputs, and what the greediest decoder needs
	compute int // inputs, outputs, temporaries, every thread's scratch memory
	encode  int // inputs, outputs, and what the greediest encoder needs

	beside   int // of these, what only decoders and encoders need
	together bool
}

// join says that the three run at the same time.
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

// footprint adds up what an operation's run takes. The outputs' tensors are not
// looked at; results are those of the plan, in its order, and outputs beyond
// them are drawings of fixed size made from all of its tensors.
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

// admit refuses work that needs more memory than --max-memory, and has the
// garbage collector keep the heap near what was promised.
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

// keepHeap has the garbage collector keep the heap near so many bytes. Beside the
// plan there are small things, and garbage that is not found yet.
func keepHeap(need int) {
	const room = 24 << 20
	debug.SetMemoryLimit(min(firstLimit, int64(plus(need, room))))
}

// collect finds the garbage of the last phase before the next one takes so many
// bytes.
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

// checkMemory refuses a plan that needs more than --max-memory.
func (a *app) checkMemory(plan *ops.Plan) error {
	need, err := plan.Bytes(a.Threads)
	if err != nil {
		return &limitError{plan.Op + ": " + err.Error(), ""}
	}
	return a.checkBytes(plan.Op, need)
}

// plus adds two sizes; a sum that does not fit an int is the largest one, which
// no limit allows.
func plus(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}
