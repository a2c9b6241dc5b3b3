package figure

import (
	"math"
	"strconv"
	"strings"
)

// brief formats a number for a cell: whole numbers of up to four digits in
// full, others with at most three significant digits.
func brief(v float64) string {
	switch {
	case v != v:
		return "NaN"
	case math.IsInf(v, 0):
		return strings.TrimPrefix(minus(v)+"∞", "+")
	case v == math.Trunc(v) && math.Abs(v) < 1e4:
		return minus(v) + strconv.FormatFloat(math.Abs(v), 'f', 0, 64)
	}
	digits := strconv.FormatFloat(math.Abs(v), 'g', 3, 64)
	mantissa, exponent, scientific := strings.Cut(digits, "e")
	if !scientific {
		return minus(v) + digits
	}
	sign := ""
	if exponent[0] == '-' {
		sign = "−"
	}
	return minus(v) + mantissa + "e" + sign + strings.TrimLeft(exponent, "+-0")
}

// minus returns the sign of a negative number.
func minus(v float64) string {
	if v < 0 {
		return "−"
	}
	return ""
}

// fraction formats a share as a fraction such as 1/9 or 2/3 if it equals one
// with a small denominator, to the precision of float32. It formats other
// shares as numbers.
func fraction(v float64) string {
	const near = 1e-6
	size := math.Abs(v)
	if d := math.Round(1 / size); d >= 2 && d <= ArrowSide*ArrowSide && math.Abs(size*d-1) < near {
		return minus(v) + "1/" + strconv.Itoa(int(d))
	}
	for d := 3.0; d <= 12; d++ {
		n := math.Round(size * d)
		hundredths := math.Abs(size*100 - math.Round(size*100))
		if n > 1 && n < d && math.Abs(size*d-n) < near && hundredths > near {
			return minus(v) + strconv.Itoa(int(n)) + "/" + strconv.Itoa(int(d))
		}
	}
	return brief(v)
}
