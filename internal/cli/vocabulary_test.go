package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestVocabularyNamesWhatExists: every row of the tables of foreign words says
// something that poolctl has, for words that it does not have itself.
func TestVocabularyNamesWhatExists(t *testing.T) {
	var out bytes.Buffer
	root := (&app{in: &out, err: &out}).newRootCommand()
	for _, c := range foreignCommands {
		words := strings.Fields(c.ours)
		cmd, _, err := root.Find(words[:1])
		if err != nil || cmd == root {
			t.Errorf("%s: no such command", c.ours)
			continue
		}
		for i := 1; i < len(words); i += 2 {
			f := cmd.Flag(strings.TrimPrefix(words[i], "--"))
			if f == nil {
				t.Errorf("%s: %s: no such flag", c.ours, words[i])
			} else if value := words[i+1]; value != strings.ToUpper(value) {
				if err := f.Value.Set(value); err != nil {
					t.Errorf("%s: %v", c.ours, err)
				}
			}
		}
		for _, name := range strings.Fields(c.theirs) {
			if plain(name) != name {
				t.Errorf("%s: the row would be found as %s only", name, plain(name))
			}
			for _, below := range root.Commands() {
				if plain(below.Name()) == name {
					t.Errorf("%s is a command itself", name)
				}
			}
		}
	}
	for _, f := range foreignFlags {
		for _, name := range strings.Fields(f.ours) {
			if !anyCommandHas(root, name) {
				t.Errorf("--%s: no command has it", name)
			}
		}
		for _, name := range strings.Fields(f.theirs) {
			if plain(name) != name {
				t.Errorf("--%s: the row would be found as %s only", name, plain(name))
			}
		}
	}
	for _, v := range foreignValues {
		if _, err := regexp.Compile(v.pattern); err != nil {
			t.Error(err)
		}
		for _, name := range strings.Fields(v.flags) {
			if !anyCommandHas(root, name) {
				t.Errorf("--%s: no command has it", name)
			}
		}
	}
}

func anyCommandHas(cmd *cobra.Command, flag string) bool {
	if cmd.Flag(flag) != nil {
		return true
	}
	for _, below := range cmd.Commands() {
		if anyCommandHas(below, flag) {
			return true
		}
	}
	return false
}
