package cli

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/ops"
)

// choiceValue is a flag that takes one of a few words; case does not matter.
type choiceValue struct {
	field *string
	words []string
}

func (v *choiceValue) String() string { return *v.field }
func (v *choiceValue) Type() string   { return strings.Join(v.words, "|") }
func (v *choiceValue) Set(text string) error {
	i := slices.IndexFunc(v.words, func(w string) bool { return strings.EqualFold(w, text) })
	if i < 0 {
		return fmt.Errorf("got %q, want one of %s", text, strings.Join(v.words, ", "))
	}
	*v.field = v.words[i]
	return nil
}

// intsValue is a flag that takes a list of whole numbers.
type intsValue struct{ field *[]int }

func (v *intsValue) String() string {
	words := make([]string, len(*v.field))
	for i, n := range *v.field {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, ",")
}
func (v *intsValue) Type() string { return "ints" }
func (v *intsValue) Set(text string) (err error) {
	*v.field, err = ops.ParseInts(text)
	return err
}

// shapesValue is a flag that may be given again, each time with a list of whole
// numbers.
type shapesValue struct{ field *[][]int }

func (v *shapesValue) String() string {
	var words []string
	for i := range *v.field {
		words = append(words, (&intsValue{&(*v.field)[i]}).String())
	}
	return strings.Join(words, " ")
}
func (v *shapesValue) Type() string { return "ints" }
func (v *shapesValue) Set(text string) error {
	list, err := ops.ParseInts(text)
	if err == nil {
		*v.field = append(*v.field, list)
	}
	return err
}

// byteSize is a flag that takes an amount of memory: 512MiB, 4GiB, 4G, 1000000.
type byteSize int

var byteUnits = []struct {
	name string
	size float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40}, {"", 1}, // 4G is 4GiB, as for Docker and systemd
}

func (b *byteSize) Type() string { return "bytes" }

func (b *byteSize) String() string { return formatBytes(int(*b)) }

func (b *byteSize) Set(text string) error {
	for _, unit := range byteUnits {
		number, ok := cutSuffixFold(text, unit.name)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if err != nil || v <= 0 || v*unit.size >= math.MaxInt64 || math.IsNaN(v) {
			break
		}
		*b = byteSize(v * unit.size)
		return nil
	}
	return fmt.Errorf("got %q, want an amount of memory > 0 such as 512MiB, 4GiB or a number of bytes", text)
}

func cutSuffixFold(text, suffix string) (string, bool) {
	at := len(text) - len(suffix)
	if at < 0 || !strings.EqualFold(text[at:], suffix) {
		return "", false
	}
	return text[:at], true
}

// formatBytes formats an amount of memory with a unit.
func formatBytes(n int) string {
	size, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, next
	}
	return strconv.FormatFloat(math.Round(size*10)/10, 'f', -1, 64) + " " + unit
}

// paramValue is an operation's parameter as a flag.
type paramValue struct{ ops.Param }

// Type returns the short word that help shows for the value.
func (v *paramValue) Type() string { return v.Placeholder() }

// addParams declares an operation's parameters as flags, except those named.
func addParams(flags *pflag.FlagSet, params []ops.Param, except ...string) {
	for _, p := range params {
		if slices.Contains(except, p.Name) {
			continue
		}
		doc := p.Doc
		if len(p.Choices) > 0 {
			doc += ": " + strings.Join(p.Choices, ", ")
		}
		if p.Required {
			doc += " (required)"
		}
		f := flags.VarPF(&paramValue{p}, p.Name, "", doc)
		f.DefValue = p.Default
		if p.Kind.Item == ops.ItemBool {
			f.NoOptDefVal = "true"
		}
	}
}
