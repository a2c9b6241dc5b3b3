package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// completeFlags lets the shell complete the values of every command's flags:
// the words of a choice, nothing for numbers and lists, the names of filters
// and of files otherwise.
func completeFlags(cmd *cobra.Command) {
	complete := func(f *pflag.Flag) {
		words, directive := flagWords(f)
		// The only error is that the flag has a function already.
		_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(words, directive))
	}
	cmd.LocalNonPersistentFlags().VisitAll(complete)
	cmd.PersistentFlags().VisitAll(complete)
	for _, child := range cmd.Commands() {
		completeFlags(child)
	}
}

// flagWords returns the words that a flag takes, and whether it takes names of
// files too. Of a word that something follows, such as box:SIZE, it returns the
// part that is always the same.
func flagWords(f *pflag.Flag) ([]string, cobra.ShellCompDirective) {
	switch v := f.Value.(type) {
	case *choiceValue:
		return v.words, cobra.ShellCompDirectiveNoFileComp
	case *paramValue:
		if !v.Kind.File() {
			return v.Words(), cobra.ShellCompDirectiveNoFileComp
		}
		var words []string
		for _, form := range v.Names {
			name, _, follows := strings.Cut(form, ":")
			if follows {
				name += ":"
			}
			words = append(words, name)
		}
		return words, cobra.ShellCompDirectiveDefault | cobra.ShellCompDirectiveNoSpace
	default:
		if f.Value.Type() == "string" {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}
