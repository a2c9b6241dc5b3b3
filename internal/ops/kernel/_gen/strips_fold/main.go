// Command strips_fold writes the functions that combine shifted rows of
// accumulators: those of extrema of float64, of sums and of keys. Extrema of float32
// have theirs in _gen/direct, where a window is the same thing.
package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

func main() {
	vec.Main("pool/strips_fold", func() {
		window.MinusZero(minusZero)
		slide()
		for _, v := range vec.ISAs {
			for _, e := range window.Extrema(vec.Float64) {
				fold := vec.Func{Name: e.Name("wide", v), Does: "reduces windows to their " + e.Word() + "imum. " + e.Rule(), Loop: e.Loop()}
				window.Wide(v, window.Float64s, fold, func(f window.Frame, label string, acc []VecVirtual, load window.Loader) {
					e.Window(v, f, label, acc, load)
				})
			}
			sum := vec.Func{Name: "wideSum" + v.Name, Does: "adds up windows, tap by tap.", Loop: loop("v += $")}
			window.Wide(v, window.Float64s, sum, window.InOrder(v, func(b, a VecVirtual) { VADDPD(b, a, a) }))
			keys := vec.Func{Name: "wideKeys" + v.Name, Does: "reduces windows of keys to their maximum.", Loop: loop("v = max(v, $)")}
			window.Wide(v, window.Int64s, keys, window.InOrder(v, func(b, a VecVirtual) { largerKey(v, b, a) }))
			pairs := vec.Func{
				Name: "widePairs" + v.Name,
				Does: "adds up windows of pairs, each a sum and what rounding took from it (type double), tap by tap.",
				Loop: pairLoop("v = addDouble(v, $)"),
			}
			window.Wide(v, window.Pairs, pairs, window.InOrder(v, func(b, a VecVirtual) { addPair(v, b, a) }))
			for _, e := range window.Extrema(vec.Float64) {
				located := vec.Func{
					Name: e.Name("located", v),
					Does: "reduces windows of pairs, each a number and its place (type located[float64]), to that of the " + e.Word() + "imum. " + e.Rule(),
					Loop: pairLoop("if w := $; " + locatedCondition(e) + " {\n\t\t\t\tv = w\n\t\t\t}"),
				}
				window.Wide(v, window.Pairs, located, window.InOrder(v, func(b, a VecVirtual) { locate(v, e, b, a) }))
			}
			keysOfFloats(v)
		}
	})
}

const minusZero = "minusZero"

// loop is the loop in Go over rows of numbers of 8 bytes; step is what a tap, $,
// does to the accumulator v.
func loop(step string) string {
	return `
for o := range outputs {
	for i := range n {
		at := o*step/8 + i
		v := src[at+taps[0]/8]
		for _, tap := range taps[1:ntaps] {
			` + strings.ReplaceAll(step, "$", "src[at+tap/8]") + `
		}
		dst[o*n+i] = v
	}
}`
}

// pairLoop is loop for pairs.
func pairLoop(step string) string {
	return strings.ReplaceAll(loop(step), "/8", "/16")
}

// locatedCondition is the condition with which a pair w takes the place of v.
func locatedCondition(e window.Extremum) string {
	var words []string
	for word := range strings.FieldsSeq(e.ReplacingPlace()) {
		if word == "v" || word == "w" {
			word += ".value"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// addPair adds b to a by Knuth's two-sum, as Go's addDouble does.
func addPair(v vec.ISA, b, a VecVirtual) {
	sum, from, rest := v.Vector(), v.Vector(), v.Vector()
	VADDPD(b, a, sum)
	VSUBPD(a, sum, from)
	VSUBPD(from, b, rest)
	VSUBPD(from, sum, from)
	VSUBPD(from, a, from)
	VADDPD(rest, from, rest)
	number, nothing := v.Mask(), v.Vector()
	VCMPPD(Imm(vec.Ordered), rest, rest, number)
	if v.Wide() {
		VMOVAPD_Z(rest, number, rest)
	} else {
		VANDPD(number, rest, rest)
	}
	VBROADCASTSD(window.MinusZero(minusZero), nothing)
	VUNPCKLPD(rest, nothing, rest) // the rest of the sum goes with the lower number
	VADDPD(rest, sum, a)
}

// locate sets a to the pair b where its number replaces that of a.
func locate(v vec.ISA, e window.Extremum, b, a VecVirtual) {
	before, after := v.Vector(), v.Vector()
	VMOVDDUP(a, before)
	VMOVDDUP(b, after)
	e.Replace(v, e.Replaces(v, after, before), b, a)
}

// largerKey sets a to the larger of two vectors of int64.
func largerKey(v vec.ISA, b, a VecVirtual) {
	if v.Wide() {
		VPMAXSQ(b, a, a)
		return
	}
	less := v.Vector()
	VPCMPGTQ(a, b, less)
	VBLENDVPD(less, b, a, a)
}
