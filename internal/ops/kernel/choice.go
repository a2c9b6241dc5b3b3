package kernel

import "fmt"

// Algorithm is a class of implementations of convolution; "" is Auto.
type Algorithm string

// The algorithms. Auto is the best of those that round every product and sum as
// the definition does; Winograd is the faster of its two sizes.
const (
	Auto        Algorithm = "auto"
	Direct      Algorithm = "direct"
	GEMM        Algorithm = "gemm"
	Winograd    Algorithm = "winograd"
	Winograd2x2 Algorithm = "winograd-2x2"
	Winograd4x4 Algorithm = "winograd-4x4"
)

// Algorithms lists all of them.
var Algorithms = []string{string(Auto), string(Direct), string(GEMM), string(Winograd), string(Winograd2x2), string(Winograd4x4)}

// Given reports whether an algorithm was chosen, rather than Auto.
func (a Algorithm) Given() bool { return a != "" && a != Auto }

// Takes reports whether an implementation of algorithm b will do.
func (a Algorithm) Takes(b Algorithm) bool {
	return !a.Given() || a == b || a == Winograd && (b == Winograd2x2 || b == Winograd4x4)
}

// Reject says why a better kernel was not chosen.
type Reject struct{ Impl, Reason string }

// Choice is what planning decided among the implementations of an operation.
type Choice struct {
	Impl  string   // the one that runs
	Impls []string // all that can, best first
	Why   []Reject // better ones, and why they do not run
}

// Candidate is an implementation, or the reason why it cannot run; or why it can
// but runs only when it is asked for.
type Candidate[K any] struct {
	Name, Refusal, Unasked string
	Algorithm              Algorithm // of convolutions
	Plan                   func() K
}

// RunsUnasked reports whether the candidate can run, and may without being asked
// for.
func (c Candidate[K]) RunsUnasked() bool { return c.Refusal == "" && c.Unasked == "" }

// Choose plans the best candidate, or the one of the wanted name if that one can
// run. The list is best first. If none can run unasked the result is the zero
// value.
func Choose[K any](list []Candidate[K], want string) (k K, c Choice) {
	best, chosen := -1, -1
	for i := range list {
		if list[i].Refusal != "" {
			continue
		}
		c.Impls = append(c.Impls, list[i].Name)
		if best < 0 && list[i].RunsUnasked() {
			best = i
		}
		if list[i].Name == want {
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
		reason := other.Refusal
		switch {
		case reason == "" && asked:
			reason = fmt.Sprintf("%s was asked for", want)
		case reason == "":
			reason = other.Unasked
		}
		c.Why = append(c.Why, Reject{other.Name, reason})
	}
	c.Impl = list[chosen].Name
	return list[chosen].Plan(), c
}

// LevelRefusal says why functions of a level cannot run: the build has no assembly,
// or the level is above the highest that may be used. It is empty if they can.
func LevelRefusal(built bool, level, most Level) string {
	switch {
	case !built:
		return "this build has no assembly"
	case level > most:
		return fmt.Sprintf("the level is %s (the machine's, or less by %s)", most, Variable)
	}
	return ""
}

// ISA names the instruction set of row functions: the level's, or go.
func ISA(level Level, assembly bool) string {
	if !assembly {
		return "go"
	}
	return level.String()
}
