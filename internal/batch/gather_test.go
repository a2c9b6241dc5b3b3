package batch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tree makes files below a new folder and makes that the current folder.
func tree(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, name := range names {
		write(t, filepath.FromSlash(name), name)
	}
}

// found lists the inputs of sources as PATH=DIR|STEM.
func found(t *testing.T, s Sources) []string {
	t.Helper()
	items, err := Gather(s)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i, item := range items {
		if item.Index != i+1 {
			t.Errorf("%s has index %d, want %d", item.Path, item.Index, i+1)
		}
		list = append(list, fmt.Sprintf("%s=%s|%s", filepath.ToSlash(item.Path), item.Dir, item.Stem))
	}
	return list
}

func TestFoldersAreWalkedByName(t *testing.T) {
	tree(t, "p/b.png", "p/a.JPG", "p/sub/c.npy", "p/sub/deep/d.tif", "p/.hidden.png", "p/.dir/e.png", "p/notes.txt", "p/a/z.gif", "q.webp")
	got := found(t, Sources{Args: []string{"q.webp", "p"}})
	want := []string{"q.webp=|q", "p/a/z.gif=a|z", "p/a.JPG=|a", "p/b.png=|b", "p/sub/c.npy=sub|c", "p/sub/deep/d.tif=sub/deep|d"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPatterns(t *testing.T) {
	tree(t, "p/b.png", "p/a.png", "p/sub/c.png", "p/sub/c.txt", "p/.h.png", "p/[x].png", "p/d.jpg")
	for pattern, want := range map[string][]string{
		"p/*.png":        {"p/[x].png=|[x]", "p/a.png=|a", "p/b.png=|b"},
		"p/?.png":        {"p/a.png=|a", "p/b.png=|b"},
		"p/**/*.png":     {"p/[x].png=|[x]", "p/a.png=|a", "p/b.png=|b", "p/sub/c.png=sub|c"},
		"p/*/*":          {"p/sub/c.png=sub|c", "p/sub/c.txt=sub|c"},
		"p/{a,d}.*":      {"p/a.png=|a", "p/d.jpg=|d"},
		"p/[ab].png":     {"p/a.png=|a", "p/b.png=|b"},
		"p/.*.png":       {"p/.h.png=|.h"},
		"p/[x].png":      {"p/[x].png=|[x]"}, // a file of that name goes first
		`*/su*/[a-c].p*`: {"p/sub/c.png=p/sub|c"},
	} {
		if got := found(t, Sources{Args: []string{pattern}}); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

func TestAFileFoundTwiceIsOneInput(t *testing.T) {
	tree(t, "p/a.png", "p/b.png")
	got := found(t, Sources{Args: []string{"p/b.png", "./p/b.png", "p", "p/*.png"}})
	if want := []string{"p/b.png=|b", "p/a.png=|a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLists(t *testing.T) {
	tree(t, "p/a.png", "p/b c.png", "p/*.png", "list")
	for _, text := range []string{"p/*.png\r\np/b c.png\n\np/a.png", "p/*.png\x00p/b c.png\x00p/a.png\x00"} {
		want := []string{"p/*.png=|*", "p/b c.png=|b c", "p/a.png=|a"}
		if got := found(t, Sources{FilesFrom: "-", Stdin: strings.NewReader(text)}); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		write(t, "list", text)
		if got := found(t, Sources{FilesFrom: "list"}); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestTheOutputFolderIsNoInput(t *testing.T) {
	tree(t, "p/a.png", "p/out/a/x.npy")
	if got, want := found(t, Sources{Args: []string{"p"}, Output: "p/out"}), []string{"p/a.png=|a"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	var usage *UsageError
	if _, err := Gather(Sources{Args: []string{"p"}, Output: "./p"}); !errors.As(err, &usage) {
		t.Errorf("the output folder as input: got %v", err)
	}
}

func TestLinksAreFollowedButNotInCircles(t *testing.T) {
	tree(t, "p/a.png", "other/b.png")
	link(t, filepath.Join("..", "other"), "p/linked")
	link(t, "nowhere.png", "p/broken.png")
	got := found(t, Sources{Args: []string{"p"}})
	if want := []string{"p/a.png=|a", "p/broken.png=|broken", "p/linked/b.png=linked|b"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	link(t, "..", "p/up")
	if _, err := Gather(Sources{Args: []string{"p/linked", "p"}}); err == nil || !strings.Contains(err.Error(), "is a link to a folder that contains it") {
		t.Errorf("a link to the folder above: got %v", err)
	}
}

// TestLinksThatBranchEnd walks folders whose links make 2^20 paths.
func TestLinksThatBranchEnd(t *testing.T) {
	tree(t, "d0/x.png")
	for i := 1; i <= 20; i++ {
		if err := os.Mkdir(fmt.Sprintf("d%d", i), 0o777); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			link(t, fmt.Sprintf("../d%d", i-1), fmt.Sprintf("d%d/%s", i, name))
		}
	}
	var limit *LimitError
	if _, err := Gather(Sources{Args: []string{"d20"}}); !errors.As(err, &limit) {
		t.Errorf("got %v, want a limit", err)
	}
}

func link(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, filepath.FromSlash(name)); err != nil {
		t.Fatal(err)
	}
}

func TestSourcesThatGiveNothingAreRefused(t *testing.T) {
	tree(t, "empty/notes.txt", "list")
	for _, s := range []Sources{
		{Args: []string{"empty"}}, {Args: []string{"empty/*.png"}}, {Args: []string{"nowhere/*.png"}}, {Args: []string{"empty/[.png"}},
		{FilesFrom: "-", Stdin: strings.NewReader("\n")}, {FilesFrom: "missing"}, {FilesFrom: "-"},
	} {
		if items, err := Gather(s); err == nil {
			t.Errorf("%v: got %v, want an error", s, items)
		}
	}
	// A missing file fails in its turn, and the others do not.
	if got := found(t, Sources{Args: []string{"gone.png", "list"}}); len(got) != 2 {
		t.Errorf("got %q", got)
	}
}

func TestSingle(t *testing.T) {
	tree(t, "p/a.png")
	for _, c := range []struct {
		s    Sources
		want bool
	}{
		{Sources{Args: []string{"p/a.png"}}, true}, {Sources{Args: []string{"gone.png"}}, true}, {Sources{Args: []string{"-"}}, true},
		{Sources{Args: []string{"p"}}, false}, {Sources{Args: []string{"p/*.png"}}, false},
		{Sources{Args: []string{"p/a.png", "b"}}, false}, {Sources{FilesFrom: "-"}, false},
	} {
		if got := c.s.Single(); got != c.want {
			t.Errorf("%v: got %v", c.s, got)
		}
	}
}
