package ops

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
)

// ParseInts parses a list of whole numbers: 2,1 or 2x1 or 2.
func ParseInts(text string) ([]int, error) {
	var list []int
	for word := range strings.SplitSeq(text, separator(text)) {
		v, err := parseInt(strings.TrimSpace(word))
		if err != nil {
			return nil, within(text, word, err)
		}
		list = append(list, v)
	}
	return list, nil
}

// within adds the list to an error about a missing number.
func within(list, word string, err error) error {
	if strings.TrimSpace(word) == "" && list != "" {
		return fmt.Errorf("got \"\" in %q, want numbers on both sides of %q", list, separator(list))
	}
	return err
}

// separator returns what separates the numbers of a list: 2,1 or 2x1.
func separator(text string) string {
	if strings.Contains(text, ",") {
		return ","
	}
	return "x"
}

func parseInt(text string) (int, error) {
	v, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("got %q, want a whole number", text)
	}
	return v, nil
}

func parseNumber(text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) {
		return 0, fmt.Errorf("got %q, want a number", text)
	}
	return v, nil
}

func formatNumber(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// finite refuses infinities.
func finite(v float64) error {
	if math.IsInf(v, 0) {
		return fmt.Errorf("got %g, want a finite number", v)
	}
	return nil
}

// notNegative refuses negative numbers and infinity.
func notNegative(v float64) error {
	if v < 0 {
		return fmt.Errorf("got %g, want >= 0", v)
	}
	return finite(v)
}

// unknownWord lists the known words, and suggests the nearest.
func unknownWord(text string, known []string) error {
	return fmt.Errorf("got %q, want one of %s%s", text, strings.Join(known, ", "), Suggestion(text, known))
}

func parsePadding(text string) (paddingValue, error) {
	rules := []geom.Padding{geom.Same, geom.Valid, geom.SameLower}
	for _, rule := range rules {
		if strings.EqualFold(text, rule.String()) {
			return paddingValue{Rule: rule, given: true}, nil
		}
	}
	v := paddingValue{Rule: geom.Explicit, given: true}
	for pair := range strings.SplitSeq(text, ",") {
		lo, hi, ok := strings.Cut(pair, ":")
		a, errLo := strconv.Atoi(lo)
		b, errHi := strconv.Atoi(hi)
		if !ok || errLo != nil || errHi != nil {
			return paddingValue{}, fmt.Errorf("got %q, want SAME, VALID, SAME_LOWER or pairs lo:hi of whole numbers", text)
		}
		v.Amounts = append(v.Amounts, [2]int{a, b})
	}
	return v, nil
}

// pairsText formats pairs as the command line has them.
func pairsText(pairs [][2]int) string {
	words := make([]string, len(pairs))
	for i, p := range pairs {
		words[i] = fmt.Sprintf("%d:%d", p[0], p[1])
	}
	return strings.Join(words, ",")
}
