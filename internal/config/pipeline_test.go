package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/config"
)

// TestEveryFaultIsToldWithItsPlace holds the whole text of every class of fault:
// where it is, which key, what it was and what it may be.
func TestEveryFaultIsToldWithItsPlace(t *testing.T) {
	const head = "version: 1\nsteps:\n"
	ops := operationNames()
	for text, want := range map[string]string{
		"":                     "net.yaml: is empty, want version and steps",
		"- 1\n":                "net.yaml:1:1: got a list, want version, steps and, where needed, input and save",
		"version: 1\n":         "net.yaml:1:1: steps: missing, want a list of steps",
		"version: 2\nsteps: 3": "net.yaml:1:10: version: got 2, want 1\nnet.yaml:2:8: steps: got 3, want a list of steps",
		"version: '1'\nsteps: []": "net.yaml:1:10: version: got the quoted text \"1\", want 1\n" +
			"net.yaml:2:8: steps: got an empty list, want at least one step",
		head + "  - relu\n":                                                      "net.yaml:3:5: step 1: got relu, want a mapping with name and op",
		head + "  - {op: relu}\n":                                                "net.yaml:3:5: step 1: name: missing, want a name for the step",
		head + "  - {name: a}\n":                                                 "net.yaml:3:5: step 1: op: missing, want one of " + ops,
		head + "  - {name: a, op: relo}\n":                                       "net.yaml:3:19: step 1: op: got \"relo\", want one of " + ops + " (did you mean \"relu\"?)",
		head + "  - {name: input, op: relu}\n":                                   "net.yaml:3:12: step 1: name: got \"input\", which is the pipeline's own input, want another name",
		head + "  - {name: ../a, op: relu}\n":                                    "net.yaml:3:12: step 1: name: got \"../a\", want letters, digits, _, . and -, the first a letter, a digit or _",
		head + "  - {name: 1, op: relu}\n":                                       "net.yaml:3:12: step 1: name: got 1, want the name of a step, in quotes if it looks like a number",
		head + "  - {name: a, op: relu, op: tanh}\n":                             "net.yaml:3:25: a: op: given twice, first in line 3",
		head + "  - {name: a, op: relu, alpha: 1}\n":                             "net.yaml:3:25: a: unknown key \"alpha\", want one of name, op, from, data-format, dtype, relu-gradient",
		head + "  - {name: a, op: relu, dtype: int7}\n":                          "net.yaml:3:32: a: dtype: got \"int7\", want one of " + typeNames() + " (did you mean \"int8\"?)",
		head + "  - {name: a, op: relu}\n  - {name: A, op: relu}\n":              "net.yaml:4:12: step 2: name: got \"A\", which the step in line 3 is called already (case does not matter), want another name",
		head + "  - {name: a, op: relu, from: b}\n  - {name: b, op: relu}\n":     "net.yaml:3:31: a: from: got \"b\", which comes later, want a step before this one",
		head + "  - {name: a, op: relu, from: a}\n":                              "net.yaml:3:31: a: from: got \"a\", the step itself, want a step before it",
		head + "  - {name: aa, op: relu}\n  - {name: b, op: relu, from: ab}\n":   "net.yaml:4:31: b: from: unknown step \"ab\", want one of input, aa (did you mean \"aa\"?)",
		head + "  - {name: a, op: relu, from: [input, input]}\n":                 "net.yaml:3:31: a: from: got 2 steps, want one: relu takes one input",
		head + "  - {name: a, op: add}\n":                                        "net.yaml:3:5: a: from: missing, want a list of two or more steps: add takes several inputs",
		head + "  - {name: a, op: pool, type: max, window: 2.5}\n":               "net.yaml:3:44: a: window: got 2.5, want a whole number in decimal digits without quotes",
		head + "  - {name: a, op: pool, type: max, window: [2, 010]}\n":          "net.yaml:3:48: a: window: got 010, want a whole number in decimal digits without quotes",
		head + "  - {name: a, op: pool, type: max, window: '2'}\n":               "net.yaml:3:44: a: window: got the quoted text \"2\", want a whole number, a list of them such as [2, 2], or global, without quotes",
		head + "  - {name: a, op: pool, type: max, window: [0]}\n":               "net.yaml:3:44: a: window: got 0, want >= 1",
		head + "  - {name: a, op: pool, type: max, window: []}\n":                "net.yaml:3:44: a: window: got an empty list, want a whole number, a list of them such as [2, 2], or global",
		head + "  - {name: a, op: pool, type: max, window: 2, padding: 1}\n":     "net.yaml:3:56: a: padding: got 1, want SAME, VALID, SAME_LOWER or pairs such as [[0, 1], [0, 1]]",
		head + "  - {name: a, op: pool, type: max, window: 2, ceil-mode: yes}\n": "net.yaml:3:58: a: ceil-mode: got yes, want true or false",
		head + "  - {name: a, op: pool, type: max}\n":                            "net.yaml:3:5: a: window: missing, want one of window, output-size and fractional",
		head + "  - {name: a, op: conv2d, filter: 3}\n":                          "net.yaml:3:35: a: filter: got 3, want the name of a file or a filter, in quotes if it looks like a number",
		head + "  - {name: a, op: conv2d, filter: '-'}\n":                        "net.yaml:3:35: a: filter: got the quoted text \"-\", want a file: a pipeline does not read standard input",
		head + "  - {name: a, op: leaky-relu, alpha: low}\n":                     "net.yaml:3:38: a: alpha: got low, want a number in decimal digits without quotes",
		head + "  - {name: a, op: pad, paddings: 1}\n":                           "net.yaml:3:34: a: paddings: got 1, want pairs such as [[0, 1], [0, 1]]",
		head + "  - {name: a, op: relu}\nsave:\n  b: npy\n":                      "net.yaml:5:3: save: unknown step \"b\", want one of input, a",
		head + "  - {name: a, op: relu}\nsave:\n  a: [npy, nyp]\n":               "net.yaml:5:12: save: a: got \"nyp\", want one of npy, png, heatmap, argmax, argmax-png, grad, grad-heatmap (did you mean \"npy\"?)",
		head + "  - {name: a, op: relu}\nsave:\n  a: [npy, npy]\n":               "net.yaml:5:12: save: a: got npy twice, want it once",
		head + "  - {name: a, op: relu}\nsave:\n  a: argmax\n":                   "net.yaml:5:6: save: a: got argmax, but a has no argmax",
		head + "  - {name: a, op: relu}\nsave: npy\n":                            "net.yaml:4:7: save: got npy, want steps with lists, such as pool1: [npy, png]",
		head + "  - &x {name: a, op: relu}\n  - *x\n":                            "net.yaml:3:5: got the anchor &x, want none: anchors are refused\nnet.yaml:4:5: got the alias *x, want the value itself: aliases are refused",
		head + "  - {name: a, op: relu, <<: {dtype: int8}}\n":                    "net.yaml:3:25: got the merge key <<, want the keys themselves: merging is refused",
		head + "  - {name: a, op: !!str relu}\n":                                 "net.yaml:3:19: got the tag !!str, want none: tags are refused",
		head + "  - {name: a, op: relu}\n---\nversion: 1\n":                      "net.yaml:4:1: got a second document, want one",
	} {
		_, err := config.ParsePipeline("net.yaml", []byte(text))
		if err == nil || err.Error() != want {
			t.Errorf("of\n%s\ngot  %v\nwant %s", text, err, want)
		}
	}
}

