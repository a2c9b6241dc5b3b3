package samples

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A clone stays small: what one file, and all of them, may weigh.
const (
	maxFile  = 500_000
	maxTotal = 2_500_000
)

// inputs lists the data files of this folder with their sizes in bytes.
func inputs(t *testing.T) map[string]int64 {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	sizes := map[string]int64{}
	for _, e := range entries {
		if e.IsDir() || strings.HasSuffix(e.Name(), ".go") || e.Name() == "README.md" {
			continue
		}
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		sizes[e.Name()] = info.Size()
	}
	if len(sizes) == 0 {
		t.Fatal("no sample found")
	}
	return sizes
}

func TestEverySampleIsDescribedAndEveryDescribedSampleExists(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	// A row: | [name](name) | shape | dtype | what it shows | source | licence |, no cell empty.
	row := regexp.MustCompile(`(?m)^\| \[([^\]]+)\]\(([^)]+)\)((?: \| [^|]+){5}) \|$`)
	described := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		if m[1] != m[2] {
			t.Errorf("README.md: %s links to %s", m[1], m[2])
		}
		described[m[1]] = true
	}
	sizes := inputs(t)
	for name := range sizes {
		if !described[name] {
			t.Errorf("%s: no row in README.md", name)
		}
	}
	for name := range described {
		if _, ok := sizes[name]; !ok {
			t.Errorf("README.md: %s is no file of this folder", name)
		}
	}
}

func TestSamplesAreSmall(t *testing.T) {
	var total int64
	for name, size := range inputs(t) {
		total += size
		if size > maxFile {
			t.Errorf("%s: got %d bytes, want <= %d", name, size, maxFile)
		}
	}
	if total > maxTotal {
		t.Errorf("all samples: got %d bytes, want <= %d", total, maxTotal)
	}
}
