package cli

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The width of help, in columns: the terminal's within these bounds, or else
// defaultWidth.
const (
	defaultWidth = 80
	leastWidth   = 40
	mostWidth    = 110 // longer lines are hard to read
)

func init() {
	cobra.AddTemplateFunc("wrap", wrap)
	cobra.AddTemplateFunc("entry", entry)
}

// helpWidth returns the width that help is wrapped to.
func (a *app) helpWidth() int {
	if file, ok := a.terminal(); ok {
		if w, _, err := term.GetSize(int(file.Fd())); err == nil && w > 0 {
			return min(max(w, leastWidth), mostWidth)
		}
	}
	return defaultWidth
}

// fitted returns a template of help for a width.
func fitted(template string, width int) string {
	return strings.ReplaceAll(template, "WIDTH", strconv.Itoa(width))
}

// entry returns a line of a list of commands: a name, padded, and a text that is
// wrapped beside it.
func entry(width, padding int, name, text string) string {
	indent := padding + 3
	if width-indent < leastWidth/2 { // too narrow for two columns
		indent = 6
	}
	wrapped := wrap(width-indent, text)
	return fmt.Sprintf("  %-*s %s", padding, name, strings.ReplaceAll(wrapped, "\n", "\n"+strings.Repeat(" ", indent)))
}

// wrap breaks the lines of a text that are wider than width, between words; lines
// that begin with a blank (formulas, tables) keep their spacing.
func wrap(textWidth int, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, " ") {
			b.WriteString(hang(textWidth, line))
			continue
		}
		column := 0
		for i, word := range strings.Fields(line) {
			width := len([]rune(word))
			switch {
			case i > 0 && column+1+width > textWidth:
				b.WriteByte('\n')
				column = 0
			case i > 0:
				b.WriteByte(' ')
				column++
			}
			b.WriteString(word)
			column += width
		}
		if strings.HasSuffix(line, "\n") {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// columns finds the first column of a line of a table, with the blanks around it.
var columns = regexp.MustCompile(`^ +\S+(?: \S+)*  +`)

// hang breaks an indented line that is wider than width. It continues below the
// second column of a table, or a little to the right of a formula's beginning.
func hang(width int, line string) string {
	indent := len(line) - len(strings.TrimLeft(line, " ")) + 2
	if first := columns.FindString(line); first != "" && len(first) < width/2 {
		indent = len(first)
	}
	var b strings.Builder
	rest := []rune(line)
	for len(rest) > width && strings.TrimRight(string(rest), "\n") != string(rest[:width]) {
		cut := width
		for cut > indent && rest[cut] != ' ' {
			cut--
		}
		if cut <= indent { // one word
			break
		}
		b.WriteString(string(rest[:cut]) + "\n")
		rest = []rune(strings.Repeat(" ", indent) + strings.TrimLeft(string(rest[cut:]), " "))
	}
	return b.String() + string(rest)
}

// newHelpCommand returns `help`. Unlike cobra's own, it refuses a word that is
// not a command.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND…]", Short: "help about a command", GroupID: "about",
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil }, // help must work whatever the settings
		Args: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return &usageError{text: "help: " + err.Error()}
			}
			if len(rest) > 0 {
				return unknownCommand(about, rest[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, _, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			about, _, err := cmd.Root().Find(args)
			if err != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			var names []string
			for _, c := range about.Commands() {
				if c.IsAvailableCommand() {
					names = append(names, cobra.CompletionWithDesc(c.Name(), c.Short))
				}
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// strictCompletion makes cobra's `completion` refuse unknown shells, with an
// error in poolctl's form.
func strictCompletion(root *cobra.Command) {
	completion, _, err := root.Find([]string{"completion"})
	if err != nil || completion == root {
		return
	}
	var shells []string
	for _, shell := range completion.Commands() {
		shells = append(shells, shell.Name())
		shell.Args = noInput
	}
	completion.Short = "the script that completes commands and flags in your shell"
	completion.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return unknownCommand(cmd, args[0])
		}
		return nil
	}
	completion.RunE = func(*cobra.Command, []string) error {
		return usagef("completion: shell missing, want one of %s", strings.Join(shells, ", "))
	}
}

// usageTemplate shows examples first, since most people look for them.
const usageTemplate = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}Usage:
  {{if .HasAvailableSubCommands}}{{.CommandPath}} COMMAND{{else}}{{.UseLine}}{{end}}
{{- if .HasAvailableSubCommands}}{{$cmds := .Commands}}{{if .Groups}}{{range $group := .Groups}}

{{.Title}}{{range $cmds}}{{if (and (eq .GroupID $group.ID) .IsAvailableCommand)}}
{{entry WIDTH .NamePadding .Name .Short}}{{end}}{{end}}{{end}}{{else}}

Commands:{{range $cmds}}{{if .IsAvailableCommand}}
{{entry WIDTH .NamePadding .Name .Short}}{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsagesWrapped WIDTH | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableInheritedFlags}}

Settings:
{{.InheritedFlags.FlagUsagesWrapped WIDTH | trimTrailingWhitespaces}}{{end}}
`

const helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces | wrap WIDTH}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`
