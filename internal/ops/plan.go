package ops

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Plan is a computation that cannot fail: shapes are known, kernels are chosen,
// buffers are sized. It holds no data and may be run many times.
type Plan struct {
	Op      string
	Inputs  int      // the first Inputs buffers are the caller's inputs
	Outputs []Output // the next buffers
	Buffers []tensor.Spec
	Stages  []Stage
	Once    []Stage // run before Stages, in a runner's first run only: see Fix
	kept    []bool  // buffers that Once makes; nil if none

	// Unread are inputs whose values do not matter, such as x in the gradient
	// of a convolution with respect to x. No stage reads them.
	Unread []int

	// Validate checks the values of inputs (the indices of unpool) before
	// anything runs. It is nil if every value is valid.
	Validate func(in []*tensor.Tensor) error

	Geometry     geom.Geometry
	Layout       tensor.Layout   // of the input and the outputs
	Parameters   int             // numbers in filter and bias
	MultiplyAdds int             // multiplications followed by an addition; pooling has none
	Level        kernel.Level    // the CPU level that kernels were chosen for
	Impl         string          // the kernel chosen
	Impls        []string        // all kernels that can run, best first; nil if there is only one
	Why          []kernel.Reject // better kernels, and why they do not run
	Details      []Detail        // what planning decided: pooling sequences, output paddings
	Index        pool.Index      // how argmax outputs number cells
	Sequences    [][]int         // of fractional pooling, one for each spatial dimension
}

// Output is one result of a plan. It is named y, argmax or winners; in a
// gradient dx (dx1, dx2, … for further main inputs), or d and the name of a
// parameter.
type Output struct {
	Name string
	tensor.Spec
	Layout tensor.Layout
}

// Detail is a fact for reports.
type Detail struct{ Name, Value string }

// Stage is one step of a plan: Units independent pieces of work. A worker runs
// a piece with Scratch bytes of its own. Stages run one after another.
type Stage struct {
	Name    string
	Units   int
	Scratch int
	Work    int // rough number of elementary steps in all, which decides on threads
	Exec    func(w *Worker, bufs []*tensor.Tensor, lo, hi int)

	// Reach is that of pool.Kernel, for the only input and the only output of
	// the plan. It is nil if the stage needs the whole input to start.
	Reach func(unit int) (in, out int)

	// Made are the temporaries that only this stage writes and that depend on
	// the buffers Of only. Both may be nil.
	Made, Of []int
}

// small reports whether the stage runs on one thread.
func (s *Stage) small() bool { return s.Work < smallWork }

// Worker is what a thread owns while it runs a stage.
type Worker struct {
	kernel.Scratch
	Clipped int // values out of the range of the integer type that they were converted to
}

// Bytes returns the memory that the plan needs with that many threads: inputs,
// outputs, temporaries and scratch.
func (p *Plan) Bytes(threads int) (int, error) {
	total := 0
	for _, spec := range p.Buffers {
		n, err := spec.Bytes()
		if err != nil {
			return 0, err
		}
		if total += n; total < 0 {
			return 0, fmt.Errorf("%s: the buffers' bytes do not fit in 63 bits", p.Op)
		}
	}
	scratch, err := tensor.Product(p.threads(threads), p.Scratch())
	if err != nil || total+scratch < 0 {
		return 0, fmt.Errorf("%s: the scratch memory's bytes do not fit in 63 bits", p.Op)
	}
	return total + scratch, nil
}

// threads returns how many of the given threads have work: at most the units of
// the stage that has most.
func (p *Plan) threads(given int) int {
	most := 1
	for _, stages := range [][]Stage{p.Once, p.Stages} {
		for i := range stages {
			if s := &stages[i]; !s.small() {
				most = max(most, s.Units)
			}
		}
	}
	return min(most, max(1, given))
}

// Scratch returns the bytes of scratch memory that one thread needs.
func (p *Plan) Scratch() int {
	most := 0
	for _, s := range p.Stages {
		most = max(most, s.Scratch)
	}
	return most
}

// Force returns an error if an implementation is named and the plan does not
// run it.
func (p *Plan) Force(impl string) error {
	if impl == "" || impl == p.Impl {
		return nil
	}
	able := p.Impls
	if len(able) == 0 {
		able = []string{p.Impl}
	}
	return usage(p.Op, "impl", "got %q, want one of %q", impl, able)
}

// chose records which kernel runs.
func (p *Plan) chose(c kernel.Choice) { p.Impl, p.Impls, p.Why = c.Impl, c.Impls, c.Why }

// buf is a buffer of a plan under construction.
type buf int

// builder assembles a plan. Its buffers are inputs, then outputs, then
// temporaries, each in the order of creation.
type builder struct {
	plan *Plan
	err  error
}

