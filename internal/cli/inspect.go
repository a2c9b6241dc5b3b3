package cli

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

func (a *app) newInspectCommand() *cobra.Command {
	var (
		preview  bool
		noOrient bool
		format   string
	)
	cmd := &cobra.Command{
		Use:   "inspect FILE… [flags]",
		Short: "shape, dtype, range, mean, histogram, NaN and Inf of arrays and pictures",
		Long:  "Measures every array of the files: shape, dtype, range, mean, standard deviation, zeros, NaN and infinities, and a histogram. --preview draws them in the terminal.",
		Example: examples([]ops.Example{
			{Does: "a picture and an array", Command: "poolctl inspect samples/chelsea.png samples/input_10x9x9x3.npy"},
			{Does: "all arrays of an archive, as JSON", Command: "poolctl inspect samples/pair.npz --json"},
			{Does: "see it in the terminal", Command: "poolctl inspect samples/camera.png --preview"},
		}),
		GroupID: "look",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{"inspect: input missing, want files or - for standard input", "`" + cmd.CommandPath() + " --help` shows examples"}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			for _, name := range args {
				if err := a.runInspect(name, noOrient, preview, format); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&preview, "preview", false, "draw the picture in the terminal")
	cmd.Flags().BoolVar(&noOrient, "no-orient", false, "ignore a JPEG's EXIF orientation")
	cmd.Flags().StringVar(&format, "data-format", "", "`FORMAT` of an array, for --preview: the order of its axes (default by rank)")
	return cmd
}

func (a *app) runInspect(name string, noOrient, preview bool, format string) error {
	names := []string{name}
	if members, err := imgio.List(name); err == nil && len(members) > 1 {
		names = names[:0]
		for _, m := range members {
			names = append(names, name+"#"+m.Name)
		}
	}
	for _, each := range names {
		source, err := imgio.Open(each, a.files(noOrient))
		if err != nil {
			return err
		}
		t, err := a.readWithin(source, 0)
		if err != nil {
			return err
		}
		s := report.Inspect(t)
		s.Name = each
		if a.JSON {
			err = s.WriteJSON(a.out)
		} else {
			err = s.WriteText(a.out)
		}
		if err == nil && preview {
			err = a.preview(t, format)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readWithin reads a source if it fits into --max-memory beside so many other
// bytes, and closes it.
func (a *app) readWithin(source *imgio.Source, beside int) (*tensor.Tensor, error) {
	defer source.Close()
	size, err := source.Info.Spec.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source.Name, err)
	}
	if err := a.admit(source.Name, footprint{decode: plus(beside, plus(size, source.Info.Decoding))}); err != nil {
		return nil, err
	}
	return source.Read()
}

func (a *app) preview(t *tensor.Tensor, format string) error {
	layout, err := tensor.DefaultLayout(len(t.Shape))
	if format != "" {
		layout, err = tensor.ParseLayout(format)
	}
	if err != nil {
		return &hinted{fmt.Errorf("preview: %w", err), "--data-format names the axes"}
	}
	if len(t.Shape) != layout.Rank() {
		return usagef("inspect: data-format: got %s for an array of rank %d", layout, len(t.Shape))
	}
	columns, mode := 80, figure.NoColor
	if file, ok := a.terminal(); ok {
		if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 0 {
			columns = w
		}
	}
	if c, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && c > 0 {
		columns = c
	}
	if a.colorful() {
		mode = figure.Color256
		if c := os.Getenv("COLORTERM"); c == "truecolor" || c == "24bit" {
			mode = figure.TrueColor
		}
	}
	return figure.Preview(a.out, t, layout, min(columns, 400), mode)
}

// terminal returns standard output when it is a terminal.
func (a *app) terminal() (*os.File, bool) {
	file, ok := a.rawOut.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}

// colorful reports whether standard output may carry colours: --color, then
// NO_COLOR, then CLICOLOR_FORCE, then whether it is a terminal that has some.
func (a *app) colorful() bool {
	switch {
	case a.Color != "auto":
		return a.Color == "always"
	case os.Getenv("NO_COLOR") != "":
		return false
	case os.Getenv("CLICOLOR_FORCE") != "" && os.Getenv("CLICOLOR_FORCE") != "0":
		return true
	}
	_, ok := a.terminal()
	return ok && os.Getenv("TERM") != "dumb"
}
