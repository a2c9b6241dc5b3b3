package pool

import (
	"math/bits"
	"slices"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// selectUnit takes the windows of some rows one by one.
func (k *ranked[T, O]) selectUnit(s *kernel.Scratch, dst, argmax, src *tensor.Tensor, unit int) {
	s.Reset()
	axes := &k.Geometry.Axes
	numbers := kernel.Take[T](s, k.Geometry.Taps())
	p, out := k.part(unit), k.results(dst, argmax)
	w := k.window(src, p.image)
	image := w.data
	for z := p.o0[0]; z < p.o1[0]; z++ {
		w.first[0], w.count[0] = axes[0].Cells(z)
		for y := p.o0[1]; y < p.o1[1]; y++ {
			w.first[1], w.count[1] = axes[1].Cells(y)
			at := ((p.image*axes[0].Out+z)*axes[1].Out + y) * axes[2].Out * k.inner
			for x := p.o0[2]; x < p.o1[2]; x++ {
				w.first[2], w.count[2] = axes[2].Cells(x)
				for c := range k.inner {
					w.data = image[c:]
					lo, hi := k.selectFrom(&w, numbers)
					out.write(at+x*k.inner+c, &w, p.image, c, lo, hi)
				}
			}
		}
	}
}

// window prepares the windows of an image.
func (k *ranked[T, O]) window(src *tensor.Tensor, image int) (w rankWindow[T]) {
	w.inner = k.inner
	for i, a := range k.Geometry.Axes {
		w.extent[i], w.step[i] = a.In, max(1, a.Dilation)
		if a.Bounds != nil {
			w.step[i] = 1
		}
	}
	n := w.extent[0] * w.extent[1] * w.extent[2] * k.inner
	w.data = tensor.Of[T](src)[image*n : (image+1)*n]
	return w
}

// selectFrom finds the cells that make the result of a window.
func (k *ranked[T, O]) selectFrom(w *rankWindow[T], scratch []T) (lo, hi T) {
	n, cells := 0, w.count[0]*w.count[1]*w.count[2]
	for z := range w.count[0] {
		for y := range w.count[1] {
			at := (((w.first[0]+z*w.step[0])*w.extent[1]+w.first[1]+y*w.step[1])*w.extent[2] + w.first[2]) * w.inner
			for range w.count[2] {
				v := w.data[at]
				scratch[n] = v
				if v == v {
					n++
				}
				at += w.step[2] * w.inner
			}
		}
	}
	a, b := k.places(n)
	if n < cells && !k.IgnoreNaN || b >= n {
		nan := w.firstNaN()
		return nan, nan
	}
	numbers := scratch[:n]
	selectPlace(numbers, a)
	lo, hi = numbers[a], numbers[a]
	if b > a {
		hi = slices.Min(numbers[b:])
	}
	return lo, hi
}

// insertionUpTo is how many numbers insertion sort takes.
const insertionUpTo = 24

// selectPlace moves the number of place k there, none that is larger before it and
// none that is smaller behind it. There is no NaN. It is Hoare's quickselect, with
// a sort where the pivots are bad again and again.
func selectPlace[T tensor.Real](list []T, k int) {
	for rounds := 2 * bits.Len(uint(len(list))); len(list) > insertionUpTo; rounds-- {
		if rounds == 0 {
			slices.Sort(list)
			return
		}
		pivot := middle(list[0], list[len(list)/2], list[len(list)-1])
		i, j := 0, len(list)-1
		for i <= j {
			for list[i] < pivot {
				i++
			}
			for list[j] > pivot {
				j--
			}
			if i <= j {
				list[i], list[j] = list[j], list[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			list = list[:j+1]
		case k >= i:
			list, k = list[i:], k-i
		default: // what lies between j and i is the pivot
			return
		}
	}
	for i := 1; i < len(list); i++ {
		v := list[i]
		j := i
		for ; j > 0 && list[j-1] > v; j-- {
			list[j] = list[j-1]
		}
		list[j] = v
	}
}

func middle[T tensor.Real](a, b, c T) T { return max(min(a, b), min(max(a, b), c)) }
