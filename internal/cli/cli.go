package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/ops"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Streams are the program's standard streams.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
}

// StandardStreams returns the process' own streams.
func StandardStreams() Streams { return Streams{os.Stdin, os.Stdout, os.Stderr} }

// app is one run of the program.
type app struct {
	settings
	settled bool // the settings are read and checked
	in      io.Reader
	out     *bufio.Writer // data and reports
	rawOut  io.Writer     // what out writes to
	err     io.Writer     // everything else

	interrupts interrupts
}

// settings are the flags that every command has.
type settings struct {
	Threads   int
	Quiet     bool
	Verbose   bool
	JSON      bool
	NoClobber bool
	Color     string
	MaxMemory byteSize
	MaxPixels int
	MaxSide   int
	Config    string
}

// spoolSize is how much of a report is held back until its command has
// succeeded. A command that fails prints nothing there.
const spoolSize = 1 << 20

// Main runs the program and returns its exit code.
func Main(args []string, streams Streams) (code int) {
	a := &app{in: streams.In, out: bufio.NewWriterSize(streams.Out, spoolSize), rawOut: streams.Out, err: streams.Err}
	defer a.recoverPanic(&code)
	stop := a.watchSignals()
	defer stop()
	root := a.newRootCommand()
	root.SetArgs(args)
	cmd, err := a.execute(root, args)
	if err != nil && !keepsReport(err) {
		a.out.Reset(io.Discard)
	}
	if flushed := a.out.Flush(); err == nil && flushed != nil {
		err = fmt.Errorf("standard output: %w", flushed)
	}
	if err != nil && !a.settled {
		a.JSON = a.wantsJSON(root, args)
	}
	return a.report(withValueHint(cmd, ofSubcommand(cmd, err)))
}

// execute runs the command that the arguments name, and returns it.
func (a *app) execute(root *cobra.Command, args []string) (*cobra.Command, error) {
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		completeFlags(root) // a third of the start-up, for the shell alone
	} else if err := resolve(root, args); err != nil {
		return root, err
	}
	return root.ExecuteC()
}

// wantsJSON reports whether errors are asked for as JSON although the command
// line could not be read to its end.
func (a *app) wantsJSON(root *cobra.Command, args []string) bool {
	for _, word := range args {
		switch word {
		case "--json", "--json=true":
			return true
		case "--":
			return a.JSON
		}
	}
	_ = config.Apply(root.PersistentFlags(), a.Config) // its errors are not the one to report
	return a.JSON
}

// recoverPanic turns a panic into an error message; the user never sees a stack
// trace.
func (a *app) recoverPanic(code *int) {
	if cause := recover(); cause != nil {
		*code = a.report(fmt.Errorf("internal error, please report it with the command line and the input: %v", cause))
	}
}

func (a *app) newRootCommand() *cobra.Command {
	version := false
	root := &cobra.Command{
		Use:   "poolctl COMMAND [INPUT…]",
		Short: "pooling and convolution experiments with TensorFlow's semantics",
		Long: `poolctl runs pooling and convolution on images and arrays, with exactly the semantics of tf.nn, on fast CPU kernels.

INPUT is a file (` + imgio.InputExtensions() + `; recognised by content; FILE#NAME is an array of an archive) or - for standard input. -o FILE names the output, -o - writes .npy to standard output, so that commands pipe into each other.

Every setting below is also a POOLCTL_… variable (--max-pixels is POOLCTL_MAX_PIXELS) and a line of the configuration file; flags win over variables, variables over the file.

Exit codes: ` + exitCodesInBrief(),
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return a.printVersion()
			}
			return cmd.Help()
		},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			return a.applySettings(cmd)
		},
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(flagError)
	root.SetUsageTemplate(fitted(usageTemplate, a.helpWidth()))
	root.SetHelpTemplate(fitted(helpTemplate, a.helpWidth()))
	root.Flags().BoolVar(&version, "version", false, "print the version of poolctl and of Go")
	a.settings.flags(root.PersistentFlags())
	root.AddGroup(
		&cobra.Group{ID: "operations", Title: "Operations:"},
		&cobra.Group{ID: "layers", Title: "Layers of networks:"},
		&cobra.Group{ID: "look", Title: "Look and measure:"},
		&cobra.Group{ID: "about", Title: "About poolctl:"})
	for _, spec := range ops.Table {
		root.AddCommand(a.newOperationCommand(spec))
	}
	root.AddCommand(
		a.newRunCommand(), a.newGradCommand(), a.newShapeCommand(), a.newInspectCommand(), a.newCompareCommand(), a.newBenchCommand(),
		a.newOpsCommand(), a.newWeightsCommand(), a.newCPUCommand(), a.newVersionCommand(), a.newManCommand(), a.newDemoCommand(), a.newDocsCommand(),
	)
	root.InitDefaultCompletionCmd()
	strictCompletion(root)
	root.SetHelpCommand(newHelpCommand())
	root.InitDefaultHelpCmd()
	for _, cmd := range root.Commands() {
		if cmd.GroupID == "" {
			cmd.GroupID = "about"
		}
	}
	return root
}

