package window

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// Element is the extremum's type.
func (e Extremum) Element() Element {
	if e.Float.Double() {
		return Float64s
	}
	return Float32s
}

// Replacing is the condition in Go with which a later w replaces v.
func (e Extremum) Replacing() string {
	if e.IgnoreNaN {
		return e.beating() + " || v != v"
	}
	return e.ReplacingPlace()
}

// ReplacingPlace is the condition with which a later w takes the place of v: of
// two NaN the first stays by either rule.
func (e Extremum) ReplacingPlace() string {
	if e.IgnoreNaN {
		return e.beating() + " || v != v && w == w"
	}
	return e.beating() + " || w != w && v == v"
}

func (e Extremum) beating() string {
	if e.Minimum {
		return "w < v"
	}
	return "w > v"
}

// Loop is the loop in Go that reduces windows.
func (e Extremum) Loop() string {
	return strings.NewReplacer("SIZE", fmt.Sprint(e.Float.Bytes), "REPLACES", e.Replacing()).Replace(`
for o := range outputs {
	for i := range n {
		at := o*step/SIZE + i
		v := src[at+taps[0]/SIZE]
		for _, tap := range taps[1:ntaps] {
			if w := src[at+tap/SIZE]; REPLACES {
				v = w
			}
		}
		dst[o*n+i] = v
	}
}`)
}

// Window reduces all taps into acc and goes on at label+"Store".
//
// NaN cost almost nothing: extrema are taken by VMAXPS, which passes them over, and
// whether any was met is gathered beside it, one comparison for two vectors. Only
// then is the block reduced once more, by the exact rule.
func (e Extremum) Window(v vec.ISA, f Frame, label string, acc []VecVirtual, load Loader) {
	taps := NewTaps(f.Taps, f.NTaps)
	nan := v.Mask()
	first := func() {
		taps.First()
		for i := range acc {
			load(taps.Offset, i, acc[i])
		}
		taps.Begin()
	}
	vec.Note("The first tap begins the results, in %; % notes NaN.", acc, nan)
	e.Clear(v, nan)
	first()
	e.gatherAll(v, nan, acc)
	taps.Others(label+"Fast", label+"Done", func() {
		next := make([]VecVirtual, len(acc))
		for i := range acc {
			next[i] = v.Vector()
			load(taps.Offset, i, next[i])
		}
		e.gatherAll(v, nan, next)
		for i := range acc {
			e.Strict(acc[i], next[i], acc[i])
		}
	}, "it is merged into %, NaN passed over.", acc)
	vec.Label(label+"Done", "Without NaN these are the results, else the window is reduced again.")
	e.any(v, nan)
	JZ(vec.Ref(label + "Store"))

	first()
	taps.Others(label+"Slow", label+"Store", func() {
		for i := range acc {
			b := v.Vector()
			load(taps.Offset, i, b)
			e.Merge(v, b, acc[i])
		}
	}, "it is merged into % by the exact rule.", acc)
}

// Clear empties a mask.
func (e Extremum) Clear(v vec.ISA, mask Register) {
	if v.Wide() {
		KXORW(mask, mask, mask)
	} else {
		VXORPS(mask, mask, mask)
	}
}

// Gather adds to a mask whether a or b holds a NaN.
func (e Extremum) Gather(v vec.ISA, nan Register, a, b VecVirtual) {
	mask := v.Mask()
	e.Compare(vec.Unordered, a, b, mask)
	if v.Wide() {
		KORW(mask, nan, nan)
	} else {
		VORPS(mask, nan, nan)
	}
}

// gatherAll gathers from a list, two at a time.
func (e Extremum) gatherAll(v vec.ISA, nan Register, list []VecVirtual) {
	for i := 0; i < len(list); i += 2 {
		e.Gather(v, nan, list[i], list[min(i+1, len(list)-1)])
	}
}

// any sets the zero flag if a mask is empty.
func (e Extremum) any(v vec.ISA, mask Register) {
	if v.Wide() {
		KORTESTW(mask, mask)
	} else {
		VPTEST(mask, mask)
	}
}

// EvenLoop is the loop in Go that reduces windows over single numbers at stride 2.
func (e Extremum) EvenLoop() string {
	return fmt.Sprintf(`
for o := range outputs {
	v := src[2*o+taps[0]/4]
	for _, tap := range taps[1:ntaps] {
		if w := src[2*o+tap/4]; %s {
			v = w
		}
	}
	dst[o] = v
}`, e.Replacing())
}

// PermutedLoop is the loop in Go that reduces windows over several cells at once.
func (e Extremum) PermutedLoop() string {
	return fmt.Sprintf(`
for o := range outputs {
	for i := range n {
		at := o*step/4 + int(lanes[i])
		v := src[at+taps[0]/4]
		for _, tap := range taps[1:ntaps] {
			if w := src[at+tap/4]; %s {
				v = w
			}
		}
		dst[o*n+i] = v
	}
}`, e.Replacing())
}

// BandName is the name of the function for bands of 3x3 windows.
func (e Extremum) BandName(v vec.ISA) string {
	return map[bool]string{false: "bandMax3x3", true: "bandMin3x3"}[e.Minimum] + v.Name
}

// BandLoop is the loop in Go that reduces bands of 3x3 windows.
func (e Extremum) BandLoop() string {
	return fmt.Sprintf(`
for o := range outputs {
	for i := range n {
		at := o*rowStep/4 + i
		v := src[at]
		for y := range 3 {
			for _, x := range []int{0, second, third} {
				w := src[at+(y*rowStep+x)/4]
				if w != w {
					nan = 1
				}
				v = %s(v, w)
			}
		}
		dst[o*dstStep/4+i] = v
	}
}`, e.Word())
}
