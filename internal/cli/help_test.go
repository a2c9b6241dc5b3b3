package cli

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/pflag"
)

// TestHelp reads the help of every command.
func TestHelp(t *testing.T) {
	const widest = defaultWidth // what is written to is no terminal
	for _, cmd := range commands() {
		path := strings.Fields(cmd.CommandPath())[1:]
		var direct, byWord, notes bytes.Buffer
		if code := Main(append(path, "--help"), Streams{nil, &direct, &notes}); code != 0 || notes.Len() > 0 {
			t.Errorf("%s --help: exit code %d, %s", cmd.CommandPath(), code, &notes)
		}
		if code := Main(append([]string{"help"}, path...), Streams{nil, &byWord, &notes}); code != 0 || direct.String() != byWord.String() {
			t.Errorf("help %s differs from %s --help", strings.Join(path, " "), cmd.CommandPath())
		}
		text := direct.String()
		for _, want := range []string{"Usage:", cmd.CommandPath()} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: help lacks %q", cmd.CommandPath(), want)
			}
		}
		for line := range strings.Lines(text) {
			line = strings.TrimSuffix(line, "\n")
			example := strings.HasPrefix(line, "  poolctl ") || strings.HasPrefix(line, "  # ")
			if utf8.RuneCountInString(line) > widest && !example && !strings.HasPrefix(cmd.CommandPath(), "poolctl completion") {
				t.Errorf("%s: %d columns, want <= %d: %s", cmd.CommandPath(), utf8.RuneCountInString(line), widest, line)
			}
		}
		if !cmd.Hidden && cmd.Short == "" {
			t.Errorf("%s: no summary", cmd.CommandPath())
		}
	}
}

// TestFlagTexts checks that every flag has a text and a short word for its
// value.
func TestFlagTexts(t *testing.T) {
	short := regexp.MustCompile(`^[A-Z]*(\|global)?$`)
	for _, cmd := range commands() {
		if strings.HasPrefix(cmd.CommandPath(), "poolctl completion") {
			continue // cobra's own
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			word, text := pflag.UnquoteUsage(f)
			if !short.MatchString(word) {
				t.Errorf("%s --%s: value is called %q, want a short word in capitals", cmd.CommandPath(), f.Name, word)
			}
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s --%s: no text", cmd.CommandPath(), f.Name)
			}
		})
	}
}

func TestWrapKeepsEveryWord(t *testing.T) {
	const width = 50
	long := strings.Repeat("word ", 60)
	for _, text := range []string{long, "short\n\n" + long + "\n", "    y = " + long + "\n", "    SAME     " + long, "  a formula  of two  columns\n"} {
		wrapped := wrap(width, text)
		if got, want := strings.Fields(wrapped), strings.Fields(text); !slices.Equal(got, want) {
			t.Errorf("got the words %q, want %q", got, want)
		}
		for line := range strings.Lines(wrapped) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("%d columns, want <= %d: %s", n, width, line)
			}
		}
	}
	if got, want := wrap(20, "  SAME  one two three four\n"), "  SAME  one two\n        three four\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := wrap(20, "  a formula  of two\n"), "  a formula  of two\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
