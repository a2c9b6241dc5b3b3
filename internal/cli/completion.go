package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completeFlags lets the shell complete the values of every command's flags:
// the words of a choice, nothing for numbers and lists, file names otherwise.
func completeFlags(cmd *cobra.Command) {
	complete := func(f *pflag.Flag) {
		words, known := flagWords(f)
		if !known {
			return // cobra's default: file names
		}
		// The only error is that the flag has a function already.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
	cmd.LocalNonPersistentFlags().VisitAll(complete)
	cmd.PersistentFlags().VisitAll(complete)
	for _, child := range cmd.Commands() {
		completeFlags(child)
	}
}

// flagWords returns the words that a flag takes; known is false when it takes
// a file.
func flagWords(f *pflag.Flag) (words []string, known bool) {
	switch v := f.Value.(type) {
	case *choiceValue:
		return v.words, true
	case *paramValue:
		return v.Words(), !v.Kind.File()
	default:
		return nil, f.Value.Type() != "string"
	}
}
