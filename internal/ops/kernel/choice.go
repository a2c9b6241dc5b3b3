package kernel

import "fmt"

// Choice is what planning decided among the implementations of an operation.
type Choice struct {
	Impl  string   // the one that runs
	Impls []string // all that can, best first
	Why   []Reject // those that would be better, and why they do not run
}

// candidate is an implementation, or the reason why it cannot run.
type candidate[K any] struct {
	name, refusal string
	plan          func() K
}

// choose plans the best candidate, or the one of the wanted name if that one can
// run. The list is best first, and one of it can run.
func choose[K any](list []candidate[K], want string) (K, Choice) {
	var c Choice
	best, chosen := -1, -1
	for i := range list {
		if list[i].refusal != "" {
			continue
		}
		c.Impls = append(c.Impls, list[i].name)
		if best < 0 {
			best = i
		}
		if list[i].name == want {
			chosen = i
		}
	}
	if chosen < 0 {
		chosen = best
	}
	for _, other := range list[:chosen] {
		if other.refusal == "" {
			other.refusal = fmt.Sprintf("%s was asked for", want)
		}
		c.Why = append(c.Why, Reject{other.name, other.refusal})
	}
	c.Impl = list[chosen].name
	return list[chosen].plan(), c
}
