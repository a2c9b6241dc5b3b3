package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/samples"
)

// demoSteps are the command lines of the demo; DIR is its folder.
var demoSteps = []struct{ does, command string }{
	{"the maximum of each 4x4 window; where in its window it was; the winners marked on the photograph",
		"pool DIR/chelsea.png --type max --window 4 -o DIR/max.png --argmax DIR/argmax.png --argmax-overlay DIR/winners.png"},
	{"the average of each 4x4 window", "pool DIR/chelsea.png --type avg --window 4 -o DIR/avg.png"},
	{"vertical edges, by a convolution", "conv2d DIR/camera.png --filter sobel-x --padding SAME --normalize symmetric -o DIR/edges.png"},
	{"where maximum and average pooling send their gradients", "grad pool DIR/ramp_6x6.npy --type max --window 3 --arrows DIR/gradient.png"},
	{"the convolution of the tutorial, on arrays", "conv2d DIR/input_10x9x9x3.npy --filter DIR/filter_2x2x3x2.npy --padding SAME -o DIR/conv.npy"},
	{"max_pool_with_argmax of that", "pool DIR/conv.npy --type max --window 2 --strides 1 --padding SAME -o DIR/pooled.npy --argmax DIR/argmax.npy"},
}

// The part of the photograph that the demo's comparison shows, in pixels: one
// of the cat's eyes. demoWindow is the window of the demo's poolings.
const (
	demoX, demoY          = 128, 64
	demoWidth, demoHeight = 136, 104
	demoWindow            = 4
)

func (a *app) newDemoCommand() *cobra.Command {
	var folder string
	cmd := &cobra.Command{
		Use: "demo [-o FOLDER]", Short: "run the main job on built-in samples and list the pictures that it made", GroupID: "about", Args: noInput,
		Long:    "Copies two photographs and a few arrays into a folder and runs a handful of commands on them: pooling by maximum and average, the argmax picture, a convolution, a gradient. Then it lists the pictures, best seen first, and the commands. comparison.png shows a part of the photograph beside its maximum, its average and their difference; on a terminal it is drawn there too.",
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
	var commands, written []string
	for _, step := range demoSteps {
		var args, printed []string // by word, since the folder's name may hold spaces
		for word := range strings.FieldsSeq(step.command) {
			args = append(args, strings.ReplaceAll(word, "DIR", folder))
			printed = append(printed, shellWord(strings.ReplaceAll(word, "DIR", filepath.ToSlash(folder))))
		}
		root := a.newRootCommand()
		root.SetArgs(append(args, settings...))
		if err := root.Execute(); err != nil {
			return err
		}
		commands = append(commands, fmt.Sprintf("# %s\npoolctl %s\n", step.does, strings.Join(printed, " ")))
		for i, word := range args {
			if strings.HasPrefix(word, "-") && i+1 < len(args) && (word == "-o" || word == "--arrows" || strings.HasPrefix(word, "--argmax")) {
				written = append(written, args[i+1])
			}
		}
	}
	comparison := filepath.Join(folder, "comparison.png")
	if err := a.drawComparison(folder, comparison); err != nil {
		return err
	}
	fmt.Fprintf(a.out, "Look at these first:\n  %s  the photograph, its 4x4 maximum and average, and their difference\n  %s    where maximum and average pooling send their gradients\n\nAll files:\n",
		comparison, filepath.Join(folder, "gradient.png"))
	for _, name := range append([]string{comparison}, written...) {
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		fmt.Fprintf(a.out, "  %-28s %s\n", name, formatBytes(int(info.Size())))
	}
	fmt.Fprintf(a.out, "\nThey were made by these commands, which you can run and change:\n\n%s", strings.Join(commands, "\n"))
	return nil
}

// drawComparison draws a part of the demo's photograph beside its maximum, its
// average and the difference of the two.
func (a *app) drawComparison(folder, name string) error {
	var pictures []*tensor.Tensor
	for _, file := range []string{"chelsea.png", "max.png", "avg.png"} {
		source, err := imgio.Open(filepath.Join(folder, file), a.files(false, tensor.Invalid))
		if err != nil {
			return err
		}
		t, err := source.Read()
		if err = errors.Join(err, source.Close()); err != nil {
			return err
		}
		pictures = append(pictures, t)
	}
	photograph, largest, average := pictures[0], pictures[1], pictures[2]
	drawing, err := figure.Comparison("Pooling by 4x4 windows", []figure.Panel{
		{Label: "photograph", Picture: photograph, Cell: 1},
		{Label: "maximum", Picture: largest, Cell: demoWindow},
		{Label: "average", Picture: average, Cell: demoWindow},
		{Label: "maximum - average, stretched", Picture: difference(largest, average), Cell: demoWindow},
	}, demoX, demoY, demoWidth, demoHeight)
	if err != nil {
		return err
	}
	if _, ok := a.terminal(); ok {
		if err := a.preview(drawing, "HWC"); err != nil {
			return err
		}
	}
	return a.writeAll([]imgio.Output{{Name: name, Tensor: drawing, Layout: tensor.HWC}}, false)
}

// difference returns a less b, in grey: the mean over the channels of each pixel.
func difference(a, b *tensor.Tensor) *tensor.Tensor {
	shape := slices.Clone(a.Shape)
	channels := shape[3]
	shape[3] = 1
	d := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: shape})
	grey := tensor.Of[float32](d)
	for i := range a.Len() {
		grey[i/channels] += float32(a.At(i)-b.At(i)) / float32(channels)
	}
	return d
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
