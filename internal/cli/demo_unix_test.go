//go:build unix

package cli

import (
	"os/exec"
	"strings"
	"testing"
)

// TestShellWordsAreReadBack gives quoted words to a shell and checks that it
// reads the same words.
func TestShellWordsAreReadBack(t *testing.T) {
	words := []string{
		"pool", "--type", "demo-out/x.png", "new dir/x", "it's", "'", "$HOME", "`id`", "a;b", "a&&b", "*", "~", "~/x", "#x", "!x", "", "a\\b", "\"", "(x)",
		"tab\there", "line\nbreak", "grüße", "{a,b}", "x>y", "a|b", "-o", "[a]", "?", "FILE.npz#a", "a=b",
	}
	var quoted []string
	for _, word := range words {
		quoted = append(quoted, shellWord(word))
	}
	out, err := exec.Command("sh", "-c", `printf '%s\0' `+strings.Join(quoted, " ")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(got) != len(words) {
		t.Fatalf("%d words became %d: %q", len(words), len(got), got)
	}
	for i, word := range words {
		if got[i] != word {
			t.Errorf("%q, written %s, is read as %q", word, quoted[i], got[i])
		}
	}
	for _, word := range []string{"pool", "--window", "2x2", "demo-out/max.png", "1,2"} {
		if shellWord(word) != word {
			t.Errorf("%s is quoted for no reason", word)
		}
	}
}
