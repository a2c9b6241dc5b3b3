package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

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
		Use: "demo [-o FOLDER]", Short: "run the main job on built-in samples and say what it wrote where", GroupID: "about", Args: noInput,
		Long:    "Copies a photograph and a few arrays into a folder and runs a handful of commands on them, showing each: pooling by maximum and average, the argmax picture, a convolution, a shape report.",
		Example: examples([]ops.Example{{Does: "into a new folder", Command: "poolctl demo -o demo-out"}}),
		RunE:    func(*cobra.Command, []string) error { return a.runDemo(folder) },
	}
	cmd.Flags().StringVarP(&folder, "output", "o", "demo-out", "`FOLDER` to write to, made when it is missing")
	return cmd
}

func (a *app) runDemo(folder string) error {
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
		return os.WriteFile(filepath.Join(folder, name), data, 0o666)
	})
	if err != nil {
		return err
	}
	var written []string
	for _, step := range demoSteps {
		command := strings.ReplaceAll(step.command, "DIR", filepath.ToSlash(folder))
		fmt.Fprintf(a.out, "# %s\n$ poolctl %s\n", step.does, command)
		var args []string // the folder's name may hold spaces
		for word := range strings.FieldsSeq(step.command) {
			args = append(args, strings.ReplaceAll(word, "DIR", folder))
		}
		root := a.newRootCommand()
		root.SetArgs(args)
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