// TestAPipelineIsWhatItsFileSays reads a file with every section.
func TestAPipelineIsWhatItsFileSays(t *testing.T) {
	p, err := config.ParsePipeline("nets/net.yaml", []byte(`
version: 1
input:
  layout: nchw
  resize: {size: [8, 10], filter: bilinear}
  crop: {size: [4, 4]}
  scale: [1, 2, 3]
  offset: -1
steps:
  - name: conv
    op: conv2d
    filter: weights.npz#w
    filter_format: OIHW
  - {name: act, op: leaky_relu, alpha: -0.5}
  - {name: pad, op: pad, paddings: [[1, 2], [0, 1]], from: input}
  - {name: all, op: concat, from: [act, pad, act], axis: -3}
save:
  act: npy
  input: [png, gradient]
`))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(p.Input.Layout, p.Input.Resize.Size, p.Input.Resize.Filter, p.Input.Crop.Size, p.Input.Crop.At, p.Input.Scale, p.Input.Offset)
	if want := "NCHW [8 10] bilinear [4 4] [] [1 2 3] [-1]\n"; got != want {
		t.Errorf("input: got %s, want %s", got, want)
	}
	for i, want := range []string{
		"conv conv2d [input] filter=weights.npz#w filter-format=OIHW", "act leaky-relu [conv] alpha=-0.5",
		"pad pad [input] paddings=1:2,0:1", "all concat [act pad act] axis=-3",
	} {
		s := p.Steps[i]
		got := fmt.Sprint(s.Name, " ", s.Spec.Name, " ", s.From)
		for _, q := range config.StepParams(s.Op) {
			if s.Given(q.Name) {
				got += " " + q.Name + "=" + q.String()
			}
		}
		if got != want {
			t.Errorf("step %d: got %s, want %s", i+1, got, want)
		}
	}
	if got := p.Steps[0].At("filter-format").String(); got != "nets/net.yaml:13:20" {
		t.Errorf("filter-format stands at %s", got)
	}
	if got := p.Resolve("w.npy"); got != "nets/w.npy" {
		t.Errorf("w.npy is %s", got)
	}
	if got := fmt.Sprint(p.Saved("act").Kinds, p.Saved("input").Kinds, p.Saved("conv").Kinds); got != "[npy] [png grad] []" {
		t.Errorf("saved: %s", got)
	}
}

// TestFilesThatAreMadeToHurt are refused, and soon.
func TestFilesThatAreMadeToHurt(t *testing.T) {
	bomb := "version: 1\na0: &a0 [x, x]\n"
	for i := range 40 {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 9), ", "))
	}
	keys := "version: 1\n"
	for i := range 8000 {
		keys += fmt.Sprintf("k%d: 1\n", i)
	}
	many := "version: 1\nsteps:\n"
	for i := range 300 {
		many += fmt.Sprintf("- {name: a%d, op: relu}\n", i)
	}
	for name, c := range map[string]struct{ text, want string }{
		"aliases":    {bomb, "aliases are refused"},
		"depth":      {"version: 1\nsteps: " + strings.Repeat("[", 2000) + strings.Repeat("]", 2000), ""},
		"flow depth": {"version: 1\nsteps: " + strings.Repeat("{a: ", 5000), ""},
		"size":       {"version: 1\nsteps: [" + strings.Repeat("x, ", 30000) + "]", "got more than 65536 bytes, want at most that"},
		"keys":       {keys[:60000], "unknown key"},
		"steps":      {many[:min(len(many), 60000)], "got 300 steps, want at most 256"},
		"bytes":      {"\x00\xff\xfe", ""},
	} {
		start := time.Now()
		_, err := config.ParsePipeline("net.yaml", []byte(c.text))
		var faults config.PipelineFaults
		if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %.200v, want faults with %q", name, err, c.want)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: took %v", name, took)
		}
	}
}
