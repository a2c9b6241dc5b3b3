package cli

import (
	"errors"
	"fmt"
	"slices"
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
	if err == nil && cmd.Name() == "help" {
		words := rest // a command and its own commands, up to a flag
		if flag := slices.IndexFunc(rest, func(word string) bool { return strings.HasPrefix(word, "-") }); flag >= 0 {
			words = rest[:flag]
		}
		return cmd.Args(cmd, words)
	}
	if err != nil || cmd.Args == nil || !cmd.HasSubCommands() && len(cmd.ValidArgs) == 0 {
		return nil //nolint:nilerr // Execute finds the same error
	}
	if word := firstOperand(cmd, rest); word != "" {
		return cmd.Args(cmd, []string{word})
	}
	return nil
}

// firstOperand returns the first word that is neither a flag of cmd nor the
// value of one. It returns "" if there is no such word, or if an unknown flag
// comes first.
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

// unknownCommand is the error for a word that is not a command of cmd.
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

// unknownOperation is the error for a word that is not an operation of cmd.
func unknownOperation(cmd *cobra.Command, word string) error {
	return &usageError{fmt.Sprintf("%s: unknown operation %q", cmd.Name(), word),
		wordHint(cmd, word, operationNames(), "`poolctl ops` lists the operations")}
}

// wordHint suggests a known word for an unknown one; otherwise is the hint if
// none is near.
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

// unknownFlagHint suggests a flag of cmd for an unknown one, as it was given.
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

// withValueHint adds a hint to an error about a parameter that has none yet, if
// the value is written as in another library.
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
