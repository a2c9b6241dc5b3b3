package cli

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/ops"
)

func (a *app) newManCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "write the manual pages into a folder", GroupID: "about",
		Example: examples([]ops.Example{{Does: "read one of them", Command: "poolctl man man1"}}),
		Args:    oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Title: "POOLCTL", Section: "1", Source: "poolctl " + versionText(), Manual: "poolctl"}
			if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
				date := time.Unix(seconds, 0).UTC() // the same pages from every build
				header.Date = &date
			}
			pages, err := manualPages(root, header)
			if err != nil {
				return err
			}
			if err := a.writePages(args[0], pages); err != nil {
				return err
			}
			a.note("%d pages in %s", len(pages), args[0])
			return nil
		},
	}
}

// manualPages returns the manual page of a command and those of all below it, by
// file name. It changes the flags: their defaults become part of their text.
func manualPages(root *cobra.Command, header *doc.GenManHeader) (map[string][]byte, error) {
	pages := map[string][]byte{}
	shown := map[*pflag.Flag]bool{} // settings belong to every command
	var add func(cmd *cobra.Command) error
	add = func(cmd *cobra.Command) error {
		cmd.InitDefaultHelpFlag()
		explain := func(f *pflag.Flag) {
			if !shown[f] {
				shown[f] = true
				explainDefault(f)
			}
		}
		cmd.NonInheritedFlags().VisitAll(explain)
		cmd.InheritedFlags().VisitAll(explain)
		var page bytes.Buffer
		h := *header
		if err := doc.GenMan(cmd, &h, &page); err != nil {
			return err
		}
		pages[strings.ReplaceAll(cmd.CommandPath(), " ", "-")+".1"] = withSections(page.Bytes(), root.PersistentFlags())
		for _, c := range cmd.Commands() {
			if c.IsAvailableCommand() && !c.IsAdditionalHelpTopicCommand() {
				if err := add(c); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return pages, add(root)
}

// manValue is a flag's value that the manual page shows without quotes.
type manValue struct{ pflag.Value }

func (manValue) Type() string { return "value" }

// explainDefault makes a flag appear in a manual page as --NAME=PLACEHOLDER, with
// its default in the text. cobra would write --NAME=DEFAULT.
func explainDefault(f *pflag.Flag) {
	placeholder, usage := pflag.UnquoteUsage(f)
	if placeholder == "" {
		placeholder = f.Value.Type()
	}
	switch f.DefValue {
	case "", "0", "false", "[]":
	default:
		if !strings.Contains(usage, "(default ") {
			usage += " (default " + f.DefValue + ")"
		}
	}
	if f.NoOptDefVal != "" {
		placeholder = "true|false"
	}
	f.Value, f.DefValue, f.Usage = manValue{f.Value}, placeholder, usage
}

// withSections adds to a manual page what holds for every command, before the
// section SEE ALSO.
func withSections(page []byte, settings *pflag.FlagSet) []byte {
	var b bytes.Buffer
	for _, section := range []struct {
		title string
		facts []fact
	}{{"EXIT STATUS", exitFacts()}, {"ENVIRONMENT", environment(settings)}, {"FILES", configurationFiles()}} {
		fmt.Fprintf(&b, "\n.SH %s\n", section.title)
		for _, f := range section.facts {
			fmt.Fprintf(&b, ".TP\n\\fB%s\\fP\n%s\n", roff(f.name), roff(f.meaning))
		}
	}
	at := bytes.Index(page, []byte("\n.SH SEE ALSO"))
	if at < 0 {
		at = len(page)
	}
	return append(page[:at:at], append(b.Bytes(), page[at:]...)...)
}

// roff escapes a line of text for troff.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = `\&` + text
	}
	return text
}
