package vec

import (
	"math"

	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// Float is a floating-point type with its instructions, whose operands stand in
// avo's order: sources, then the destination.
type Float struct {
	Go     string // its name in Go
	Suffix string // of functions, where those of float32 have none
	Bytes  int
}

var (
	Float32 = Float{"float32", "", 4}
	Float64 = Float{"float64", "Double", 8}
	Floats  = []Float{Float32, Float64}
)

// Double reports whether the type is float64.
func (f Float) Double() bool { return f.Bytes == 8 }

func (f Float) choose(single, double func(...Op), operands []Op) {
	if f.Double() {
		double(operands...)
	} else {
		single(operands...)
	}
}

func (f Float) Load(ops ...Op)      { f.choose(build.VMOVUPS, build.VMOVUPD, ops) } // or store
func (f Float) Move(ops ...Op)      { f.choose(build.VMOVAPS, build.VMOVAPD, ops) }
func (f Float) Broadcast(ops ...Op) { f.choose(build.VBROADCASTSS, build.VBROADCASTSD, ops) }
func (f Float) Add(ops ...Op)       { f.choose(build.VADDPS, build.VADDPD, ops) }
func (f Float) Sub(ops ...Op)       { f.choose(build.VSUBPS, build.VSUBPD, ops) } // b, a, a-b
func (f Float) Mul(ops ...Op)       { f.choose(build.VMULPS, build.VMULPD, ops) }
func (f Float) Div(ops ...Op)       { f.choose(build.VDIVPS, build.VDIVPD, ops) } // b, a, a/b
func (f Float) Max(ops ...Op)       { f.choose(build.VMAXPS, build.VMAXPD, ops) }
func (f Float) Min(ops ...Op)       { f.choose(build.VMINPS, build.VMINPD, ops) }
func (f Float) FMA(ops ...Op)       { f.choose(build.VFMADD231PS, build.VFMADD231PD, ops) }   // a, b, sum + a*b
func (f Float) FNMA(ops ...Op)      { f.choose(build.VFNMADD231PS, build.VFNMADD231PD, ops) } // a, b, sum - a*b

// Stream stores past the caches.
func (f Float) Stream(from, to Op) {
	if f.Double() {
		build.VMOVNTPD(from, to)
	} else {
		build.VMOVNTPS(from, to)
	}
}

// Blend sets dst to b where the mask, a vector, is set, else to a.
func (f Float) Blend(mask, b, a, dst Op) {
	if f.Double() {
		build.VBLENDVPD(mask, b, a, dst)
	} else {
		build.VBLENDVPS(mask, b, a, dst)
	}
}

// Compare sets a mask where "first predicate second" holds. As with the
// instructions the operands are second, first, mask; a mask before the last one
// says which lanes count.
func (f Float) Compare(predicate int, ops ...Op) {
	f.choose(build.VCMPPS, build.VCMPPD, append([]Op{Imm(uint64(predicate))}, ops...))
}

// Constant returns a number of the type.
func (f Float) Constant(v float64) Constant {
	if f.Double() {
		return F64(v)
	}
	return F32(v)
}

// Bits returns a number of the type by its bits, as infinities need.
func (f Float) Bits(v float64) Constant {
	if f.Double() {
		return U64(math.Float64bits(v))
	}
	return U32(math.Float32bits(float32(v)))
}