func newBuilder(op string, in []tensor.Spec) *builder {
	level, err := kernel.Capped()
	p := &Plan{Op: op, Inputs: len(in), Level: level}
	p.Buffers = append(p.Buffers, in...)
	b := &builder{plan: p, err: err}
	for _, spec := range in {
		b.check(spec)
	}
	return b
}

// spec returns the type and shape of a buffer.
func (b *builder) spec(i buf) tensor.Spec { return b.plan.Buffers[i] }

// output adds an output. All outputs must be added before the first temporary.
func (b *builder) output(name string, spec tensor.Spec, layout tensor.Layout) buf {
	b.check(spec)
	b.plan.Outputs = append(b.plan.Outputs, Output{name, spec, layout})
	b.plan.Buffers = append(b.plan.Buffers, spec)
	return buf(len(b.plan.Buffers) - 1)
}

// temp adds a temporary buffer.
func (b *builder) temp(d tensor.DType, shape ...int) buf {
	spec := tensor.Spec{DType: d, Shape: shape}
	b.check(spec)
	b.plan.Buffers = append(b.plan.Buffers, spec)
	return buf(len(b.plan.Buffers) - 1)
}

// check keeps the first size that is too large; finish reports it.
func (b *builder) check(spec tensor.Spec) {
	_, err := spec.Bytes()
	b.fail(err)
}

// fail keeps the first error; finish reports it.
func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// makes declares for the last stage which temporaries it makes, and the only
// buffers that they depend on.
func (b *builder) makes(dst []buf, src ...buf) {
	s := &b.plan.Stages[len(b.plan.Stages)-1]
	for _, d := range dst {
		s.Made = append(s.Made, int(d))
	}
	for _, d := range src {
		s.Of = append(s.Of, int(d))
	}
}

func (b *builder) stage(s Stage) { b.plan.Stages = append(b.plan.Stages, s) }

// finish returns the plan, or the first error.
func (b *builder) finish() (*Plan, error) {
	if b.err != nil {
		return nil, &DataError{b.plan.Op, b.err}
	}
	return b.plan, nil
}

// blockOf is the number of elements in a unit of an elementwise stage.
const blockOf = 1 << 16

// convert adds a stage that converts src into dst element by element.
func (b *builder) convert(dst, src buf) {
	n, err := b.spec(src).Shape.Elements()
	if err != nil {
		return // reported by finish
	}
	b.stage(Stage{Name: "convert to " + b.spec(dst).DType.String(), Units: (n + blockOf - 1) / blockOf, Work: n,
		Exec: func(w *Worker, bufs []*tensor.Tensor, lo, hi int) {
			w.Clipped += tensor.ConvertRange(bufs[dst], bufs[src], lo*blockOf, min(hi*blockOf, n))
		}})
	b.makes([]buf{dst}, src)
}

// converted returns src in an element type: src itself if it has that type, or
// a temporary.
func (b *builder) converted(src buf, d tensor.DType) buf {
	if b.spec(src).DType == d {
		return src
	}
	dst := b.temp(d, b.spec(src).Shape...)
	b.convert(dst, src)
	return dst
}

// permute adds a stage that copies src to dst with its axes reordered.
func (b *builder) permute(dst, src buf, perm []int) {
	n, err := b.spec(src).Shape.Elements()
	if err != nil || n == 0 {
		return
	}
	p := kernel.NewPermuter(b.spec(src).Shape, perm, b.plan.Level)
	b.stage(Stage{Name: "transpose", Units: p.Units(), Work: n,
		Exec: func(_ *Worker, bufs []*tensor.Tensor, lo, hi int) {
			p.Run(bufs[dst], bufs[src], lo, hi)
		}})
	b.makes([]buf{dst}, src)
}

// permuted returns src with its axes in another order: src itself if the order
// is the same, or a temporary.
func (b *builder) permuted(src buf, from, to tensor.Layout) buf {
	if from == to {
		return src
	}
	perm := tensor.Permutation(string(from), string(to))
	dst := b.temp(b.spec(src).DType, tensor.PermutedShape(b.spec(src).Shape, perm)...)
	b.permute(dst, src, perm)
	return dst
}

// deliver writes a result to its output, in its element type and order of axes.
// It does nothing if src is the output.
func (b *builder) deliver(dst, src buf, from, to tensor.Layout) {
	if src == dst {
		return
	}
	if from == to {
		b.convert(dst, src)
		return
	}
	if b.spec(src).DType != b.spec(dst).DType {
		src = b.converted(src, b.spec(dst).DType)
	}
	b.permute(dst, src, tensor.Permutation(string(from), string(to)))
}
