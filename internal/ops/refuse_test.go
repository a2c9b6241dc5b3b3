package ops_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// badValues are texts that no parameter of the kind may take, whatever the
// operation.
var badValues = map[string][]string{
	"bool":    {"", "1", "0", "yes", "TRUE", "2.5"},
	"int":     {"", "0", "2.5", "1e3", "true", "many", "1,2", "9223372036854775808", " 1"},
	"count":   {"", "-1", "2.5", "true", "many", "1,2", "2147483648", "9223372036854775808"},
	"number":  {"", "0", "-1", "nan", "true", "many", "1,2"},
	"ints":    {"", "0", "-1", "2.5", "true", "many", ",", "2,,2", "2x", "1,2,3,4", "2147483648", "4611686018427387904", "9223372036854775808"},
	"signed":  {"", "2.5", "true", "many", ",", "2,,2", "2x", "1,2,3,4,5,6", "9223372036854775808"},
	"numbers": {"", "0", "-1", "0.5", "nan", "inf", "true", "many", "1,2,3,4", "2147483648", "4611686018427387904"},
	"shape":   {"", "0", "-1", "2.5", "true", "many", "1,2,3,4,5,6", "4611686018427387904,4611686018427387904,1,1", "1,-4,4,3"},
	"choice":  {"", "0", "-1", "2.5", "true", "nonsense"},
	"window":  {"", "0", "-1", "2.5", "true", "globe", ",", "1,2,3,4", "2147483648", "4611686018427387904"},
	"padding": {"", "0", "1", "true", "SAMe_LOWER2", "1:", ":1", "1:2:3", "1.5:0", "-1:0", "0:-7", "2147483648:0", "0:4611686018427387904", "1:1,1:1,1:1,1:1", "0:0,0:0,0:0,0:0,0:0,0:0,0:0"},
	"tensor":  {""},
}

// TestBadValuesAreRefused: every kind of nonsense, for every parameter of every
// operation, is refused by Set, Check or Plan. The error names the parameter,
// the value and the rule, and never is a panic.
func TestBadValuesAreRefused(t *testing.T) {
	for _, spec := range ops.Table {
		for _, p := range spec.New().Params() {
			if badValues[p.Kind.Name] == nil {
				t.Errorf("%s: %s: no bad values of kind %s", spec.Name, p.Name, p.Kind.Name)
			}
			for _, bad := range badValues[p.Kind.Name] {
				t.Run(fmt.Sprintf("%s %s=%s", spec.Name, p.Name, bad), func(t *testing.T) {
					err := attempt(t, spec, p.Name, bad)
					if err == nil {
						t.Fatal("accepted")
					}
					checkRefusal(t, err, p.Name, bad)
				})
			}
		}
	}
}

// attempt sets one parameter among those of a fixture that uses it, if there is
// one, and plans.
func attempt(t *testing.T, spec ops.Spec, name, value string) error {
	t.Helper()
	list := fixtures[spec.Name]
	at := max(0, slices.IndexFunc(list, func(f fixture) bool {
		_, uses := f.values()[name]
		return uses
	}))
	op := list[at].op(t, spec)
	if err := ops.Set(op, name, value); err != nil {
		var field *geom.Error
		if !errors.As(err, &field) || field.Field != name {
			t.Errorf("%v does not name %s", err, name)
		}
		return err
	}
	if err := op.Check(); err != nil {
		if usage := new(ops.UsageError); !errors.As(err, &usage) {
			t.Errorf("Check says %v, which is no *UsageError", err)
		}
		return err
	}
	_, err := op.Plan(list[at].specs(tensor.Float32), wantAll(op))
	if err != nil && !typed(err) {
		t.Errorf("Plan says %v, which is neither *UsageError nor *DataError", err)
	}
	return err
}

// checkRefusal: the message holds the parameter, the value or how many there
// are, and what is wanted.
func checkRefusal(t *testing.T, err error, name, value string) {
	t.Helper()
	text := err.Error()
	if !strings.Contains(text, name) || !strings.Contains(text, "want") && !strings.Contains(text, "do not fit") && !strings.Contains(text, "does not fit") {
		t.Errorf("%q names no field %s, or no rule", text, name)
	}
	parts := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ':' || r == 'x' })
	shown := strings.Contains(text, fmt.Sprintf("%q", value)) || value == "" && strings.Contains(text, "empty") ||
		strings.Contains(text, fmt.Sprintf("got %d numbers", strings.Count(value, ",")+1)) || strings.Contains(text, fmt.Sprintf("got %d pairs", strings.Count(value, ",")+1))
	for _, part := range parts {
		shown = shown || strings.Contains(text, part)
	}
	if n := 0.0; !shown {
		if _, scanErr := fmt.Sscan(value, &n); scanErr != nil || !strings.Contains(text, fmt.Sprint(n)) {
			t.Errorf("%q does not show the value %q", text, value)
		}
	}
}

