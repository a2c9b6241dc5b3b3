package main

import (
	"maps"
	"slices"

	"github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// The points at which F(4x4, 3x3) takes polynomials, beside 0 and infinity: ±a
// and ±b. With a*b = 1 and these two the rounding errors are the least of the
// pairs that were tried, half of those of the usual 1 and 2.
const a, b = 2.0 / 3, 3.0 / 2

// line writes a one-dimensional transform: numbers to results. Before it is
// ready it only loads the constants that the transform asks for.
type line struct {
	kernel
	constants        map[float64]reg.VecVirtual
	ready            bool
	numbers, results []reg.VecVirtual
}

// note says which registers hold constants.
func (l *line) note() {
	var list []reg.VecVirtual
	for _, v := range slices.Sorted(maps.Keys(l.constants)) {
		list = append(list, l.constants[v])
	}
	if len(list) > 0 {
		vec.Note("Constants of the transform, the smallest first: %.", list)
	}
}

// in loads the numbers of a line.
func (l *line) in(from reg.Register, s steps) {
	l.numbers = nil
	for i := range l.transform.in {
		v := l.Vector()
		l.Load(s.at(from, i), v)
		l.numbers = append(l.numbers, v)
	}
}

// constant returns a register that holds v in every lane.
func (l *line) constant(v float64) reg.VecVirtual {
	if r, loaded := l.constants[v]; loaded {
		return r
	}
	r := l.Vector()
	l.Broadcast(l.Number(v), r)
	l.constants[v] = r
	return r
}

func (l *line) number(i int) reg.VecVirtual {
	if !l.ready {
		return nil
	}
	return l.numbers[i]
}

// do runs an instruction whose result is a new register.
func (l *line) do(instruction func(dst reg.VecVirtual)) reg.VecVirtual {
	if !l.ready {
		return nil
	}
	dst := l.Vector()
	instruction(dst)
	return dst
}

func (l *line) plus(x, y reg.VecVirtual) reg.VecVirtual {
	return l.do(func(dst reg.VecVirtual) { l.Add(x, y, dst) })
}

func (l *line) minus(x, y reg.VecVirtual) reg.VecVirtual {
	return l.do(func(dst reg.VecVirtual) { l.Sub(y, x, dst) })
}

// times returns c*x.
func (l *line) times(c float64, x reg.VecVirtual) reg.VecVirtual {
	k := l.constant(c)
	return l.do(func(dst reg.VecVirtual) { l.Mul(k, x, dst) })
}

// plusTimes returns x + c*y.
func (l *line) plusTimes(x reg.VecVirtual, c float64, y reg.VecVirtual) reg.VecVirtual {
	return l.addTimes(l.do(func(dst reg.VecVirtual) { l.Load(x, dst) }), c, y)
}

// minusTimes returns x - c*y.
func (l *line) minusTimes(x reg.VecVirtual, c float64, y reg.VecVirtual) reg.VecVirtual {
	return l.subTimes(l.do(func(dst reg.VecVirtual) { l.Load(x, dst) }), c, y)
}

// addTimes adds c*y to x, which it returns.
func (l *line) addTimes(x reg.VecVirtual, c float64, y reg.VecVirtual) reg.VecVirtual {
	if k := l.constant(c); l.ready {
		l.FMA(k, y, x)
	}
	return x
}

// subTimes subtracts c*y from x, which it returns.
func (l *line) subTimes(x reg.VecVirtual, c float64, y reg.VecVirtual) reg.VecVirtual {
	if k := l.constant(c); l.ready {
		l.FNMA(k, y, x)
	}
	return x
}

func (l *line) give(results ...reg.VecVirtual) { l.results = results }

// filter2 takes the polynomial of a filter at 0, 1, -1 and infinity, halved at 1
// and -1.
func filter2(l *line) {
	even, odd := l.times(0.5, l.plus(l.number(0), l.number(2))), l.times(0.5, l.number(1))
	l.give(l.number(0), l.plus(even, odd), l.minus(even, odd), l.number(2))
}

func input2(l *line) {
	l.give(l.minus(l.number(0), l.number(2)), l.plus(l.number(1), l.number(2)), l.minus(l.number(2), l.number(1)), l.minus(l.number(1), l.number(3)))
}

func output2(l *line) {
	l.give(l.plus(l.plus(l.number(0), l.number(1)), l.number(2)), l.minus(l.minus(l.number(1), l.number(2)), l.number(3)))
}

// filter4 takes the polynomial of a filter at 0, ±a, ±b and infinity, divided by
// the product of the point's distances to the others.
func filter4(l *line) {
	pair := func(x, other float64) (plus, minus reg.VecVirtual) {
		scale := 1 / (2 * x * x * (x*x - other*other))
		even := l.addTimes(l.times(scale, l.number(0)), scale*x*x, l.number(2))
		return l.plusTimes(even, scale*x, l.number(1)), l.subTimes(even, scale*x, l.number(1))
	}
	a1, a2 := pair(a, b)
	b1, b2 := pair(b, a)
	l.give(l.number(0), a1, a2, b1, b2, l.number(2))
}

func input4(l *line) {
	ends := func(i int) reg.VecVirtual { // n[i] - (a²+b²) n[i+2] + a²b² n[i+4], and a²b² is 1
		return l.subTimes(l.plus(l.number(i), l.number(i+4)), a*a+b*b, l.number(i+2))
	}
	pair := func(x, other float64) (plus, minus reg.VecVirtual) {
		even, odd := l.minusTimes(l.number(4), other*other, l.number(2)), l.minusTimes(l.number(3), other*other, l.number(1))
		return l.plusTimes(even, x, odd), l.subTimes(even, x, odd)
	}
	first := ends(0)
	a1, a2 := pair(a, b)
	b1, b2 := pair(b, a)
	l.give(first, a1, a2, b1, b2, ends(1))
}

func output4(l *line) {
	sumA, sumB := l.plus(l.number(1), l.number(2)), l.plus(l.number(3), l.number(4))
	difA, difB := l.minus(l.number(1), l.number(2)), l.minus(l.number(3), l.number(4))
	l.give(
		l.plus(l.plus(l.number(0), sumA), sumB),
		l.addTimes(l.times(a, difA), b, difB),
		l.addTimes(l.times(a*a, sumA), b*b, sumB),
		l.addTimes(l.addTimes(l.number(5), a*a*a, difA), b*b*b, difB))
}
