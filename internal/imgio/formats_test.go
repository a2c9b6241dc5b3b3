package imgio

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
)

// TestFormatsAreComplete: every row of the table says what its kind needs, and no
// two have a name or an extension in common.
func TestFormatsAreComplete(t *testing.T) {
	names := map[string]bool{}
	for _, f := range formats {
		kinds := 0
		for _, is := range []bool{f.Picture != nil, f.Array != nil, f.Archive != nil, f.Drawing} {
			if is {
				kinds++
			}
		}
		if kinds != 1 {
			t.Errorf("%s: got %d kinds, want 1", f.Name, kinds)
		}
		for _, name := range slices.Concat([]string{f.Name}, f.Extensions, f.Aliases) {
			if names[name] || name != strings.ToLower(name) {
				t.Errorf("%s: got name %q, want one in lower case that no other format has", f.Name, name)
			}
			names[name] = true
		}
		if len(f.Extensions) == 0 || f.Drawing == f.Read() {
			t.Errorf("%s: got %d extensions, read %t", f.Name, len(f.Extensions), f.Read())
		}
		for _, magic := range f.Magic {
			if len(magic) > format.HeadLength {
				t.Errorf("%s: magic %q is longer than what is looked at", f.Name, magic)
			}
		}
		if e := f.Encoder(); e != nil && (e.MaxSide <= 0 || e.Write == nil || e.Follows && e.Check != nil) {
			t.Errorf("%s: got encoder %+v", f.Name, e)
		}
		if a := f.Archive; a != nil && a.Write != nil && (a.Member == "" || a.Fault == nil) {
			t.Errorf("%s: got archive %+v", f.Name, a)
		}
	}
}

// TestFilesAreRecognised by content, whatever the name, as the format in whose
// folder they lie.
func TestFilesAreRecognised(t *testing.T) {
	for _, file := range pictures(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		f, err := recognise(imgiotest.File(data))
		if folder, _, _ := strings.Cut(filepath.ToSlash(file), "/"); err != nil || f.Name != folder {
			t.Errorf("%s: recognised as %+v, %v", file, f, err)
		}
	}
}

// TestEveryEncoder writes pictures of every number of channels and both depths
// in every format, under each of its extensions: either they are refused with a
// reason, or what is read back has their size.
func TestEveryEncoder(t *testing.T) {
	for _, f := range formats {
		if f.Encoder() == nil {
			continue
		}
		for _, ext := range slices.Concat(f.Extensions, f.Aliases) {
			name := filepath.Join(t.TempDir(), "a"+ext)
			written := 0
			for _, depth := range []int{8, 16} {
				for channels := 1; channels <= 4; channels++ {
					label := fmt.Sprintf("%s, %d channels of %d bits", ext, channels, depth)
					x := imgiotest.RandomPicture(1, depth, 6, 11, channels)
					o := Output{Name: name, Tensor: x, Depth: depth}
					if o.Encoding(x.Spec) < 0 {
						t.Errorf("%s: got %d bytes of memory", label, o.Encoding(x.Spec))
					}
					if _, err := WriteAll([]Output{o}, WriteOptions{}); err != nil {
						imgiotest.WantError(t, err, "a"+ext+": "+f.Name+": got ", "write a ")
						continue
					}
					written++
					got, info := mustRead(t, name, Options{})
					if info.Format != f.Name || got.Shape[1] != 6 || got.Shape[2] != 11 || info.Depth == 16 && !f.Encoder().Deep {
						t.Errorf("%s: got %+v", label, info)
					}
				}
			}
			if written == 0 && ext != ".pbm" { // which takes two levels
				t.Errorf("%s: no picture could be written", ext)
			}
		}
	}
}

// TestPagesListEveryFormat: the pages say what the table says.
func TestPagesListEveryFormat(t *testing.T) {
	page := func(name string) string {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	table, readme := page("docs/formats.md"), strings.ToLower(page("README.md"))
	for _, f := range formats {
		row := fmt.Sprintf("| %s | %s |", f.Name, strings.Join(slices.Concat(f.Extensions, f.Aliases), ", "))
		if !strings.Contains(table, row) {
			t.Errorf("docs/formats.md has no row %q", row)
		}
		if f.IsInput() && !strings.Contains(readme, f.Name) {
			t.Errorf("README.md does not name %s", f.Name)
		}
	}
	if !strings.Contains(page("docs/batches.md"), "all "+InputExtensions()+" files") {
		t.Errorf("docs/batches.md does not list %s", InputExtensions())
	}
}
