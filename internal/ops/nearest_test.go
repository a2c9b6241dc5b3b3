package ops

import (
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestUnknownWordsSuggestAllNearest: of several words that are equally near, none
// is preferred.
func TestUnknownWordsSuggestAllNearest(t *testing.T) {
	for text, want := range map[string]string{
		"float":   `(did you mean "float16", "float32" or "float64"?)`,
		"flaot32": `(did you mean "float32"?)`,
		"uint3":   `(did you mean "uint8" or "uint32"?)`,
		"half":    "float64",
	} {
		if err := unknownWord(text, tensor.DTypeNames()); !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}
