package imgio

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

// TestModuleMinimums keeps the modules that read untrusted files at versions without
// known vulnerabilities (pkg.go.dev/vuln).
func TestModuleMinimums(t *testing.T) {
	text, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string // of the module, as a regular expression
		major  int
		minor  int
		reason string
	}{
		{`golang\.org/x/image v`, 0, 47, "GO-2023-1572 to GO-2026-6222 in tiff, bmp, webp and vp8l, the last fixed in v0.45.0"},
		{`go\.yaml\.in/yaml/v4 v`, 4, 0, "GO-2021-0061, GO-2022-0603, GO-2022-0956: alias bombs and panics"},
		{`go\.yaml\.in/yaml/v3 v`, 3, 0, "the same, of the configuration file"},
		{`golang\.org/x/text v`, 0, 3, "GO-2022-1059: quadratic language tags"},
		{`\ngo `, 1, 26, "GO-2021-0240, GO-2024-2888, GO-2026-4342 in archive/zip, the last fixed in Go 1.25.6"},
	} {
		found := regexp.MustCompile(c.name + `(\d+\.\d+)`).FindSubmatch(text)
		if found == nil {
			t.Errorf("go.mod does not name %s", c.name)
			continue
		}
		var major, minor int
		if _, err := fmt.Sscanf(string(found[1]), "%d.%d", &major, &minor); err != nil || major < c.major || major == c.major && minor < c.minor {
			t.Errorf("got %s%s (%v), want >= %d.%d: %s", c.name, found[1], err, c.major, c.minor, c.reason)
		}
	}
}
