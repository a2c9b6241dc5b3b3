package bench

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed workloads.txt
var workloads string

// Workload is an operation on a shape.
type Workload struct {
	Name string
	Args []string // of `poolctl bench`
	Goal Goal
}

// Goal is the longest time that an operation should take, as a multiple of the
// fastest other library's time and of the machine's limit.
type Goal struct{ Peer, Limit float64 }

// Workloads returns all of them, in the order of the file.
func Workloads() []Workload {
	var list []Workload
	for line := range strings.Lines(workloads) {
		fields := strings.Split(line, "|")
		if len(fields) != 3 || strings.HasPrefix(line, "#") {
			continue
		}
		w := Workload{Name: strings.TrimSpace(fields[0]), Args: strings.Fields(fields[1])}
		if _, err := fmt.Sscan(fields[2], &w.Goal.Peer, &w.Goal.Limit); err != nil {
			panic(fmt.Sprintf("bench: workloads.txt: %s: %v", w.Name, err))
		}
		list = append(list, w)
	}
	return list
}
