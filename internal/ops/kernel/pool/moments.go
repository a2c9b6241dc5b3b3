package pool

import (
	"math"

	"github.com/poolctl/poolctl/internal/tensor"
)

// moments are those of some cells: how many, their mean, and the sum of squared
// deviations from it, which is NaN where a cell is infinite or NaN. Two are merged by
// Chan, Golub and LeVeque's formula (Updating formulae and a pairwise algorithm for
// computing sample variances, Stanford STAN-CS-79-773): nothing large is subtracted,
// and cells that are equal have deviations of exactly 0.
type moments struct{ n, mean, squares float64 }

// wideMoments are moments with twice the precision of float64.
type wideMoments struct {
	n             float64
	mean, squares double
}

// momentOf returns the moments of one cell. A NaN that is to be skipped has none.
func momentOf(v float64, ignoreNaN bool) moments {
	if v != v && ignoreNaN {
		return moments{}
	}
	return moments{1, v, v - v}
}

func wideMomentOf(v float64, ignoreNaN bool) wideMoments {
	if v != v && ignoreNaN {
		return wideMoments{}
	}
	return wideMoments{1, double{hi: v}, double{hi: v - v}}
}

func loadMoments[T tensor.Real](ignoreNaN bool) loader[T, moments] {
	return func(acc []moments, src []T, _ int) {
		for i, v := range src {
			acc[i] = momentOf(float64(v), ignoreNaN)
		}
	}
}

func loadWideMoments[T tensor.Real](ignoreNaN bool) loader[T, wideMoments] {
	return func(acc []wideMoments, src []T, _ int) {
		for i, v := range src {
			acc[i] = exactMomentOf(v, ignoreNaN)
		}
	}
}

// exactMomentOf keeps integers of 64 bits exactly.
func exactMomentOf[T tensor.Real](v T, ignoreNaN bool) wideMoments {
	m := wideMomentOf(float64(v), ignoreNaN)
	if tensor.TypeOf[T]().IsInteger() && tensor.SizeOf[T]() == 8 {
		m.mean = exactDouble(v)
	}
	return m
}

// exactDouble splits an integer into its high and its low 32 bits, which are exact.
func exactDouble[T tensor.Real](v T) double {
	const half = 1 << 32
	if v < 0 {
		i := int64(v)
		return quickSum(float64(i>>32)*half, float64(uint32(i)))
	}
	u := uint64(v)
	return quickSum(float64(u>>32)*half, float64(uint32(u)))
}

// joint holds what merging takes of the numbers of cells. Neighbours have the same
// numbers mostly, so it is computed once for many.
type joint struct {
	a, b    float64
	share   double // b / (a + b): how far the mean moves
	between double // a b / (a + b), of the squared distance of the means
}

func (j *joint) set(a, b float64) {
	if a == j.a && b == j.b {
		return
	}
	*j = joint{a: a, b: b}
	if n := a + b; n > 0 {
		j.share, j.between = double{hi: b}.divided(n), product(a, b).divided(n)
	}
}

func mergeMoments(dst, a, b []moments) {
	a, b = a[:len(dst)], b[:len(dst)]
	var j joint
	for i := range dst {
		p, q := &a[i], &b[i]
		j.set(p.n, q.n)
		d := q.mean - p.mean
		// The conversions keep Go from fusing multiplication and addition.
		dst[i] = moments{p.n + q.n, p.mean + float64(d*j.share.hi), p.squares + q.squares + float64(d*d*j.between.hi)}
	}
}

func mergeWideMoments(dst, a, b []wideMoments) {
	a, b = a[:len(dst)], b[:len(dst)]
	var j joint
	for i := range dst {
		dst[i] = j.merge(&a[i], &b[i])
	}
}

func (j *joint) merge(p, q *wideMoments) wideMoments {
	j.set(p.n, q.n)
	d := q.mean.plus(double{-p.mean.hi, -p.mean.lo})
	return wideMoments{
		n:       p.n + q.n,
		mean:    p.mean.plus(d.times(j.share)),
		squares: p.squares.plus(q.squares).plus(d.times(d).times(j.between)),
	}
}

// plus, times and divided are arithmetic of about 100 bits (Dekker's; Hida, Li and
// Bailey, Library for Double-Double and Quad-Double Arithmetic). lo has no other
// meaning here: what is infinite or NaN becomes NaN.
func (s double) plus(t double) double {
	hi := s.hi + t.hi
	from := hi - s.hi
	rest := (s.hi - (hi - from)) + (t.hi - from)
	return quickSum(hi, rest+(s.lo+t.lo))
}

