package window

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

// Taps walks along a list of offsets in bytes.
type Taps struct{ List, N, T, Offset Register }

// NewTaps allocates the registers of a walk along a list of n offsets.
func NewTaps(list, n Register) Taps { return Taps{list, n, GP64(), GP64()} }

// First loads the first offset.
func (t Taps) First() { MOVQ(Mem{Base: t.List}, t.Offset) }

// Begin counts the first tap, which is done.
func (t Taps) Begin() { MOVQ(U32(1), t.T) }

// Others runs a body for each of the other taps, which go on at the label done
// where there is none.
func (t Taps) Others(label, done string, body func(), format string, groups ...any) {
	CMPQ(t.T, t.N)
	JGE(LabelRef(done))
	vec.Label(label, "Tap % of %, at offset %: "+format, append([]any{t.T, t.N, t.Offset}, groups...)...)
	MOVQ(Mem{Base: t.List, Index: t.T, Scale: 8}, t.Offset)
	body()
	INCQ(t.T)
	CMPQ(t.T, t.N)
	JL(LabelRef(label))
}

// Loader reads vector i of the tap at an offset.
type Loader func(offset Register, i int, to VecVirtual)
