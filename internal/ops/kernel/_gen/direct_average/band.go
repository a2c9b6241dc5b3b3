package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/window"
)

// band writes the function for several rows of windows at stride 1 along the width.
// The rows that windows share are converted and summed once: for a block of columns
// first the sums of all rows, to a buffer of a few lines, then the windows.
func band(v vec.ISA) {
	half := v.Bytes / 2
	vec.Func{
		Name:      "averageBand" + v.Name,
		Signature: "func(dst, src *float32, taps *int, nx, n, stream, rows, rowStep, outputs, dstStep, ny, step int, reciprocal float64, buffer *float64)",
		Does:      "averages outputs rows of windows at stride 1 along the width, whose first rows are step rows apart, in float64, rounded once.",
		Loop: `
for i := range n {
	sums := make([]float64, rows)
	for y := range rows {
		sums[y] = float64(src[y*rowStep/4+i+taps[0]/4])
		for _, tap := range taps[1:nx] {
			sums[y] += float64(src[y*rowStep/4+i+tap/4])
		}
	}
	for o := range outputs {
		window := sums[o*step]
		for y := 1; y < ny; y++ {
			window += sums[o*step+y]
		}
		dst[o*dstStep/4+i] = float32(window * reciprocal)
	}
}`,
		Rules: []string{
			fmt.Sprintf("n counts numbers and is at least %d, rows is (outputs-1)*step + ny; nx, ny, step and outputs are at least 1.", half/4),
			"taps, rowStep and dstStep are bytes; buffer has room for four vectors for each of rows rows; reciprocal is 1 divided by the divisor.",
			fmt.Sprintf("With stream != 0 it writes past the caches: dst and dstStep must then be multiples of %d bytes and n of %d, and the caller needs a fence.", half, half/4),
		},
	}.Begin()
	p := vec.Params("dst", "src", "taps", "nx", "n", "buffer")
	dst, src, list, nx, n, buffer := p[0], p[1], p[2], p[3], p[4], p[5]
	vec.Note("% counts bytes from here on.", n)
	SHLQ(U8(2), n)
	by := window.Reciprocal(v)
	row := vec.NewRow("", n, half, 4)
	base, to, count := GP64(), GP64(), GP64()
	taps := window.NewTaps(list, nx)
	row.Each(func(vectors int, label string) {
		sums := v.Vectors(vectors)
		vec.Note("The sums of a row of cells are in %; % walks down the rows, % along the buffer.", sums, base, to)
		cell := func(i int) Mem { return Mem{Base: base, Index: taps.Offset, Scale: 1, Disp: i * half} }
		LEAQ(Mem{Base: src, Index: row.At, Scale: 1}, base)
		MOVQ(buffer, to)
		MOVQ(vec.Slot("rows"), count)
		vec.Label(label+"Row", "The cells of a row become one sum in the buffer; % rows are left.", count)
		MOVQ(vec.Slot("outputs"), taps.Offset)
		IMULQ(vec.Slot("step"), taps.Offset)
		IMULQ(vec.Slot("rowStep"), taps.Offset)
		vec.Note("The row of the next band.")
		vec.Prefetch(PREFETCHT1, Mem{Base: base, Index: taps.Offset, Scale: 1}, vectors*half)
		taps.First()
		for i, s := range sums {
			VCVTPS2PD(cell(i), s)
		}
		taps.Begin()
		taps.Others(label+"Cell", label+"Summed", func() {
			for i, s := range sums {
				x := v.Vector()
				VCVTPS2PD(cell(i), x)
				VADDPD(x, s, s)
			}
		}, "it is added to %.", sums)
		vec.Label(label+"Summed", "The row is summed.")
		for i, s := range sums {
			VMOVUPD(s, Mem{Base: to, Disp: i * v.Bytes})
		}
		ADDQ(U32(uint32(4*v.Bytes)), to)
		ADDQ(vec.Slot("rowStep"), base)
		DECQ(count)
		JNZ(LabelRef(label + "Row"))

		vec.Note("% is now the output.", base)
		LEAQ(Mem{Base: dst, Index: row.At, Scale: 1}, base)
		MOVQ(buffer, to)
		MOVQ(vec.Slot("outputs"), count)
		vec.Label(label+"Window", "A window adds up ny rows of the buffer from % on; % windows are left.", to, count)
		for i, s := range sums {
			VMOVUPD(Mem{Base: to, Disp: i * v.Bytes}, s)
		}
		MOVQ(to, taps.Offset)
		MOVQ(vec.Slot("ny"), taps.T)
		JMP(LabelRef(label + "More"))
		vec.Label(label+"Add", "The next row of the buffer.")
		ADDQ(U32(uint32(4*v.Bytes)), taps.Offset)
		for i, s := range sums {
			VADDPD(Mem{Base: taps.Offset, Disp: i * v.Bytes}, s, s)
		}
		vec.Label(label+"More", "% rows of the window are left, with the one just added.", taps.T)
		DECQ(taps.T)
		JNZ(LabelRef(label + "Add"))
		vec.Store(vec.Slot("stream"), label, Mem{Base: base}, half, window.Means(v, by, sums))
		ADDQ(vec.Slot("dstStep"), base)
		MOVQ(vec.Slot("step"), taps.Offset)
		IMUL3Q(U32(uint32(4*v.Bytes)), taps.Offset, taps.Offset)
		ADDQ(taps.Offset, to)
		DECQ(count)
		JNZ(LabelRef(label + "Window"))
	})
	vec.Return()
}

// band3x3 writes the averages of 3x3 windows.
func band3x3(v vec.ISA) {
	vec.Func{
		Name:      "averageBand3x3" + v.Name,
		Signature: "func(" + window.BandParameters + ", reciprocal float64)",
		Does:      "averages outputs rows of 3x3 windows in float64, rounded once.",
		Loop: `
for o := range outputs {
	for i := range n {
		row := func(y int) float64 {
			at := (o+y)*rowStep/4 + i
			return float64(src[at]) + float64(src[at+second/4]) + float64(src[at+third/4])
		}
		dst[o*dstStep/4+i] = float32((row(0) + row(1) + row(2)) * reciprocal)
	}
}`,
		Rules: append(window.BandRules(v.Bytes/8), "reciprocal is 1 divided by the divisor."),
	}.Begin()
	by := window.Reciprocal(v)
	window.Band{
		ISA:   v,
		Bytes: v.Bytes / 2,
		Row: func(h []VecVirtual, cell func(tap, i int) Mem) {
			for i := range h {
				VCVTPS2PD(cell(0, i), h[i])
			}
			for tap := 1; tap < 3; tap++ {
				for i := range h {
					x := v.Vector()
					VCVTPS2PD(cell(tap, i), x)
					VADDPD(x, h[i], h[i])
				}
			}
		},
		Rows: func(h0, h1, h2 []VecVirtual) (results []VecVirtual, bytes int) {
			for _, h := range [][]VecVirtual{h1, h2} {
				for i := range h0 {
					VADDPD(h[i], h0[i], h0[i])
				}
			}
			results = window.Means(v, by, h0)
			if len(results) == 2 && !v.Wide() { // so that they are read as they were stored
				whole := YMM()
				VINSERTF128(Imm(1), results[1], results[0].AsY(), whole)
				return []VecVirtual{whole}, v.Bytes
			}
			return results, v.Bytes / 2
		},
	}.Generate(2)
	vec.Return()
}
