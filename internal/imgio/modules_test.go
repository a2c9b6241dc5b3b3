package imgio

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// TestModuleMinimum keeps golang.org/x/image at or above v0.47.0: below v0.45.0
// its TIFF and WebP decoders have known faults that a hostile file can use.
func TestModuleMinimum(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`golang\.org/x/image (v\S+)`).FindSubmatch(text)
	if found == nil {
		t.Fatal("go.mod does not name golang.org/x/image")
	}
	var major, minor int
	if _, err := fmt.Sscanf(string(found[1]), "v%d.%d.", &major, &minor); err != nil || major == 0 && minor < 47 {
		t.Errorf("got golang.org/x/image %s (%v), want >= v0.47.0", found[1], err)
	}
}
