package kernel

import "fmt"

// Choice is what planning decided among the implementations of an operation.
type Choice struct {
	Impl  string   // the one that runs
	Impls []string // all that can, best first
	Why   []Reject // those that would be better, and why they do not run
}

// candidate is an implementation, or the reason why it cannot run; or why it can
// but runs only when it is asked for.
type candidate[K any] struct {
	name, refusal, unasked string
	algorithm              Algorithm // of convolutions
	plan                   func() K
}

// choose plans the best candidate, or the one of the wanted name if that one can
// run. The list is best first. If none can run unasked the result is the zero
// value.
func choose[K any](list []candidate[K], want string) (k K, c Choice) {
	best, chosen := -1, -1
	for i := range list {
		if list[i].refusal != "" {
			continue
		}
		c.Impls = append(c.Impls, list[i].name)
		if best < 0 && list[i].unasked == "" {
			best = i
		}
		if list[i].name == want {
			chosen = i
		}
	}
	asked := chosen >= 0
	if !asked {
		chosen = best
	}
	if chosen < 0 {
		return k, c
	}
	for _, other := range list[:chosen] {
		reason := other.refusal
		switch {
		case reason == "" && asked:
			reason = fmt.Sprintf("%s was asked for", want)
		case reason == "":
			reason = other.unasked
		}
		c.Why = append(c.Why, Reject{other.name, reason})
	}
	c.Impl = list[chosen].name
	return list[chosen].plan(), c
}
