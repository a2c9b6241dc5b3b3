package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// locate writes the functions that also say where each maximum or minimum was.
// Tap t has the number codes[t] relative to the first one; a vector keeps the
// number of the tap beside each value and becomes 64 bits wide once, when the
// window is done: base, plus what the lane adds, plus the tap's number.
func locate() {
	for _, minimum := range []bool{false, true} {
		for _, ignore := range []bool{false, true} {
			r := reduction{extremum{minimum: minimum}, ignore}
			for _, v := range isas {
				r.locateWide(v)
			}
			r.locateNarrow()
			r.locateQuad()
		}
	}
}

var located = parameters + ", codes *int32, argmax *int64, lanes *int64, base, baseStep, laneStep int"

// argument returns the place of a parameter that is used too rarely for a
// register.
func argument(name string) Mem {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// positions holds the registers of what numbers cells.
type positions struct{ codes, argmax, base Register }

func newPositions() positions {
	return positions{Load(Param("codes"), GP64()), Load(Param("argmax"), GP64()), Load(Param("base"), GP64())}
}

// winners reduces all taps into acc and the numbers of the winning taps into at,
// and goes on at label+"Store".
func (r reduction) winners(v isa, f frame, p positions, label string, acc, at []VecVirtual, load func(offset Register, i int, to VecVirtual)) {
	t, offset := GP64(), GP64()
	nan, code := v.mask(), v.vector()
	begin := func() {
		MOVQ(Mem{Base: f.taps}, offset)
		for i := range acc {
			load(offset, i, acc[i])
		}
		VPBROADCASTD(Mem{Base: p.codes}, code)
		for i := range at {
			if v.wide() {
				VMOVDQA32(code, at[i])
			} else {
				VMOVDQA(code, at[i])
			}
		}
		MOVQ(U32(1), t)
	}
	next := func(to string) {
		INCQ(t)
		CMPQ(t, f.ntaps)
		JL(LabelRef(label + to))
	}
	tap := func() {
		MOVQ(Mem{Base: f.taps, Index: t, Scale: 8}, offset)
		VPBROADCASTD(Mem{Base: p.codes, Index: t, Scale: 4}, code)
	}
	better := greater
	if r.minimum {
		better = less
	}
	begin()
	r.clear(v, nan)
	for i := 0; i < len(acc); i += 2 {
		r.gather(v, nan, acc[i], acc[min(i+1, len(acc)-1)])
	}
	CMPQ(t, f.ntaps)
	JGE(LabelRef(label + "Done"))
	Label(label + "Fast")
	tap()
	for i := 0; i < len(acc); i += 2 {
		pair := []VecVirtual{v.vector(), nil}
		load(offset, i, pair[0])
		last := pair[0]
		if i+1 < len(acc) {
			pair[1] = v.vector()
			load(offset, i+1, pair[1])
			last = pair[1]
		}
		r.gather(v, nan, pair[0], last)
		for j, b := range pair {
			if b == nil {
				continue
			}
			mask := v.mask()
			r.compare(better, b, acc[i+j], mask)
			r.strict(acc[i+j], b, acc[i+j])
			r.replace(v, mask, code, at[i+j])
		}
	}
	next("Fast")
	Label(label + "Done")
	r.any(v, nan)
	JZ(LabelRef(label + "Store"))

	begin()
	CMPQ(t, f.ntaps)
	JGE(LabelRef(label + "Store"))
	Label(label + "Slow")
	tap()
	for i := range acc {
		b := v.vector()
		load(offset, i, b)
		mask := r.beats(v, b, acc[i], better)
		r.replace(v, mask, b, acc[i])
		r.replace(v, mask, code, at[i])
	}
	next("Slow")
}

// beats sets a mask where the later b replaces a: where it is better, and with
// propagation where it is the first NaN, otherwise where it is the first number.
func (r reduction) beats(v isa, b, a VecVirtual, better int) Register {
	mask, nan, number := v.mask(), v.mask(), v.mask()
	r.compare(better, b, a, mask)
	if r.ignoreNaN {
		r.compare(unordered, a, a, nan)
		r.compare(ordered, b, b, number)
	} else {
		r.compare(unordered, b, b, nan)
		r.compare(ordered, a, a, number)
	}
	if v.wide() {
		KANDW(nan, number, number)
		KORW(number, mask, mask)
	} else {
		VPAND(nan, number, number)
		VPOR(number, mask, mask)
	}
	return mask
}

// origin sets a vector of 64-bit lanes to the numbers of the first tap of the
// cell's numbers from at (in bytes) on.
func origin(v isa, p positions, at Register) VecVirtual {
	first, pointer, vector := GP64(), GP64(), v.vector()
	if at == nil {
		VPBROADCASTQ(spread(p.base), vector)
	} else {
		MOVQ(at, first)
		SHRQ(U8(2), first)
		IMULQ(argument("laneStep"), first)
		ADDQ(p.base, first)
		VPBROADCASTQ(spread(first), vector)
	}
	MOVQ(argument("lanes"), pointer)
	VPADDQ(Mem{Base: pointer}, vector, vector)
	return vector
}

// spread moves a general register to a vector's first lane.
func spread(from Register) VecVirtual {
	x := XMM()
	VMOVQ(from, x)
	return x
}

// widened returns the 64-bit numbers of half of a vector's lanes.
func widened(v isa, at VecVirtual, high bool, from VecVirtual) VecVirtual {
	wide := v.vector()
	part := at.AsX()
	if v.wide() {
		part = at.AsY()
	}
	if high {
		upper := v.half()
		if v.wide() {
			VEXTRACTI64X4(Imm(1), at, upper)
		} else {
			VEXTRACTI128(Imm(1), at, upper)
		}
		part = upper
	}
	VPMOVSXDQ(part, wide)
	VPADDQ(from, wide, wide)
	return wide
}

func (r reduction) locateWide(v isa) {
	TEXT(r.name("locateWide", v), NOSPLIT, "func("+located+", stream, fetches int)")
	Pragma("noescape")
	Doc(r.name("locateWide", v)+" is "+r.name("wide", v)+" that also numbers the winners: number i of output o adds",
		"base + o*baseStep + i*laneStep to its tap's code; lanes holds the first multiples of laneStep.")
	f, p := newFrame(), newPositions()
	at, left := GP64(), GP64()
	block := func(vectors int, label string) {
		acc, where := make([]VecVirtual, vectors), make([]VecVirtual, vectors)
		for i := range acc {
			acc[i], where[i] = v.vector(), v.vector()
		}
		base := GP64()
		LEAQ(Mem{Base: f.src, Index: at, Scale: 1}, base)
		if vectors > 1 {
			prefetch(f, base, vectors*v.bytes, label)
		}
		r.winners(v, f, p, label, acc, where, func(offset Register, i int, to VecVirtual) {
			VMOVUPS(Mem{Base: base, Index: offset, Scale: 1, Disp: i * v.bytes}, to)
		})
		Label(label + "Store")
		from, further := origin(v, p, at), v.vector()
		step := GP64()
		MOVQ(argument("laneStep"), step)
		SHLQ(U8(map[bool]uint8{false: 2, true: 3}[v.wide()]), step)
		VPBROADCASTQ(spread(step), further)
		CMPQ(argument("stream"), U8(0))
		JNE(LabelRef(label + "Stream"))
		first := v.vector()
		VMOVUPS(from, first)
		store := func(from VecVirtual, values, numbers func(x, m Op)) {
			for i := range acc {
				values(acc[i], Mem{Base: f.dst, Index: at, Scale: 1, Disp: i * v.bytes})
				for half, high := range []bool{false, true} {
					wide := widened(v, where[i], high, from)
					numbers(wide, Mem{Base: p.argmax, Index: at, Scale: 2, Disp: (2*i + half) * v.bytes})
					VPADDQ(further, from, from)
				}
			}
		}
		store(first, func(x, m Op) { VMOVUPS(x, m) }, func(x, m Op) { VMOVUPS(x, m) })
		JMP(LabelRef(label + "Stored"))
		Label(label + "Stream")
		store(from, func(x, m Op) { VMOVNTPS(x, m) }, func(x, m Op) { VMOVNTDQ(x, m) })
		Label(label + "Stored")
	}
	Label("output")
	XORQ(at, at)
	Label("many")
	MOVQ(f.n, left)
	SUBQ(at, left)
	CMPQ(left, U32(uint32(2*v.bytes)))
	JL(LabelRef("one"))
	block(2, "many")
	ADDQ(U32(uint32(2*v.bytes)), at)
	JMP(LabelRef("many"))
	Label("one")
	MOVQ(f.n, left)
	SUBQ(at, left)
	JZ(LabelRef("next"))
	CMPQ(left, U32(uint32(v.bytes)))
	JGE(LabelRef("whole"))
	LEAQ(Mem{Base: f.n, Disp: -v.bytes}, at)
	Label("whole")
	block(1, "one")
	ADDQ(U32(uint32(v.bytes)), at)
	JMP(LabelRef("one"))
	Label("next")
	ADDQ(f.n, f.dst)
	LEAQ(Mem{Base: p.argmax, Index: f.n, Scale: 2}, p.argmax)
	ADDQ(argument("baseStep"), p.base)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

func (r reduction) locateNarrow() {
	v := avx2
	TEXT(r.name("locateNarrow", v), NOSPLIT, "func("+located+", mask *int32)")
	Pragma("noescape")
	Doc(r.name("locateNarrow", v) + " is " + r.name("narrow", v) + " that also numbers the winners; lanes holds eight multiples of laneStep.")
	f, p := newFrame(), newPositions()
	pointer, mask, masks := Load(Param("mask"), GP64()), YMM(), []VecVirtual{YMM(), YMM()}
	VMOVUPS(Mem{Base: pointer}, mask)
	VPMOVSXDQ(Mem{Base: pointer}, masks[0])
	VPMOVSXDQ(Mem{Base: pointer, Disp: 16}, masks[1])
	Label("output")
	acc, at := YMM(), YMM()
	r.winners(v, f, p, "output", []VecVirtual{acc}, []VecVirtual{at}, func(offset Register, _ int, to VecVirtual) {
		VMASKMOVPS(Mem{Base: f.src, Index: offset, Scale: 1}, mask, to)
	})
	Label("outputStore")
	VMASKMOVPS(acc, mask, Mem{Base: f.dst})
	lanes, from := GP64(), YMM()
	MOVQ(argument("lanes"), lanes)
	for half, high := range []bool{false, true} {
		VPBROADCASTQ(spread(p.base), from)
		VPADDQ(Mem{Base: lanes, Disp: 32 * half}, from, from)
		VPMASKMOVQ(widened(v, at, high, from), masks[half], Mem{Base: p.argmax, Disp: 32 * half})
	}
	ADDQ(f.n, f.dst)
	LEAQ(Mem{Base: p.argmax, Index: f.n, Scale: 2}, p.argmax)
	ADDQ(argument("baseStep"), p.base)
	ADDQ(f.step, f.src)
	DECQ(f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}

func (r reduction) locateQuad() {
	v := avx2
	TEXT(r.name("locateQuad", v), NOSPLIT, "func("+located+")")
	Pragma("noescape")
	Doc(r.name("locateQuad", v)+" is "+r.name("quad", v)+" that also numbers the winners, and writes up to 32 bytes from",
		"the beginning of a cell's numbers.")
	f, p := newFrame(), newPositions()
	Label("output")
	acc, at := []VecVirtual{YMM(), YMM()}, []VecVirtual{YMM(), YMM()}
	r.winners(v, f, p, "output", acc, at, quadLoad(f))
	Label("outputStore")
	from, step := origin(v, p, nil), YMM()
	more := GP64()
	MOVQ(argument("baseStep"), more)
	VPBROADCASTQ(spread(more), step)
	LEAQ(Mem{Base: p.base, Index: more, Scale: 4}, p.base)
	for i := range acc {
		VMOVUPS(acc[i].AsX(), Mem{Base: f.dst})
		VEXTRACTF128(Imm(1), acc[i], Mem{Base: f.dst, Index: f.n, Scale: 1})
		LEAQ(Mem{Base: f.dst, Index: f.n, Scale: 2}, f.dst)
		for _, high := range []bool{false, true} {
			VMOVUPS(widened(v, at[i], high, from), Mem{Base: p.argmax})
			LEAQ(Mem{Base: p.argmax, Index: f.n, Scale: 2}, p.argmax)
			VPADDQ(step, from, from)
		}
	}
	LEAQ(Mem{Base: f.src, Index: f.step, Scale: 4}, f.src)
	SUBQ(U32(4), f.outputs)
	JNZ(LabelRef("output"))
	VZEROUPPER()
	RET()
}
