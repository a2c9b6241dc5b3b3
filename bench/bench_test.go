package bench_test

import (
	"slices"
	"testing"

	"github.com/poolctl/poolctl/bench"
)

func TestWorkloads(t *testing.T) {
	list := bench.Workloads()
	if len(list) != 24 {
		t.Errorf("got %d workloads, want 24", len(list))
	}
	seen := map[string]bool{}
	for _, w := range list {
		if seen[w.Name] || w.Name == "" {
			t.Errorf("name %q twice or missing", w.Name)
		}
		seen[w.Name] = true
		if !slices.Contains(w.Args, "--shape") {
			t.Errorf("%s: no shape in %q", w.Name, w.Args)
		}
		if w.Goal.Peer <= 0 || w.Goal.Peer > 1 || w.Goal.Limit < 1 {
			t.Errorf("%s: goals are %v, want at most a peer's time and at least the limit's", w.Name, w.Goal)
		}
	}
}
