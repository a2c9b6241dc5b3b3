package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/ops/kernel"
)

func (a *app) newCPUCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cpu", Short: "the CPU level that kernels are chosen for", GroupID: "about", Args: noInput,
		Long:    "Prints the features of the CPU and the level that kernels are chosen for. POOLCTL_CPU=generic|avx2|avx512 caps the level.",
		Example: examples([]ops.Example{{Does: "level, features, threads", Command: "poolctl cpu"}}),
		RunE: func(*cobra.Command, []string) error {
			level, err := cpuLevel()
			if err != nil {
				return err
			}
			if a.JSON {
				return json.NewEncoder(a.out).Encode(cpuReport{"poolctl.cpu/v1", runtime.GOARCH, kernel.Detected().String(), level.String(), kernel.Features(), a.Threads})
			}
			fmt.Fprintf(a.out, "arch      %s\nlevel     %s (the machine has %s; %s caps it)\nfeatures  %s\nthreads   %d\n",
				runtime.GOARCH, level, kernel.Detected(), kernel.Variable, strings.Join(kernel.Features(), " "), a.Threads)
			return nil
		},
	}
}

// cpuLevel returns the level that kernels are chosen for. Settings are refused
// where the variable that caps it cannot be read, so that no plan meets that.
func cpuLevel() (kernel.Level, error) {
	level, err := kernel.Capped()
	if err != nil {
		return level, usagef("%v", err)
	}
	return level, nil
}

// cpuReport is the JSON of cpu.
type cpuReport struct {
	Schema   string   `json:"schema"`
	Arch     string   `json:"arch"`
	Detected string   `json:"detected"`
	Level    string   `json:"level"`
	Features []string `json:"features"`
	Threads  int      `json:"threads"`
}