// flags declares the settings; their defaults are the flags' defaults.
func (s *settings) flags(f *pflag.FlagSet) {
	f.SortFlags = false
	f.IntVar(&s.Threads, "threads", 0, "compute with `N` threads (default all cores)")
	f.Lookup("threads").DefValue = "0"
	f.BoolVar(&s.Quiet, "quiet", false, "no notes and no progress on standard error")
	f.BoolVar(&s.Verbose, "verbose", false, "say what the program does, on standard error")
	f.BoolVar(&s.JSON, "json", false, "every report and every error as JSON")
	f.BoolVar(&s.NoClobber, "no-clobber", false, "refuse to replace existing files")
	s.Color = "auto"
	f.Var(&choiceValue{&s.Color, []string{"auto", "always", "never"}}, "color", "when to use colours: `WHEN` is auto (on a terminal), always or never; NO_COLOR is honoured")
	s.MaxMemory = byteSize(defaultMemory())
	f.Var(&s.MaxMemory, "max-memory", "refuse work that needs more memory than `SIZE`, such as 4GiB or 4G (default half of the machine's)")
	f.Lookup("max-memory").DefValue = ""
	f.IntVar(&s.MaxPixels, "max-pixels", imgio.DefaultMaxPixels, "refuse pictures of more than `N` pixels")
	f.IntVar(&s.MaxSide, "max-side", imgio.DefaultMaxSide, "refuse pictures of more than `N` pixels across or down")
	f.StringVar(&s.Config, "config", "", "configuration `FILE` (default poolctl/config.yaml in the user's configuration folder)")
}

// applySettings reads the settings that the command line did not give, and
// checks all of them.
func (a *app) applySettings(cmd *cobra.Command) error {
	if err := config.Apply(cmd.Root().PersistentFlags(), a.Config); err != nil {
		return &usageError{err.Error(), ""}
	}
	if a.Threads < 0 {
		return usagef("--threads: got %d, want >= 1, or 0 for all cores", a.Threads)
	}
	if a.Threads == 0 {
		a.Threads = runtime.GOMAXPROCS(0)
	}
	if a.Threads > maxThreads {
		return usagef("--threads: got %d, want <= %d", a.Threads, maxThreads)
	}
	for flag, n := range map[string]int{"max-pixels": a.MaxPixels, "max-side": a.MaxSide} {
		if n < 1 {
			return usagef("--%s: got %d, want >= 1", flag, n)
		}
	}
	if a.Quiet && a.Verbose {
		return usagef("--quiet: cannot be used with --verbose")
	}
	if _, err := cpuLevel(); err != nil {
		return err
	}
	a.settled = true
	return nil
}

// maxThreads bounds --threads: every thread has scratch memory of its own.
const maxThreads = 1024

// note prints a line for people on standard error, unless --quiet.
func (a *app) note(format string, args ...any) {
	if !a.Quiet {
		fmt.Fprintf(a.err, "poolctl: "+format+"\n", args...)
	}
}

// verbose prints a line for people on standard error with --verbose.
func (a *app) verbose(format string, args ...any) {
	if a.Verbose {
		fmt.Fprintf(a.err, "poolctl: "+format+"\n", args...)
	}
}

// flagError words cobra's errors about flags.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	var missing *pflag.NotExistError
	if errors.As(err, &missing) {
		dashed := "--" + missing.GetSpecifiedName()
		if missing.GetSpecifiedShortnames() != "" {
			dashed = dashed[1:]
		}
		return &usageError{fmt.Sprintf("%s: unknown flag %s", cmd.Name(), dashed), unknownFlagHint(cmd, dashed)}
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		f := invalid.GetFlag()
		return &usageError{fmt.Sprintf("%s: %s: %v", cmd.Name(), f.Name, config.Fault(f, invalid.GetValue(), invalid.Unwrap())),
			valueHint(f.Name, invalid.GetValue())}
	}
	return &usageError{cmd.Name() + ": " + err.Error(), ""}
}
