package cli

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// commands lists every command of the program, the root first.
func commands() []*cobra.Command {
	var list []*cobra.Command
	var add func(*cobra.Command)
	add = func(c *cobra.Command) {
		list = append(list, c)
		for _, child := range c.Commands() {
			add(child)
		}
	}
	a := &app{}
	add(a.newRootCommand())
	return list
}

// TestExamples runs every example of every command's help as it stands, in a
// folder that holds the samples and the configs, as the project's folder does.
func TestExamples(t *testing.T) {
	project, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, home)
	}
	ran := 0
	for _, cmd := range commands() {
		for line := range strings.Lines(cmd.Example) {
			line = strings.TrimSpace(line)
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			ran++
			t.Run(line, func(t *testing.T) {
				t.Chdir(t.TempDir())
				for _, name := range []string{"samples", "configs"} {
					if err := os.Symlink(filepath.Join(project, name), name); err != nil {
						t.Fatal(err)
					}
				}
				out := runPipe(t, line)
				if len(out) == 0 && countFiles(t) == 0 {
					t.Error("wrote nothing")
				}
			})
		}
	}
	if ran < 20 {
		t.Errorf("ran %d examples, want every command to have some", ran)
	}
}

// runPipe runs a command line of words without quotes, | between commands, and
// returns what the last one prints.
func runPipe(t *testing.T, line string) []byte {
	t.Helper()
	var data []byte
	for command := range strings.SplitSeq(line, " | ") {
		words := strings.Fields(command)
		if words[0] != "poolctl" || strings.ContainsAny(command, `"'$&;<>*?`) {
			t.Fatalf("%s: want poolctl and plain words", command)
		}
		var out, notes bytes.Buffer
		if code := Main(words[1:], Streams{bytes.NewReader(data), &out, &notes}); code != 0 {
			t.Fatalf("%s: exit code %d, %s", command, code, &notes)
		}
		data = out.Bytes()
	}
	return data
}

// countFiles counts the entries of the current folder beside the samples.
func countFiles(t *testing.T) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && path != "samples" && path != "configs" {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
