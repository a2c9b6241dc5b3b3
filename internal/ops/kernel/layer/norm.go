package layer

import (
	"math"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Softmax computes e^x over the sum of e^x of the lane, in float64, for the
// units lo <= u < hi of float32 or float64. The largest of a lane is taken off
// all before, so that nothing overflows.
type Softmax struct{ Lanes }

// Scratch returns the bytes that a worker needs.
func (k Softmax) Scratch() int { return 8 * kernel.Words[float64](k.Extent) }

// Run computes dst from src.
func (k Softmax) Run(s *kernel.Scratch, dst, src *tensor.Tensor, lo, hi int) {
	if dst.DType == tensor.Float32 {
		softmax(k, s, tensor.Of[float32](dst), tensor.Of[float32](src), nil, lo, hi)
		return
	}
	softmax(k, s, tensor.Of[float64](dst), tensor.Of[float64](src), nil, lo, hi)
}

// Gradient computes dst = y·(upstream - Σ upstream·y) of each lane, where y is
// the softmax of src.
func (k Softmax) Gradient(s *kernel.Scratch, dst, src, upstream *tensor.Tensor, lo, hi int) {
	if dst.DType == tensor.Float32 {
		softmax(k, s, tensor.Of[float32](dst), tensor.Of[float32](src), tensor.Of[float32](upstream), lo, hi)
		return
	}
	softmax(k, s, tensor.Of[float64](dst), tensor.Of[float64](src), tensor.Of[float64](upstream), lo, hi)
}

func softmax[F tensor.Floating](k Softmax, scratch *kernel.Scratch, dst, src, upstream []F, lo, hi int) {
	scratch.Reset()
	y := kernel.Take[float64](scratch, k.Extent)
	step := k.Inner
	for unit := lo; unit < hi; unit++ {
		o0, o1, i0, i1 := k.part(unit)
		for o := o0; o < o1; o++ {
			for i := i0; i < i1; i++ {
				first := o*k.Extent*step + i
				largest := math.Inf(-1)
				for c := range y {
					y[c] = float64(src[first+c*step])
					largest = max(largest, y[c])
				}
				sum := 0.0
				for c, v := range y {
					y[c] = math.Exp(v - largest)
					sum += y[c]
				}
				mean := 0.0 // of the upstream gradient, weighted by y
				if upstream != nil {
					for c, v := range y {
						y[c] = v / sum
						mean += y[c] * float64(upstream[first+c*step])
					}
				}
				for c, v := range y {
					if upstream != nil {
						dst[first+c*step] = F(v * (float64(upstream[first+c*step]) - mean))
					} else {
						dst[first+c*step] = F(v / sum)
					}
				}
			}
		}
	}
}

// LRN is local response normalisation along lanes:
//
//	y[c] = x[c] / n[c]^Beta,  n[c] = Bias + Alpha · Σ x[j]² over c - Before <= j <= c + After
type LRN struct {
	Lanes
	Before, After     int // neighbours on each side, >= 0
	Bias, Alpha, Beta float64
}

// sides returns Before and After, each at most what reaches all of a lane.
func (k *LRN) sides() (before, after int) {
	most := max(0, k.Extent-1)
	return min(k.Before, most), min(k.After, most)
}

// Scratch returns the bytes that a worker needs.
func (k *LRN) Scratch() int {
	before, after := k.sides()
	return 8 * (3*kernel.Words[float64](k.Extent) + 2*kernel.Words[float64](k.Extent+before+after))
}

// Run computes dst from src in the units lo <= u < hi.
func (k *LRN) Run(s *kernel.Scratch, dst, src *tensor.Tensor, lo, hi int) {
	if dst.DType == tensor.Float32 {
		normalize(k, s, tensor.Of[float32](dst), tensor.Of[float32](src), nil, lo, hi)
		return
	}
	normalize(k, s, tensor.Of[float64](dst), tensor.Of[float64](src), nil, lo, hi)
}

// Gradient computes the gradient with respect to src:
//
//	upstream[c]/n[c]^Beta - 2·Alpha·Beta · x[c] · Σ upstream[j]·x[j]/n[j]^(Beta+1) over c - After <= j <= c + Before
func (k *LRN) Gradient(s *kernel.Scratch, dst, src, upstream *tensor.Tensor, lo, hi int) {
	if dst.DType == tensor.Float32 {
		normalize(k, s, tensor.Of[float32](dst), tensor.Of[float32](src), tensor.Of[float32](upstream), lo, hi)
		return
	}
	normalize(k, s, tensor.Of[float64](dst), tensor.Of[float64](src), tensor.Of[float64](upstream), lo, hi)
}

func normalize[F tensor.Floating](k *LRN, scratch *kernel.Scratch, dst, src, upstream []F, lo, hi int) {
	scratch.Reset()
	n := kernel.Take[float64](scratch, k.Extent)
	power := kernel.Take[float64](scratch, k.Extent)
	terms := kernel.Take[float64](scratch, k.Extent)
	before, after := k.sides()
	w := neighbourhood{head: kernel.Take[float64](scratch, k.Extent+before+after), tail: kernel.Take[float64](scratch, k.Extent+before+after)}
	for unit := lo; unit < hi; unit++ {
		o0, o1, i0, i1 := k.part(unit)
		for o := o0; o < o1; o++ {
			for i := i0; i < i1; i++ {
				lane := src[o*k.Extent*k.Inner+i:]
				out := dst[o*k.Extent*k.Inner+i:]
				for c := range terms {
					x := float64(lane[c*k.Inner])
					terms[c] = x * x
				}
				w.sum(n, terms, before)
				for c := range n {
					n[c] = k.Bias + k.Alpha*n[c]
					power[c] = inversePower(n[c], k.Beta)
				}
				if upstream == nil {
					for c, p := range power {
						out[c*k.Inner] = F(float64(lane[c*k.Inner]) * p)
					}
					continue
				}
				arrived := upstream[o*k.Extent*k.Inner+i:]
				for c := range terms {
					terms[c] = float64(arrived[c*k.Inner]) * float64(lane[c*k.Inner]) * power[c] / n[c]
				}
				w.sum(n, terms, after) // j sees c: the window the other way round
				for c, p := range power {
					out[c*k.Inner] = F(float64(arrived[c*k.Inner])*p - 2*k.Alpha*k.Beta*float64(lane[c*k.Inner])*n[c])
				}
			}
		}
	}
}

// inversePower is v^-beta; the usual exponents by square roots.
func inversePower(v, beta float64) float64 {
	switch beta {
	case 0.5:
		return 1 / math.Sqrt(v)
	case 0.75:
		root := math.Sqrt(v)
		return 1 / (root * math.Sqrt(root))
	case 1:
		return 1 / v
	default:
		return math.Pow(v, -beta)
	}
}

// neighbourhood sums the numbers around each of a line: in blocks as long as
// the window, from the block's beginning (head) and to its end (tail), so that
// every window is two of these sums, whatever its length, and nothing is
// subtracted. The line is seen with zeros at both ends, so that head and tail are
// longer than it by the neighbours of both sides.
type neighbourhood struct{ head, tail []float64 }

// sum sums terms around each, so many of them before it.
func (w *neighbourhood) sum(dst, terms []float64, before int) {
	length := len(w.head) - len(terms) + 1
	at := func(i int) float64 {
		if i -= before; i >= 0 && i < len(terms) {
			return terms[i]
		}
		return 0
	}
	for i := range w.head {
		w.head[i] = at(i)
		if i%length != 0 {
			w.head[i] += w.head[i-1]
		}
	}
	last := len(w.tail) - 1
	for i := last; i >= 0; i-- {
		w.tail[i] = at(i)
		if i != last && i%length != length-1 {
			w.tail[i] += w.tail[i+1]
		}
	}
	for c := range dst {
		if c%length == 0 { // the window is a block
			dst[c] = w.tail[c]
			continue
		}
		dst[c] = w.tail[c] + w.head[c+length-1]
	}
}
