package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops"
)

// resolve checks the word that names a command or an operation before any flag
// is read: the flags of `pol x.png --type max` are those of a command that is
// not known yet.
func resolve(root *cobra.Command, args []string) error {
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.Args == nil || !cmd.HasSubCommands() && len(cmd.ValidArgs) == 0 {
		return nil //nolint:nilerr // Execute finds the same error
	}
	if word := firstOperand(cmd, rest); word != "" {
		return cmd.Args(cmd, []string{word})
	}
	return nil
}

// firstOperand returns the first word that is neither a flag of cmd nor the
// value of one. It is "" if there is none, or an unknown flag before it.
func firstOperand(cmd *cobra.Command, args []string) string {
	for i := 0; i < len(args); i++ {
		name, long := strings.CutPrefix(args[i], "--")
		switch {
		case !strings.HasPrefix(args[i], "-") || args[i] == "-":
			return args[i]
		case !long || name == "":
			return ""
		case strings.Contains(name, "="):
			continue
		}
		f := cmd.Flag(name)
		if f == nil {
			return ""
		}
		if f.NoOptDefVal == "" {
			i++ // its value
		}
	}
	return ""
}

// unknownCommand is the error for a word that is no command of cmd.
func unknownCommand(cmd *cobra.Command, word string) error {
	var known []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			known = append(known, c.Name())
		}
	}
	return &usageError{fmt.Sprintf("unknown command %q", word),
		wordHint(cmd, word, known, "`"+cmd.CommandPath()+" --help` lists the commands")}
}

// unknownOperation is the error for a word that is no operation that cmd takes.
func unknownOperation(cmd *cobra.Command, word string) error {
	return &usageError{fmt.Sprintf("%s: unknown operation %q", cmd.Name(), word),
		wordHint(cmd, word, operationNames(), "`poolctl ops` lists the operations")}
}

// wordHint says what is meant by a word that is none of those known; otherwise
// is the hint if nothing is near.
func wordHint(cmd *cobra.Command, word string, known []string, otherwise string) string {
	for _, name := range known {
		if plain(name) == plain(word) {
			return fmt.Sprintf("did you mean %q?", name)
		}
	}
	if hint := commandHint(cmd, word); hint != "" {
		return hint
	}
	if near := ops.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return otherwise
}

// unknownFlagHint says what is meant by a flag, as it was given, that cmd does
// not have.
func unknownFlagHint(cmd *cobra.Command, dashed string) string {
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, f.Name) })
	name := strings.TrimLeft(dashed, "-")
	for _, k := range known {
		if plain(k) == plain(name) {
			return fmt.Sprintf("did you mean --%s?", k)
		}
	}
	if hint := flagHint(cmd, dashed); hint != "" {
		return hint
	}
	if near := ops.Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean --%s?", near)
	}
	return "`" + cmd.CommandPath() + " --help` lists the flags"
}

// withValueHint adds to an error about a parameter what its value means here, if
// it is written as another library does and the error has no hint yet.
func withValueHint(cmd *cobra.Command, err error) error {
	var field *geom.Error
	if !errors.As(err, &field) || hintFor(err) != "" {
		return err
	}
	f := cmd.Flag(field.Field)
	if f == nil || !f.Changed {
		return err
	}
	if hint := valueHint(f.Name, f.Value.String()); hint != "" {
		return &hinted{err, hint}
	}
	return err
}
