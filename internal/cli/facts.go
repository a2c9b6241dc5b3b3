package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// fact is a row of a table that help, manual pages and docs/configuration.md
// share.
type fact struct{ name, meaning string }

// exitStatus lists the exit codes: what help says of them, and what manual pages
// and docs/configuration.md add to it.
var exitStatus = []struct {
	code   int
	brief  string
	detail string
}{
	{exitDone, "done", ""},
	{exitData, "input, output or data error", ": an argument does not fit the data"},
	{exitUsage, "usage or configuration error", ": the command line, the configuration or the pipeline is invalid, whatever the data"},
	{exitDiffers, "a comparison or a check differs", ""},
	{exitPartial, "part of a batch failed", "; the rest is done"},
	{exitLimit, "refused by a limit", ", such as --max-memory, before any work"},
	{exitInterrupted, "interrupted", ""},
	{exitTerminated, "terminated", ""},
}

// exitCodesInBrief returns the exit codes as one line of help.
func exitCodesInBrief() string {
	list := make([]string, len(exitStatus))
	for i, e := range exitStatus {
		list[i] = fmt.Sprintf("%d %s", e.code, e.brief)
	}
	return strings.Join(list, "; ") + "."
}

// exitFacts returns the exit codes as facts.
func exitFacts() []fact {
	var list []fact
	for _, e := range exitStatus {
		list = append(list, fact{fmt.Sprint(e.code), e.brief + e.detail})
	}
	return list
}

// environment returns the variables that the program reads. Those of settings
// follow from the flags.
func environment(settings *pflag.FlagSet) []fact {
	var list []fact
	settings.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" {
			list = append(list, fact{config.Variable(f.Name), "the same as --" + f.Name})
		}
	})
	return append(list,
		fact{kernel.Variable, "use kernels of this CPU level at most: generic, avx2 or avx512"},
		fact{"NO_COLOR", "no colours, if it is not empty and --color is auto"},
		fact{"CLICOLOR_FORCE", "colours also where the output is no terminal, if it is neither empty nor 0 and --color is auto"},
		fact{"COLORTERM", "truecolor or 24bit: previews use 16 million colours instead of 256"},
		fact{"COLUMNS", "the width of previews, in place of the terminal's"},
		fact{"TERM", "dumb: no colours and no progress bar"},
		fact{"SOURCE_DATE_EPOCH", "the date of manual pages, in seconds since 1970"},
	)
}

// configurationFiles returns where the configuration file is looked for.
func configurationFiles() []fact {
	return []fact{
		{"--config FILE, or " + config.Variable("config"), "must exist"},
		{"$XDG_CONFIG_HOME/poolctl/config.yaml", "Linux and other Unix systems; without the variable ~/.config/poolctl/config.yaml"},
		{"~/Library/Application Support/poolctl/config.yaml", "macOS"},
		{`%AppData%\poolctl\config.yaml`, "Windows"},
	}
}
