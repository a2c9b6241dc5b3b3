package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// versionText returns the version that the go command put into the binary: the
// module's, or the commit's in a clone.
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
		RunE: func(*cobra.Command, []string) error {
			if a.JSON {
				return json.NewEncoder(a.out).Encode(map[string]string{
					"schema": "poolctl.version/v1", "version": versionText(), "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH})
			}
			fmt.Fprintf(a.out, "poolctl %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func (a *app) newCPUCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cpu", Short: "the CPU level that kernels are chosen for", GroupID: "about", Args: noInput,
		Long:    "Prints what the CPU has and which level kernels are chosen for. POOLCTL_CPU=generic|avx2|avx512 caps the level.",
		Example: examples([]ops.Example{{Does: "level, features, threads", Command: "poolctl cpu"}}),
		RunE: func(*cobra.Command, []string) error {
			level, err := kernel.Capped()
			if err != nil {
				return usagef("%v", err)
			}
			if a.JSON {
				return json.NewEncoder(a.out).Encode(struct {
					Schema   string   `json:"schema"`
					Arch     string   `json:"arch"`
					Detected string   `json:"detected"`
					Level    string   `json:"level"`
					Features []string `json:"features"`
					Threads  int      `json:"threads"`
				}{"poolctl.cpu/v1", runtime.GOARCH, kernel.Detected().String(), level.String(), kernel.Features(), a.Threads})
			}
			fmt.Fprintf(a.out, "arch      %s\nlevel     %s (the machine has %s; %s caps it)\nfeatures  %s\nthreads   %d\n",
				runtime.GOARCH, level, kernel.Detected(), kernel.Variable, strings.Join(kernel.Features(), " "), a.Threads)
			return nil
		},
	}
}

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
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return err
			}
			pages, err := filepath.Glob(filepath.Join(args[0], "poolctl*.1"))
			if err != nil {
				return err
			}
			a.note("%d pages in %s", len(pages), args[0])
			return nil
		},
	}
}