// TestRefusalsInFull holds whole messages, one for each kind of rule.
func TestRefusalsInFull(t *testing.T) {
	for _, c := range []struct{ op, params, want string }{
		{"pool", "", "pool: type: missing, want one of max, avg, min, sum, lp, median, rank, std, var"},
		{"pool", "type=mx", `type: got "mx", want one of max, avg, min, sum, lp, median, rank, std, var (did you mean "max"?)`},
		{"pool", "type=max", "pool: window: missing, want one of --window, --output-size and --fractional"},
		{"pool", "type=max window=2 output-size=3", "pool: window: got --window 2 and --output-size 3, want only one of them"},
		{"pool", "type=rank window=2", "pool: rank: missing, want a whole number with --type rank: 0 is the smallest cell of a window"},
		{"pool", "type=rank rank=4 window=2", "pool: rank: got 4, want at most 3 (the smallest window has 4 real cells)"},
		{"pool", "type=rank rank=1 window=2 padding=1:1", "pool: rank: got 1, want 0 (the smallest window has one real cell)"},
		{"pool", "type=max rank=1 window=2", "pool: rank: only applies with --type rank"},
		{"pool", "type=median window=2 p=3", "pool: p: only applies with --type lp"},
		{"pool", "type=max window=2.5", `window: got "2.5", want a whole number, or global`},
		{"pool", "type=max window=2 strides=0", "pool: strides: got 0, want >= 1"},
		{"pool", "type=max window=2 dilations=2147483648", "pool: dilations: got 2147483648, want <= 2147483647"},
		{"pool", "type=max window=2 padding=sam", `padding: got "sam", want SAME, VALID, SAME_LOWER or pairs lo:hi of whole numbers`},
		{"pool", "type=max window=2 padding=2:0", "pool: padding: got 2:0 in height, want each smaller than the window's 2 cells"},
		{"pool", "type=max output-size=3 strides=1", "pool: strides: only applies with --window"},
		{"pool", "type=max window=2 divisor=3", "pool: divisor: only applies with --type avg"},
		{"pool", "type=avg window=2 divisor=0", "divisor: got 0, want any other whole number"},
		{"pool", "type=lp window=2 p=0", "p: got 0, want > 0"},
		{"pool", "type=lp window=2 p=nan", `p: got "nan", want a number`},
		{"pool", "type=avg window=2 p=3", "pool: p: only applies with --type lp"},
		{"pool", "type=max fractional=0.5", "pool: fractional: got 0.5, want a finite ratio >= 1"},
		{"pool", "type=max window=2 nan=maybe", `nan: got "maybe", want one of propagate, ignore`},
		{"pool", "type=max window=2 ceil-mode=1", `ceil-mode: got "1", want true or false`},
		{"pool", "type=max window=2 stride=1", `unknown parameter: got "stride", want one of type, window, strides, padding, dilations, empty, ceil-mode, count-include-pad, divisor, linear-light, p, rank, nan, output-size, fractional, seed, pseudo-random, overlapping, argmax-index, include-batch-in-index, data-format, dtype (did you mean "strides"?)`},
		{"pool", "type=max window=2 dtype=float31", `dtype: got "float31", want one of ` + strings.Join(tensor.DTypeNames(), ", ") + ` (did you mean "float32"?)`},
		{"conv2d", "", "conv2d: filter: missing, want a file or one of sobel-x, sobel-y, laplacian, emboss, identity, gaussian:SIZE:SIGMA, box:SIZE, NAME:SHAPE:SEED of a random one (uniform, normal, glorot-uniform, glorot-normal, he-uniform, he-normal), zeros:SHAPE, ones:SHAPE"},
		{"conv2d", "filter=box:3 groups=2", "conv2d: groups: got 2 with the filter box:3, want none: a named filter applies to every channel separately"},
		{"conv2d", "filter=f groups=0", "groups: got 0, want >= 1"},
		{"unpool", "argmax=a", "unpool: output-shape: missing, want the whole shape of the output"},
		{"unpool", "output-shape=1,2,2,1", "unpool: argmax: missing, want a file"},
		{"unpool", "argmax=a output-shape=1,4611686018427387904,2,1", "unpool: output-shape: sizes (1,4611686018427387904,2,1): their product does not fit in 63 bits"},
	} {
		spec, err := ops.Lookup(c.op)
		if err != nil {
			t.Fatal(err)
		}
		op := spec.New()
		for word := range strings.FieldsSeq(c.params) {
			name, value, _ := strings.Cut(word, "=")
			if err == nil {
				err = ops.Set(op, name, value)
			}
		}
		if err == nil {
			_, err = op.Plan([]tensor.Spec{{DType: tensor.Float32, Shape: tensor.Shape{1, 9, 8, 3}}, {DType: tensor.Float32, Shape: tensor.Shape{3, 3, 3, 1}}}, ops.Want{})
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%s %s:\ngot  %v\nwant %s", c.op, c.params, err, c.want)
		}
	}
}

// TestNearestNames: what is suggested for a slip, and what is too far off.
func TestNearestNames(t *testing.T) {
	known := []string{"strides", "padding", "window", "dilations", "p"}
	for word, want := range map[string]string{
		"stride": "strides", "strdies": "strides", "paddin": "padding", "windows": "window", "dilation": "dilations",
		"winow": "window", "": "", "q": "", "banana": "", "wiw": "", "stripes": "strides",
	} {
		if got := ops.Nearest(word, known); got != want {
			t.Errorf("%q suggests %q, want %q", word, got, want)
		}
	}
	if _, err := ops.Lookup("pol"); err == nil || !strings.HasSuffix(err.Error(), `(did you mean "pool"?)`) {
		t.Errorf("got %v", err)
	}
	for _, spec := range ops.Table {
		if found, err := ops.Lookup(spec.Name); err != nil || found.Name != spec.Name {
			t.Errorf("%s: %v", spec.Name, err)
		}
	}
}

// TestUnknownCPULevelsAreRefused: every operation says which levels there are,
// rather than taking one.
func TestUnknownCPULevelsAreRefused(t *testing.T) {
	t.Setenv(kernel.Variable, "sse9")
	const want = `: POOLCTL_CPU: got "sse9", want one of generic, avx2, avx512`
	eachFixture(t, func(t *testing.T, spec ops.Spec, f fixture) {
		op := f.op(t, spec)
		if _, err := op.Plan(f.specs(tensor.Float32), wantAll(op)); err == nil || err.Error() != spec.Name+want {
			t.Errorf("got %v, want %s%s", err, spec.Name, want)
		}
	})
}
