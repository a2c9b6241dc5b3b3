package pool

import "math"

// raise returns x^p for x that is not negative, in a quarter of math.Pow's time.
// For p up to mostRaised its relative error is below 2^-41, which vanishes where
// the result is rounded to float32.
//
// As in Tang's table-driven functions (ACM TOMS 16 (1990) and 15 (1989)): the
// logarithm to base 2 is that of a number c near the mantissa, from a table, and
// a polynomial in what remains, mantissa/c - 1; the power of 2 is that of a
// multiple of 1/128, from a table, and a polynomial. Products are rounded before
// they are added to, so that every machine computes the same.
func raise(x, p float64) float64 {
	bits := math.Float64bits(x)
	if x < 0x1p-1022 || bits >= 0x7ff0000000000000 { // 0, subnormal, infinite, NaN
		return math.Pow(x, p)
	}
	near := &logTable[bits>>(52-tableBits)&(tableSize-1)]
	mantissa := math.Float64frombits(bits&(1<<52-1) | 1023<<52)
	r := float64(mantissa*near.inverse) - 1
	series := r * (log1 + float64(r*(log2+float64(r*(log3+float64(r*(log4+float64(r*(log5+float64(r*log6)))))))))) // log2(1+r)
	y := p * (float64(int(bits>>52)-1023) + (near.log + series))
	if !(y > -1022 && y < 1023) {
		return math.Pow(x, p)
	}
	const whole = 0x1.8p52 // adding it leaves no bits behind the point
	shifted := float64(y*tableSize) + whole
	n := int64(math.Float64bits(shifted)<<13) >> 13 // y in parts of the table, as a whole number
	f := y - float64((shifted-whole)*(1.0/tableSize))
	series = 1 + float64(f*(exp1+float64(f*(exp2+float64(f*(exp3+float64(f*(exp4+float64(f*exp5))))))))) // 2^f
	return float64(series*expTable[n&(tableSize-1)]) * math.Float64frombits(uint64(n>>tableBits+1023)<<52)
}

// mostRaised is the largest exponent that raise takes. The error grows with it.
const mostRaised = 64

const (
	tableBits = 7
	tableSize = 1 << tableBits
)

// Coefficients of log2(1+r) and of 2^f.
const (
	log1 = 1 / math.Ln2
	log2 = -log1 / 2
	log3 = log1 / 3
	log4 = -log1 / 4
	log5 = log1 / 5
	log6 = -log1 / 6

	exp1 = math.Ln2
	exp2 = exp1 * math.Ln2 / 2
	exp3 = exp2 * math.Ln2 / 3
	exp4 = exp3 * math.Ln2 / 4
	exp5 = exp4 * math.Ln2 / 5
)

// logTable holds, for each part of [1, 2), a number near 1/c for the c in its
// middle, and minus the logarithm of that number; expTable the powers of 2.
var logTable, expTable = tables()

func tables() (logs [tableSize]struct{ inverse, log float64 }, exps [tableSize]float64) {
	for i := range tableSize {
		inverse := 1 / (1 + (float64(i)+0.5)/tableSize)
		logs[i].inverse, logs[i].log = inverse, -math.Log2(inverse)
		exps[i] = math.Exp2(float64(i) / tableSize)
	}
	return logs, exps
}
