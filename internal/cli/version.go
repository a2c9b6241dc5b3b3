package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/ops"
)

// versionText returns the version that the go command recorded in the binary:
// that of the module, or the commit of a clone.
func versionText() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func (a *app) newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "the version of poolctl and of Go", GroupID: "about", Args: noInput,
		Example: examples([]ops.Example{{Does: "for scripts", Command: "poolctl version --json"}}),
		RunE:    func(*cobra.Command, []string) error { return a.printVersion() },
	}
}

// printVersion prints the version of poolctl, of Go and of the system.
func (a *app) printVersion() error {
	if a.JSON {
		return json.NewEncoder(a.out).Encode(versionReport{"poolctl.version/v1", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH})
	}
	fmt.Fprintf(a.out, "poolctl %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// versionReport is the JSON of version.
type versionReport struct {
	Schema  string `json:"schema"`
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}
