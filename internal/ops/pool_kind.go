package ops

import (
	"errors"
	"fmt"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
)

// poolKind is a kind of pooling: a value of --type. Whatever depends on the kind
// reads its row below.
type poolKind struct {
	name      string
	reduction pool.Reduction
	params    func(o *Pool) []Param // that have a meaning with some kinds only; nil: none
	check     func(o *Pool) error   // refuses parameters by themselves; nil: nothing to refuse

	// fits refuses windows that are too small for the kind; nil: none are.
	fits func(o *Pool, g *geom.Geometry) error

	winner    bool // a result is one cell, the maximum or minimum: --argmax, --ties, --from-argmax and --second have a meaning
	linear    bool
	irregular bool // adaptive and fractional windows too
	samples   bool // averages of samples, which a picture may hold in the samples' type

	// gradient adds the stages that compute the input's gradient dst from the
	// upstream one.
	gradient func(p *poolGradient, dst, dy buf)
}

// poolKinds lists all kinds, in the order of help.
var poolKinds = []poolKind{
	{name: "max", reduction: pool.Max, winner: true, irregular: true, gradient: (*poolGradient).extremum},
	{name: "avg", reduction: pool.Average, params: (*Pool).averageParams, linear: true, irregular: true, samples: true, gradient: (*poolGradient).average},
	{name: "min", reduction: pool.Min, winner: true, gradient: (*poolGradient).extremum},
	{name: "sum", reduction: pool.Sum, linear: true, gradient: (*poolGradient).average},
	{name: "lp", reduction: pool.LP, params: (*Pool).lpParams, gradient: (*poolGradient).lp},
	{name: "median", reduction: pool.Median, irregular: true, gradient: (*poolGradient).median},
	{name: "rank", reduction: pool.Rank, params: (*Pool).rankParams, check: (*Pool).checkRank, fits: (*Pool).fitsRank, irregular: true, gradient: (*poolGradient).rank},
	{name: "std", reduction: pool.Deviation, params: (*Pool).spreadParams, irregular: true, gradient: (*poolGradient).moments},
	{name: "var", reduction: pool.Variance, params: (*Pool).spreadParams, irregular: true, gradient: (*poolGradient).moments},
}

// poolTypes names the kinds for which a condition holds.
func poolTypes(holds func(*poolKind) bool) []string {
	var names []string
	for i := range poolKinds {
		if holds(&poolKinds[i]) {
			names = append(names, poolKinds[i].name)
		}
	}
	return names
}

func anyPoolKind(*poolKind) bool { return true }

// either joins words as messages have them: max or avg.
func either(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// kind returns the row of --type, nil where none is given.
func (o *Pool) kind() *poolKind {
	for i := range poolKinds {
		if poolKinds[i].name == o.Type {
			return &poolKinds[i]
		}
	}
	return nil
}

// is reports whether the kind is given and a condition holds for it.
func (o *Pool) is(holds func(*poolKind) bool) bool {
	k := o.kind()
	return k != nil && holds(k)
}

func (k *poolKind) isWinner() bool    { return k.winner }
func (k *poolKind) isIrregular() bool { return k.irregular }

// linear reports whether pooling, as it was called, is linear.
func (o *Pool) linear() bool {
	return !o.LinearLight && o.is(func(k *poolKind) bool { return k.linear })
}

// kindParams returns the parameters that have a meaning with some kinds only, and
// the names of these kinds.
func (o *Pool) kindParams() (params []Param, kindsOf map[string][]string) {
	kindsOf = map[string][]string{}
	for i := range poolKinds {
		if k := &poolKinds[i]; k.params != nil {
			for _, p := range k.params(o) {
				if kindsOf[p.Name] == nil {
					params = append(params, p)
				}
				kindsOf[p.Name] = append(kindsOf[p.Name], k.name)
			}
		}
	}
	return params, kindsOf
}

// spreadParams are those of all kinds that count cells.
func (o *Pool) spreadParams() []Param {
	return []Param{boolParam("count-include-pad", &o.CountPadding, "cells of the padding count, as zeros: averages divide by them too")}
}

func (o *Pool) averageParams() []Param {
	return append(o.spreadParams(),
		intParam("divisor", &o.Divisor, "the count", "averages divide by this number instead of a count", func(v int) error {
			if v == 0 {
				return errors.New("got 0, want any other whole number")
			}
			return nil
		}),
		linearLightParam(&o.LinearLight),
	)
}

func (o *Pool) lpParams() []Param {
	return []Param{numberParam("p", &o.P, 2, "exponent of lp pooling; inf is the largest magnitude", func(v float64) error {
		if v <= 0 {
			return fmt.Errorf("got %s, want > 0", formatNumber(v))
		}
		return nil
	})}
}

func (o *Pool) rankParams() []Param {
	return []Param{optionalCountParam("rank", &o.Rank, -1, "which cell of the window in the order of values; 0 is the smallest")}
}

func (o *Pool) checkRank() error {
	if !o.Rank.given {
		return usage("pool", "rank", "missing, want a whole number with --type rank: 0 is the smallest cell of a window")
	}
	return nil
}

// fitsRank refuses a rank that some window has not.
func (o *Pool) fitsRank(g *geom.Geometry) error {
	if g.Empty() {
		return nil
	}
	cells := 1
	for _, a := range g.Axes {
		cells *= a.Fewest()
	}
	rank := int(o.Rank.value)
	switch {
	case rank < cells:
		return nil
	case cells == 1:
		return unfit("pool", "rank", "got %d, want 0 (the smallest window has one real cell)", rank)
	}
	return unfit("pool", "rank", "got %d, want at most %d (the smallest window has %d real cells)", rank, cells-1, cells)
}
