package imgio

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/tensor"
)

// isLevels reports whether values of a type are usually levels of a picture:
// unsigned integers. Others, such as a gradient or values from 0 to 1, may all
// round to one level.
func isLevels(d tensor.DType) bool {
	switch d {
	case tensor.Uint8, tensor.Uint16, tensor.Uint32, tensor.Uint64:
		return true
	default:
		return false
	}
}

// spread says how the levels of a picture are spread, alpha left out.
type spread struct {
	values          int
	common, most    int // the most common level, and how many values have it
	lowest, highest int
}

// spreadOf counts the levels, channels last.
func spreadOf[D uint8 | uint16](pix []D, channels int, alpha bool) *spread {
	counts := make([]int, int(^D(0))+1)
	for i, level := range pix {
		if !alpha || i%channels != channels-1 {
			counts[level]++
		}
	}
	s := &spread{lowest: -1}
	for level, n := range counts {
		if n == 0 {
			continue
		}
		if s.lowest < 0 {
			s.lowest = level
		}
		s.highest = level
		s.values += n
		if n > s.most {
			s.common, s.most = level, n
		}
	}
	return s
}

// flat returns a note on a picture that shows next to nothing, since its values span
// less than two levels or more than 99 % of them fall on one level, and how to
// stretch them. It returns "" for other pictures, and for a picture of one level
// that its values have exactly.
func (c levelCount) flat(v volume, depth int) (text string, stretch Normalize) {
	s := c.spread
	if s == nil || s.highest-s.lowest > 2 && 100*s.most <= 99*s.values {
		return "", NormalizeNone
	}
	alpha := v.isPicture() && v.c%2 == 0
	lo, hi := extremes(v.tensor, v.c, alpha)
	if exactly := float64(s.common); lo == exactly && hi == exactly && s.most == s.values {
		return "", NormalizeNone
	}
	stretch = NormalizeMinMax
	if lo < 0 {
		stretch = NormalizeSymmetric
	}
	most := 1<<depth - 1
	switch {
	case lo == hi:
		return fmt.Sprintf("every value is %.4g and becomes level %d of 0..%d", lo, s.common, most), NormalizeNone
	case hi-lo < 2:
		return fmt.Sprintf("the values run from %.4g to %.4g, less than two of the levels 0..%d", lo, hi, most), stretch
	case 100*s.most > 99*s.values:
		return fmt.Sprintf("all but %d of %d values fall on level %d of 0..%d", s.values-s.most, s.values, s.common, most), stretch
	default:
		return "", NormalizeNone
	}
}
