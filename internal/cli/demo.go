package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/samples"
)

// demoSteps are the command lines of the demo; DIR is its folder.
var demoSteps = []struct{ does, command string }{
	{"the photograph", "inspect DIR/chelsea.png"},
	{"pool it by the maximum of 4x4 windows; a picture of where in its window each maximum was; the winners marked on the photograph",
		"pool DIR/chelsea.png --type max --window 4 -o DIR/max.png --argmax DIR/argmax.png --argmax-overlay DIR/winners.png"},
	{"pool it by the average", "pool DIR/chelsea.png --type avg --window 4 -o DIR/avg.png"},
	{"find edges by a convolution", "conv2d DIR/camera.png --filter sobel-x --padding SAME --normalize symmetric -o DIR/edges.png"},
	{"the convolution of the tutorial, on arrays", "conv2d DIR/input_10x9x9x3.npy --filter DIR/filter_2x2x3x2.npy --padding SAME -o DIR/conv.npy"},
	{"max_pool_with_argmax of that, with its shape report",
		"pool DIR/conv.npy --type max --window 2 --strides 1 --padding SAME -o DIR/pooled.npy --argmax DIR/argmax.npy --report text"},
}

func (a *app) newDemoCommand() *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use: "demo [-o FOLDER]", Short: "run the main job on built-in samples and list the files that it wrote", GroupID: "about", Args: noInput,
		Long:    "Copies a photograph and a few arrays into a folder and runs a handful of commands on them, showing each: pooling by maximum and average, the argmax picture, a convolution, a shape report.",
		Example: examples([]ops.Example{{Does: "into a new folder", Command: "poolctl demo -o demo-out"}}),
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.runDemo(folder, given(cmd.InheritedFlags())) },
	}
	cmd.Flags().StringVarP(&folder, "output", "o", "demo-out", "`FOLDER` to write to, created if missing")
	return cmd
}

// given returns the flags that were given on the command line, as words for
// another one.
func given(flags *pflag.FlagSet) []string {
	var words []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed {
			words = append(words, "--"+f.Name+"="+f.Value.String())
		}
	})
	return words
}

// runDemo copies the samples into the folder and runs the steps there. Each
// step is a command line of its own, with the settings added.
func (a *app) runDemo(folder string, settings []string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	err := fs.WalkDir(samples.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(samples.FS, name)
		if err != nil {
			return err
		}
		return writeSample(filepath.Join(folder, name), data, a.NoClobber)
	})
	if err != nil {
		return err
	}
	var written []string
	for _, step := range demoSteps {
		var args, printed []string // by word, since the folder's name may hold spaces
		for word := range strings.FieldsSeq(step.command) {
			args = append(args, strings.ReplaceAll(word, "DIR", folder))
			printed = append(printed, shellWord(strings.ReplaceAll(word, "DIR", filepath.ToSlash(folder))))
		}
		fmt.Fprintf(a.out, "# %s\n$ poolctl %s\n", step.does, strings.Join(printed, " "))
		root := a.newRootCommand()
		root.SetArgs(append(args, settings...))
		if err := root.Execute(); err != nil {
			return err
		}
		fmt.Fprintln(a.out)
		for i, word := range args {
			if strings.HasPrefix(word, "-") && i+1 < len(args) && (word == "-o" || strings.HasPrefix(word, "--argmax")) {
				written = append(written, args[i+1])
			}
		}
	}
	fmt.Fprintf(a.out, "wrote:\n")
	for _, name := range written {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "  %-28s %s\n", name, formatBytes(int(info.Size())))
	}
	return nil
}

// shellWord returns a word as one writes it for a POSIX shell: quoted if it
// holds a character that the shell might interpret.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-_./:,=+@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// writeSample writes a file of the demo. With noClobber an existing file is an
// error.
func writeSample(name string, data []byte, noClobber bool) error {
	mode := os.O_TRUNC
	if noClobber {
		mode = os.O_EXCL
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|mode, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
