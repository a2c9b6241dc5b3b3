package ops

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Plan is a computation that can no longer fail: shapes are known, kernels are
// chosen, every buffer is booked. It holds no data and may be run many times.
type Plan struct {
	Op      string
	Inputs  int      // the first Inputs buffers are the caller's
	Outputs []Output // then these
	Buffers []tensor.Spec
	Stages  []Stage
	Once    []Stage // before these, in a runner's first run alone: see Fix
	kept    []bool  // the buffers that they make; nil: none

	// Unread are inputs whose values decide nothing: a gradient's, such as x of a
	// convolution unless the filter's gradient is wanted. No stage reads them.
	Unread []int

	// Validate looks at the inputs' values (the indices of unpool) before
	// anything runs; nil when every value is acceptable.
	Validate func(in []*tensor.Tensor) error

	Geometry     geom.Geometry
	Layout       tensor.Layout   // of the input and the outputs
	Parameters   int             // numbers in filter and bias
	MultiplyAdds int             // multiplications with an addition; comparisons and additions of pooling are not counted
	Level        kernel.Level    // of the CPU that kernels were chosen for
	Impl         string          // the kernel chosen
	Impls        []string        // all kernels that can run it, best first; none where there is only one
	Why          []kernel.Reject // the kernels that would have been better, and why not
	Details      []Detail        // what the plan decided beyond its parameters: pooling sequences, output paddings
	Index        pool.Index      // how argmax outputs are to be read
	Sequences    [][]int         // of fractional pooling, one for each spatial dimension
}

// Output is one result of a plan: y, argmax or winners; of a gradient dx, with
// several main inputs dx1, dx2, … too, and d before the name of a parameter.
type Output struct {
	Name string
	tensor.Spec
	Layout tensor.Layout
}

// Detail is a named fact for reports.
type Detail struct{ Name, Value string }

// Stage is one step of a plan: Units independent pieces of work, each run by
// one worker with Scratch bytes of its own. Stages run one after another.
type Stage struct {
	Name    string
	Units   int
	Scratch int
	Work    int // rough number of elementary steps of the whole stage, to decide on threads
	Exec    func(w *Worker, bufs []*tensor.Tensor, lo, hi int)

	// Reach is that of pool.Kernel, for the plan's only input and only output; nil
	// where the stage needs all of its input before it starts.
	Reach func(unit int) (in, out int)

	// Made are the temporaries that the stage makes of the buffers Of alone, no
	// other stage writing them; both nil where a stage does not say.
	Made, Of []int
}

// small reports whether the stage runs on one thread.
func (s *Stage) small() bool { return s.Work < smallWork }

// Worker is what one thread has to itself while it runs a stage.
type Worker struct {
	kernel.Scratch
	Clipped int // values that did not fit the integer type they were converted to
}

// Bytes returns the memory that the plan needs with the given number of
// threads: inputs, outputs, temporaries and scratch.
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

// threads returns how many of the given threads find work: no more than the
// stage of the most units has.
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

// Force returns an error unless the plan runs the named implementation, or none
// was named.
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

// buf names a buffer of a plan under construction.
type buf int

// builder assembles a plan. Inputs come first, then outputs, then temporaries,
// in the order in which they are asked for.
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

// output books a result. All outputs are booked before the first temporary.
func (b *builder) output(name string, spec tensor.Spec, layout tensor.Layout) buf {
	b.check(spec)
	b.plan.Outputs = append(b.plan.Outputs, Output{name, spec, layout})
	b.plan.Buffers = append(b.plan.Buffers, spec)
	return buf(len(b.plan.Buffers) - 1)
}

// temp books a temporary buffer.
func (b *builder) temp(d tensor.DType, shape ...int) buf {
	spec := tensor.Spec{DType: d, Shape: shape}
	b.check(spec)
	b.plan.Buffers = append(b.plan.Buffers, spec)
	return buf(len(b.plan.Buffers) - 1)
}

// check keeps the first size that does not fit; finish reports it.
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

// makes says of the stage that was added last which temporaries it makes, and of
// which buffers alone.
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

// finish returns the plan, or the first error of its construction.
func (b *builder) finish() (*Plan, error) {
	if b.err != nil {
		return nil, &DataError{b.plan.Op, b.err}
	}
	return b.plan, nil
}

// blockOf is how many elements one unit of an element-wise stage covers.
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

// converted returns src in another element type: a temporary, or src itself
// when it has that type already.
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

// permuted returns src with its axes in another order: a temporary, or src
// itself when the order does not change.
func (b *builder) permuted(src buf, from, to tensor.Layout) buf {
	if from == to {
		return src
	}
	perm := tensor.Permutation(string(from), string(to))
	dst := b.temp(b.spec(src).DType, tensor.PermutedShape(b.spec(src).Shape, perm)...)
	b.permute(dst, src, perm)
	return dst
}

// deliver brings a result to its output: another element type, another order
// of axes, both, or nothing to do when src is the output.
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
