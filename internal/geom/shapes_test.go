package geom_test

import (
	"testing"

	"github.com/poolctl/poolctl/internal/testutil"
)

// TestNamedShapesReadBack: every named shape resolves to the geometry that its
// descriptor describes, and names are given once.
func TestNamedShapesReadBack(t *testing.T) {
	names := map[string]bool{}
	for _, s := range testutil.Shapes(t, "../../samples/shapes") {
		g := s.Geometry(t, false)
		if g.String() != s.Text {
			t.Errorf("%s reads back as %s", s.Text, g)
		}
		if names[s.Name] {
			t.Errorf("%s twice", s.Name)
		}
		names[s.Name] = true
	}
}