func (s double) times(t double) double {
	p := product(s.hi, t.hi)
	return quickSum(p.hi, p.lo+(float64(s.hi*t.lo)+float64(s.lo*t.hi)))
}

// divided divides by a number.
func (s double) divided(by float64) double {
	q := s.hi / by
	return quickSum(q, (math.FMA(-q, by, s.hi)+s.lo)/by)
}

// product is exact.
func product(a, b float64) double {
	hi := a * b
	return double{hi, math.FMA(a, b, -hi)}
}

// quickSum adds two numbers exactly, the first of which is the larger.
func quickSum(a, b float64) double {
	hi := a + b
	return double{hi, b - (hi - a)}
}

// momentCandidates compute variances and standard deviations.
func momentCandidates[T tensor.Real, O tensor.Floating](spec *Spec) []candidate {
	if tensor.SizeOf[O]() == 4 {
		return method[T, moments, O]{load: loadMoments[T](spec.IgnoreNaN), merge: mergeMoments, finish: finishMoments[T, O], isa: "go"}.candidates(spec)
	}
	return method[T, wideMoments, O]{load: loadWideMoments[T](spec.IgnoreNaN), merge: mergeWideMoments, finish: finishWideMoments[T, O], isa: "go"}.candidates(spec)
}

// spread turns a variance into the result.
func (s *Spec) spread(variance float64) float64 {
	if s.Reduction == Deviation {
		return math.Sqrt(variance)
	}
	return variance
}

// paddingOf returns how many cells of padding count in the window of number i, from
// output x on, whose divisor is given.
func (f *Finishing[T, O]) paddingOf(x, i int, divisor float64) float64 {
	if !f.Spec.CountPadding {
		return 0
	}
	return divisor - float64(f.cells(x+i/f.inner))
}

func finishMoments[T tensor.Real, O tensor.Floating](f Finishing[T, O], acc []moments) {
	eachSpan(&f, acc, func(x int, acc []moments, dst []O, divisor float64) {
		var j joint
		for i, m := range acc {
			if zeros := f.paddingOf(x, i, divisor); zeros > 0 && m.n > 0 {
				j.set(m.n, zeros)
				m.squares += float64(m.mean * m.mean * j.between.hi)
				m.n += zeros
			}
			dst[i] = O(f.Spec.spread(m.squares / m.n)) // NaN where all cells were skipped
		}
	})
}

// Sums of squares between these are free of overflow and of terms that were too small
// for float64.
const (
	leastSquares = 0x1p-900
	mostSquares  = 0x1p900
	mostMean     = 0x1p450  // the square of a larger mean may overflow beside zeros of padding
	leastMean    = 0x1p-400 // a smaller mean's cells may differ by less than the root of the smallest number
)

func finishWideMoments[T tensor.Real, O tensor.Floating](f Finishing[T, O], acc []wideMoments) {
	float := tensor.TypeOf[T]().IsFloat()
	eachSpan(&f, acc, func(x int, acc []wideMoments, dst []O, divisor float64) {
		var j joint
		for i, m := range acc {
			zeros, squares, scale := f.paddingOf(x, i, divisor), m.squares.hi, 0
			exact := squares >= leastSquares && squares <= mostSquares || squares == 0 && math.Abs(m.mean.hi) >= leastMean
			exact = exact && (zeros == 0 || math.Abs(m.mean.hi) <= mostMean)
			if float && !exact && m.n > 0 {
				m, scale = f.scaledMoments(x, i)
			}
			if zeros > 0 && m.n > 0 {
				m = j.merge(&m, &wideMoments{n: zeros})
			}
			variance := m.squares.divided(m.n)
			if f.Spec.Reduction == Deviation {
				dst[i] = O(math.Ldexp(math.Sqrt(variance.hi), scale))
			} else {
				dst[i] = O(math.Ldexp(variance.hi, 2*scale))
			}
		}
	})
}

// scaledMoments computes the moments of the window of number i, from output x on, once
// more, of cells divided by 2^scale so that the largest is about 1.
func (f *Finishing[T, O]) scaledMoments(x, i int) (m wideMoments, scale int) {
	largest := 0.0
	f.eachCell(x, i, func(v float64) { largest = max(largest, math.Abs(v)) })
	if largest > 0 {
		_, scale = math.Frexp(largest) // 0 where it is infinite
	}
	var j joint
	f.eachCell(x, i, func(v float64) {
		cell := wideMomentOf(math.Ldexp(v, -scale), false)
		m = j.merge(&m, &cell)
	})
	return m, scale
}
