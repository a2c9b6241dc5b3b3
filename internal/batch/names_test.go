package batch

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
)

// outputsOf names the outputs of inputs, below out.
func outputsOf(template string, products []Product, args ...string) ([]string, error) {
	items, err := Gather(Sources{Args: args, Output: "out"})
	if err != nil {
		return nil, err
	}
	n, err := NewNamer("out", template, products)
	if err != nil {
		return nil, err
	}
	if err := n.Name(items, imgio.NewFiles(false), false); err != nil {
		return nil, err
	}
	var list []string
	for i := range items {
		for _, name := range items[i].Outputs() {
			list = append(list, filepath.ToSlash(name))
		}
	}
	return list, nil
}

var two = []Product{{"pool1", ".npy"}, {"pool1", ".argmax.npy"}}

func TestTemplates(t *testing.T) {
	tree(t, "p/a.b.png", "p/s/c.png", "p/s/..png", "p/...png", "p/.h", "q/w.npz")
	const hash = "6e5b07ba2e834605" // of "p/s/c.png", by sha256sum
	for _, c := range []struct {
		template string
		args     []string
		want     []string
	}{
		{DefaultTemplate, []string{"p/a.b.png"}, []string{"out/a.b/pool1.npy", "out/a.b/pool1.argmax.npy"}},
		{DefaultTemplate, []string{"p"}, []string{"out/a.b/pool1.npy", "out/a.b/pool1.argmax.npy", "out/s/c/pool1.npy", "out/s/c/pool1.argmax.npy"}},
		{"{index}-{stem}_{step}{ext}", []string{"p/s/c.png"}, []string{"out/1-c_pool1.npy", "out/1-c_pool1.argmax.npy"}},
		{"x/{parent}/{step}{ext}", []string{"p/s/c.png"}, []string{"out/x/s/pool1.npy", "out/x/s/pool1.argmax.npy"}},
		{"{hash}{ext}", []string{"p/s/c.png"}, []string{"out/" + hash + ".npy", "out/" + hash + ".argmax.npy"}},
		{DefaultTemplate, []string{"p/s/..png"}, []string{"out/..png/pool1.npy", "out/..png/pool1.argmax.npy"}},
		{DefaultTemplate, []string{"p/...png"}, []string{"out/...png/pool1.npy", "out/...png/pool1.argmax.npy"}},
		{DefaultTemplate, []string{"p/.h"}, []string{"out/.h/pool1.npy", "out/.h/pool1.argmax.npy"}},
		{DefaultTemplate, []string{"q/w.npz#a/b"}, []string{"out/w.a_b/pool1.npy", "out/w.a_b/pool1.argmax.npy"}},
	} {
		got, err := outputsOf(c.template, two, c.args...)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s of %q: got %q, %v, want %q", c.template, c.args, got, err, c.want)
		}
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	for template, why := range map[string]string{
		"{stem}":              "{ext} at the end",
		"{stem}{ext}x":        "{ext} at the end",
		"{ext}/":              "{ext} at the end",
		"/tmp/{stem}{ext}":    "below the output folder",
		"../{stem}{ext}":      "without ..",
		"a/../../{stem}{ext}": "without ..",
		"{name}{ext}":         "{name} is no field",
		"{stem{ext}":          "{stem{ext} is no field",
		"{stem{ext":           "is no field",
	} {
		_, err := NewNamer("out", template, two)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, want %q", template, err, why)
		}
	}
}

func TestOutputsThatAreRefused(t *testing.T) {
	tree(t, "p/a.png", "p/a.jpg", "p/s/a.png", "out/a/pool1.npy", "q/pool1.npy")
	for _, c := range []struct {
		template string
		args     []string
		why      string
	}{
		{DefaultTemplate, []string{"p/a.png", "p/a.jpg"}, "p/a.png and p/a.jpg would both be written to out/a/pool1.npy"},
		{DefaultTemplate, []string{"p/*.*"}, "would both be written to"},
		{"{stem}{ext}", []string{"p"}, "would both be written to"},
		{DefaultTemplate, []string{"p/s/a.png", "p/a.png"}, "would both be written to"},
		{"{step}{ext}", []string{"p/a.png", "p/a.jpg"}, "would both be written to"},
		{DefaultTemplate, []string{"p/.poolctl.png"}, "want a name below the output folder"},
		{"a/{stem}{ext}", []string{"out/a/pool1.npy"}, "is also the input"},
	} {
		_, err := outputsOf(c.template, two, c.args...)
		var usage *UsageError
		if !errors.As(err, &usage) || !strings.Contains(filepath.ToSlash(err.Error()), c.why) {
			t.Errorf("%s of %q: got %v, want %q", c.template, c.args, err, c.why)
		}
	}
	if _, err := outputsOf("{stem}{ext}", []Product{{"a", ".npy"}, {"b", ".npy"}}, "p/a.png"); err == nil || !strings.Contains(err.Error(), "two outputs of one name") {
		t.Errorf("got %v", err)
	}
	// A hard link is the same file under another name.
	if err := hardLink("out/a/pool1.npy", "q/in.npy"); err != nil {
		t.Fatal(err)
	}
	if _, err := outputsOf("a/{step}{ext}", two[:1], "q/in.npy"); err == nil || !strings.Contains(err.Error(), "is also the input") {
		t.Errorf("a hard link: got %v", err)
	}
}
