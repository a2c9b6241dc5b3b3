package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/poolctl/poolctl/internal/figure"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/report"
	"github.com/poolctl/poolctl/internal/tensor"
)

// inspection is the command that measures arrays.
type inspection struct {
	Preview  bool
	Channels bool
	NoOrient bool
	Raw      tensor.DType // of raw bytes
	Lines    bool         // print a JSON object on a line for each array
	Format   string
}

func (a *app) newInspectCommand() *cobra.Command {
	i := &inspection{}
	cmd := &cobra.Command{
		Use:   "inspect FILE… [flags]",
		Short: "shape, dtype, range, mean, histogram, NaN and Inf of arrays and pictures",
		Long: `Measures every array of the files: shape, dtype, range, mean, standard deviation, zeros, NaN and infinities, and a histogram. --per-channel adds the median, and a row for each channel. All but the counts cover the finite numbers only: NaN and infinities are left out and counted. --preview draws them in the terminal.

A file that cannot be read does not stop the others; the exit code is then 1. An array of an archive whose type poolctl does not compute with is shown with its type, shape and the reason. --json prints one object for one array and a list of objects for several, --jsonl one object on each line.`,
		Example: examples([]ops.Example{
			{Does: "a picture and an array", Command: "poolctl inspect samples/chelsea.png samples/input_10x9x9x3.npy"},
			{Does: "all arrays of an archive, as JSON", Command: "poolctl inspect samples/pair.npz --json"},
			{Does: "the same, an object on each line", Command: "poolctl inspect samples/pair.npz --jsonl"},
			{Does: "is one channel of the photograph darker?", Command: "poolctl inspect samples/chelsea.png --per-channel"},
			{Does: "see it in the terminal", Command: "poolctl inspect samples/camera.png --preview"},
		}),
		GroupID: "look",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return &usageError{"inspect: input missing, want files or - for standard input", "`" + cmd.CommandPath() + " --help` shows examples"}
			}
			if first := slices.Index(args, "-"); first >= 0 && slices.Contains(args[first+1:], "-") {
				return usagef("inspect: got - twice, standard input can be read once")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.runInspect(i, args) },
	}
	cmd.Flags().BoolVar(&i.Preview, "preview", false, "draw the picture in the terminal")
	cmd.Flags().BoolVar(&i.Channels, "per-channel", false, "measure each channel too, with medians")
	cmd.Flags().BoolVar(&i.NoOrient, "no-orient", false, "ignore the EXIF orientation of pictures")
	cmd.Flags().BoolVar(&i.Lines, "jsonl", false, "print JSON with one object on each line")
	cmd.Flags().StringVar(&i.Format, "data-format", "", "`FORMAT` of an array, for --preview and --per-channel: the order of its axes (default by rank)")
	rawFlag(cmd.Flags(), &i.Raw)
	return cmd
}

func (a *app) runInspect(i *inspection, files []string) error {
	a.JSON = a.JSON || i.Lines
	if i.Preview && a.JSON {
		return usagef("inspect: preview: cannot be used with JSON")
	}
	arrays := arraysOf(files, i.Raw)
	var measured []report.Summary
	failed := 0
	for _, array := range arrays {
		s, err := a.inspect(i, array)
		switch {
		case err == nil:
			measured = append(measured, s)
		case len(arrays) == 1:
			return err
		default:
			a.report(err)
			failed++
		}
	}
	if a.JSON && !i.Lines {
		var err error
		if len(arrays) == 1 {
			err = measured[0].WriteJSON(a.out)
		} else {
			err = report.WriteSummaries(a.out, measured)
		}
		if err != nil {
			return err
		}
	}
	if failed > 0 {
		return &batchError{fmt.Sprintf("inspect: %d of %d arrays failed", failed, len(arrays)), "", exitData}
	}
	return nil
}

// inspected is an array to inspect, by name.
type inspected struct {
	name   string
	member imgio.Member // if it is one of several in an archive
}

// arraysOf returns the arrays in the files. Errors are reported when the file is
// opened.
func arraysOf(files []string, raw tensor.DType) []inspected {
	var arrays []inspected
	for _, file := range files {
		members, err := imgio.List(file, raw)
		if err != nil || len(members) < 2 {
			arrays = append(arrays, inspected{name: file})
			continue
		}
		for _, m := range members {
			arrays = append(arrays, inspected{file + "#" + m.Name, m})
		}
	}
	return arrays
}

// inspect measures one array and prints the summary, unless it is part of a
// JSON document. For an archive's array of a type that poolctl does not compute
// with, the summary says so.
func (a *app) inspect(i *inspection, array inspected) (report.Summary, error) {
	var s report.Summary
	var t *tensor.Tensor
	var unsupported *imgio.TypeError
	if errors.As(array.member.Err, &unsupported) {
		s = report.Unread(unsupported.Type, unsupported.Shape, unsupported.Why)
	} else {
		source, err := imgio.Open(array.name, a.files(i.NoOrient, i.Raw))
		if err != nil {
			return s, err
		}
		beside, layout := 0, tensor.Layout("")
		if i.Channels {
			if layout, err = layoutOf(source.Info.Spec, i.Format); err == nil {
				beside, err = report.ChannelBytes(source.Info.Spec, layout)
			}
			if err != nil {
				_ = source.Close() // the error before matters
				return s, &hinted{fmt.Errorf("%s: per-channel: %w", array.name, err), "--data-format names the axes"}
			}
		}
		if t, err = a.readWithin(source, beside); err != nil {
			return s, err
		}
		if !i.Channels {
			s = report.Inspect(t)
		} else if s, err = report.InspectChannels(t, layout); err != nil {
			return s, err
		}
	}
	s.Name = array.name
	var err error
	switch {
	case i.Lines:
		err = s.WriteJSONLine(a.out)
	case !a.JSON:
		err = s.WriteText(a.out)
	}
	if err == nil && i.Preview && t != nil {
		err = a.preview(t, i.Format)
	}
	return s, err
}

// readWithin reads and closes a source. It refuses if the tensor does not fit
// into --max-memory beside the given number of bytes.
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

// layoutOf returns the layout of an array: the format, or the default for its
// rank.
func layoutOf(spec tensor.Spec, format string) (tensor.Layout, error) {
	if format != "" {
		return tensor.ParseLayout(format)
	}
	return tensor.DefaultLayout(len(spec.Shape))
}

func (a *app) preview(t *tensor.Tensor, format string) error {
	layout, err := layoutOf(t.Spec, format)
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

// colorful reports whether standard output may carry colours. --color decides,
// then NO_COLOR, then CLICOLOR_FORCE, then whether it is a terminal with
// colours.
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
