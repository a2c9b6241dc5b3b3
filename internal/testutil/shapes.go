package testutil

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
)

// Shape is a line of samples/shapes: windows over an input, by name.
type Shape struct {
	Name, Text string
	N, C       int
	Spatial    []int
	Window     geom.Window
}

// Geometry resolves the shape, for pooling or not.
func (s Shape) Geometry(t testing.TB, pooling bool) geom.Geometry {
	t.Helper()
	w := s.Window
	w.Pooling = pooling
	g, err := geom.Resolve(s.N, s.Spatial, s.C, w)
	if err != nil {
		t.Fatalf("%s: %v", s.Text, err)
	}
	return g
}

// Shapes reads every list of named shapes of a folder.
func Shapes(t testing.TB, folder string) []Shape {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no shapes in %s: %v", folder, err)
	}
	var list []Shape
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			if strings.HasPrefix(line, "#") {
				continue
			}
			s, err := parseShape(line)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, i+1, err)
			}
			list = append(list, s)
		}
	}
	return list
}

var (
	shapeLine = regexp.MustCompile(`^(n(\d+)((?:[dhw]\d+)+)c(\d+)_k([\dx]+)_s([\dx]+)_p(SAME|VALID|SAME_LOWER|[\d:,]+)_d([\dx]+)) (\S+)$`)
	extent    = regexp.MustCompile(`\d+`)
)

func parseShape(line string) (Shape, error) {
	m := shapeLine.FindStringSubmatch(line)
	if m == nil {
		return Shape{}, fmt.Errorf("%q is no descriptor and a name", line)
	}
	s := Shape{Name: m[9], Text: m[1], N: numbers(m[2])[0], C: numbers(m[4])[0], Spatial: numbers(m[3])}
	s.Window = geom.Window{Size: numbers(m[5]), Stride: numbers(m[6]), Dilation: numbers(m[8])}
	switch m[7] {
	case "VALID":
	case "SAME":
		s.Window.Padding = geom.Same
	case "SAME_LOWER":
		s.Window.Padding = geom.SameLower
	default:
		s.Window.Padding = geom.Explicit
		amounts := numbers(m[7])
		for i := 0; i+1 < len(amounts); i += 2 {
			s.Window.Amounts = append(s.Window.Amounts, [2]int{amounts[i], amounts[i+1]})
		}
	}
	return s, nil
}

// numbers returns the whole numbers in a text that matches the pattern.
func numbers(text string) []int {
	var list []int
	for _, word := range extent.FindAllString(text, -1) {
		n, _ := strconv.Atoi(word)
		list = append(list, n)
	}
	return list
}
