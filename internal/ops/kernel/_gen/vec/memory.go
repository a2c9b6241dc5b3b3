package vec

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// tables are the constants that the file has, by name.
var tables = map[string]Mem{}

// Table returns where constants of one size lie side by side, which are written
// once for each name.
func Table(name string, list ...Constant) Mem {
	if m, written := tables[name]; written {
		return m
	}
	m := build.GLOBL(name, attr.NOPTR|attr.RODATA)
	for i, c := range list {
		build.DATA(i*c.Bytes(), c)
	}
	tables[name] = m
	return m
}

// numbers are the constants that the file has, by type and value.
var numbers = map[Constant]Mem{}

// Number returns where a number of the type lies.
func (f Float) Number(v float64) Mem {
	c := f.Constant(v)
	if _, written := numbers[c]; !written {
		numbers[c] = Table(fmt.Sprintf("%sConstant%d", f.Go, len(numbers)), c)
	}
	return numbers[c]
}

// Uint64s makes constants of numbers.
func Uint64s(numbers ...uint64) (list []Constant) {
	for _, n := range numbers {
		list = append(list, U64(n))
	}
	return list
}

// Store writes registers side by side from an address on, past the caches where
// stream is not 0.
func Store(stream Op, label string, to Mem, step int, list []VecVirtual) {
	StoreTo(stream, label, func(i int) Mem { return to.Offset(i * step) }, list)
}

// StoreTo is Store of register i to place(i).
func StoreTo(stream Op, label string, place func(i int) Mem, list []VecVirtual) {
	Either(stream, label, func() {
		for i, r := range list {
			build.VMOVUPS(r, place(i))
		}
	}, func() {
		for i, r := range list {
			build.VMOVNTPS(r, place(i))
		}
	})
}

// Either stores through the caches, or past them where stream is not 0.
func Either(stream Op, label string, through, past func()) {
	build.CMPQ(stream, U8(0))
	build.JNE(LabelRef(label + "Stream"))
	through()
	build.JMP(LabelRef(label + "Stored"))
	Label(label+"Stream", "Past the caches.")
	past()
	Label(label+"Stored", "Everything is stored.")
}

// Prefetch asks for the lines of so many bytes from an address on, for the cache
// that an instruction names.
func Prefetch(instruction func(Op), from Mem, bytes int) {
	for line := 0; line < bytes; line += LineBytes {
		instruction(from.Offset(line))
	}
}
