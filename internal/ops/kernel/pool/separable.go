package pool

import (
	"fmt"
	"strings"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// separable is a planned kernel with its types: elements T, accumulators A,
// results O.
type separable[T tensor.Real, A any, O tensor.Real] struct {
	Spec
	tiling
	method[T, A, O]
	spans []span
}

// separableCandidate takes all windows.
func separableCandidate[T tensor.Real, A any, O tensor.Real](spec *Spec, m method[T, A, O]) candidate {
	inner, images := spec.Geometry.C, spec.Geometry.N
	if spec.ChannelsFirst {
		inner, images = 1, images*inner
	}
	t := newTiling(&spec.Geometry, inner, 8*kernel.Words[A](1))
	k := &separable[T, A, O]{Spec: *spec, method: m, tiling: t}
	return candidate{Name: k.describe() + ", " + m.isa, Plan: func() *Kernel {
		k.spans = k.Spec.spans()
		row, w, h, d, suffix := k.buffers()
		words := 0
		for _, n := range []int{row, w, h, d, suffix} {
			words += kernel.Words[A](n)
		}
		return &Kernel{Units: k.units(images), Scratch: 8 * words, Choice: kernel.Choice{Why: k.rejects()}, run: k.run}
	}}
}

// describe names the algorithm of each axis that is not trivial.
func (t *tiling) describe() string {
	var words []string
	for i, name := range []string{"depth", "height", "width"} {
		p := &t.passes[i]
		switch {
		case p.axis.Trivial():
		case p.blocks:
			words = append(words, name+" by blocks")
		default:
			words = append(words, name+" by taps")
		}
	}
	if words == nil {
		return "separable (copy)"
	}
	return fmt.Sprintf("separable (%s)", strings.Join(words, ", "))
}

// rejects says for each axis why its windows are not reduced by blocks.
func (t *tiling) rejects() []kernel.Reject {
	var list []kernel.Reject
	for i, name := range []string{"depth", "height", "width"} {
		p := &t.passes[i]
		if p.axis.Trivial() || p.blocks {
			continue
		}
		reason := fmt.Sprintf("a window of %d at stride %d needs fewer steps tap by tap (blocks pay from %d)", p.axis.Size, p.axis.Stride, p.threshold+1)
		if p.axis.Bounds != nil {
			reason = "the windows differ in size"
		}
		list = append(list, kernel.Reject{Impl: name + " by blocks", Reason: reason})
	}
	return list
}

func (k *separable[T, A, O]) run(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int) {
	b := k.box(unit)
	var i0, i1 [3]int
	for axis := range i0 {
		i0[axis], i1[axis] = k.passes[axis].cells(b.o0[axis], b.o1[axis])
	}
	in := &k.Geometry.Axes
	rowElements := in[2].In * k.inner
	image := in[0].In * in[1].In * rowElements
	data := tensor.Of[T](src)[b.image*image : (b.image+1)*image]

	s.Reset()
	nRow, nW, nH, nD, nSuffix := k.buffers()
	row, afterW, afterH := kernel.Take[A](s, nRow), kernel.Take[A](s, nW), kernel.Take[A](s, nH)
	afterD, suffix := kernel.Take[A](s, nD), kernel.Take[A](s, nSuffix)

	line := (b.o1[2] - b.o0[2]) * k.inner // one row of outputs
	cells := (i1[2] - i0[2]) * k.inner
	ny, by := i1[1]-i0[1], b.o1[1]-b.o0[1]
	for z := range i1[0] - i0[0] {
		for y := range ny {
			at := ((i0[0]+z)*in[1].In+i0[1]+y)*rowElements + i0[2]*k.inner
			out := afterW[(z*ny+y)*line:][:line]
			if in[2].Trivial() {
				k.load(out, data[at:at+cells], at)
				continue
			}
			k.load(row[:cells], data[at:at+cells], at)
			reduce(&k.passes[2], k.merge, out, row, suffix, k.inner, b.o0[2], b.o1[2], i0[2], i1[2])
		}
		if !in[1].Trivial() {
			reduce(&k.passes[1], k.merge, afterH[z*by*line:][:by*line], afterW[z*ny*line:][:ny*line], suffix, line, b.o0[1], b.o1[1], i0[1], i1[1])
		}
	}
	acc := afterW
	if !in[1].Trivial() {
		acc = afterH
	}
	if !in[0].Trivial() {
		reduce(&k.passes[0], k.merge, afterD, acc, suffix, by*line, b.o0[0], b.o1[0], i0[0], i1[0])
		acc = afterD
	}

	f := Finishing[T, O]{Spec: &k.Spec, inner: k.inner, image: b.image, src: data, dst: tensor.Of[O](dst), x0: b.o0[2], spans: k.spans}
	if k.Argmax {
		f.argmax = tensor.Of[int64](argmax)
	}
	for f.Z = b.o0[0]; f.Z < b.o1[0]; f.Z++ {
		for f.Y = b.o0[1]; f.Y < b.o1[1]; f.Y++ {
			f.at = (((b.image*in[0].Out+f.Z)*in[1].Out+f.Y)*in[2].Out + b.o0[2]) * k.inner
			k.finish(f, acc[:line])
			acc = acc[line:]
		}
	}
}
