package window

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// Winners reduces all taps into acc and the codes of the winning taps into at, and
// goes on at label+"Store". codes points to the code of each tap.
func (e Extremum) Winners(v vec.ISA, f Frame, codes Register, label string, acc, at []VecVirtual, load Loader) {
	taps := NewTaps(f.Taps, f.NTaps)
	nan, code := v.Mask(), v.Vector()
	begin := func() {
		taps.First()
		for i := range acc {
			load(taps.Offset, i, acc[i])
		}
		VPBROADCASTD(Mem{Base: codes}, code)
		for i := range at {
			if v.Wide() {
				VMOVDQA32(code, at[i])
			} else {
				VMOVDQA(code, at[i])
			}
		}
		taps.Begin()
	}
	tapCode := func() { VPBROADCASTD(Mem{Base: codes, Index: taps.T, Scale: 4}, code) }
	vec.Note("The first tap begins the values, in %, and their codes, in %; % is a tap's code, % notes NaN.", acc, at, code, nan)
	begin()
	e.Clear(v, nan)
	e.gatherAll(v, nan, acc)
	taps.Others(label+"Fast", label+"Done", func() {
		tapCode()
		for i := 0; i < len(acc); i += 2 {
			pair := make([]VecVirtual, min(2, len(acc)-i))
			for j := range pair {
				pair[j] = v.Vector()
				load(taps.Offset, i+j, pair[j])
			}
			e.gatherAll(v, nan, pair)
			for j, b := range pair {
				mask := v.Mask()
				e.Compare(e.Better(), b, acc[i+j], mask)
				e.Strict(acc[i+j], b, acc[i+j])
				e.Replace(v, mask, code, at[i+j])
			}
		}
	}, "where it is better, it goes to % and its code to %.", acc, at)
	vec.Label(label+"Done", "Without NaN these are the results, else the window is reduced again.")
	e.any(v, nan)
	JZ(vec.Ref(label + "Store"))

	begin()
	taps.Others(label+"Slow", label+"Store", func() {
		tapCode()
		for i := range acc {
			b := v.Vector()
			load(taps.Offset, i, b)
			mask := e.beats(v, b, acc[i])
			e.Replace(v, mask, b, acc[i])
			e.Replace(v, mask, code, at[i])
		}
	}, "where it replaces, it goes to % and its code to %.", acc, at)
}

// beats sets a mask where the later b replaces a: where it is better, and where it
// is the first NaN, or else the first number.
func (e Extremum) beats(v vec.ISA, b, a VecVirtual) Register {
	mask, nan, number := v.Mask(), v.Mask(), v.Mask()
	e.Compare(e.Better(), b, a, mask)
	if e.IgnoreNaN {
		e.Compare(vec.Unordered, a, a, nan)
		e.Compare(vec.Ordered, b, b, number)
	} else {
		e.Compare(vec.Unordered, b, b, nan)
		e.Compare(vec.Ordered, a, a, number)
	}
	if v.Wide() {
		KANDW(nan, number, number)
		KORW(number, mask, mask)
	} else {
		VPAND(nan, number, number)
		VPOR(number, mask, mask)
	}
	return mask
}

// WinnerLoop is the loop in Go that finds winners; end is what follows in it for
// number i of output o, whose value is v and whose winning tap is won.
func (e Extremum) WinnerLoop(end string) string {
	return fmt.Sprintf(`
for o := range outputs {
	for i := range n {
		at := o*step/%[1]d + i
		v, won := src[at+taps[0]/%[1]d], 0
		for t := 1; t < ntaps; t++ {
			if w := src[at+taps[t]/%[1]d]; %[2]s {
				v, won = w, t
			}
		}
%[3]s
	}
}`, e.Float.Bytes, e.ReplacingPlace(), end)
}
