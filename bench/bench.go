// Package bench carries the workloads that poolctl is judged by, for `poolctl
// bench --suite` and for the comparison with other libraries in peers/.
//
// It imports the standard library only and promises that every workload has a
// name of its own.
package bench

import (
	_ "embed"
	"strings"
)

//go:embed workloads.txt
var workloads string

// Workload is an operation on a shape.
type Workload struct {
	Name string
	Args []string // of `poolctl bench`
}

// Workloads returns all of them, in the order of the file.
func Workloads() []Workload {
	var list []Workload
	for line := range strings.Lines(workloads) {
		name, args, found := strings.Cut(line, "|")
		if found && !strings.HasPrefix(name, "#") {
			list = append(list, Workload{strings.TrimSpace(name), strings.Fields(args)})
		}
	}
	return list
}
