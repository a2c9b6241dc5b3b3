// Command ints writes the row functions of pooling over integers of 8 and 16 bits.
package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

func main() {
	vec.Main("pool/ints", func() {
		for _, v := range vec.ISAs {
			for _, o := range ops {
				fold(v, o)
				halve(v, o)
				if !o.adds() {
					merge(v, o)
					advance(v, o)
				}
			}
			for _, w := range widenings {
				sums(v, w)
				slide(v, w)
			}
			for _, s := range sources {
				quotient(v, s)
			}
			preciseQuotient(v)
			roundMagic(v)
			roundQuotient(v, 1)
			roundQuotient(v, 2)
		}
		for _, o := range ops {
			squeeze(o)
		}
	})
}

// op is a reduction of one element type: into = into ⊕ from, which may be memory.
type op struct {
	name    string
	element string // in Go
	combine func(from, into Op)
}

var ops = []op{
	{"MaxUint8", "uint8", func(a, b Op) { VPMAXUB(a, b, b) }},
	{"MaxInt8", "int8", func(a, b Op) { VPMAXSB(a, b, b) }},
	{"MaxUint16", "uint16", func(a, b Op) { VPMAXUW(a, b, b) }},
	{"MaxInt16", "int16", func(a, b Op) { VPMAXSW(a, b, b) }},
	{"MinUint8", "uint8", func(a, b Op) { VPMINUB(a, b, b) }},
	{"MinInt8", "int8", func(a, b Op) { VPMINSB(a, b, b) }},
	{"MinUint16", "uint16", func(a, b Op) { VPMINUW(a, b, b) }},
	{"MinInt16", "int16", func(a, b Op) { VPMINSW(a, b, b) }},
	{"Add16", "uint16", func(a, b Op) { VPADDW(a, b, b) }},
	{"Add32", "uint32", func(a, b Op) { VPADDD(a, b, b) }},
}

func (o op) adds() bool { return strings.HasPrefix(o.name, "Add") }

// result is what the reduction comes to.
func (o op) result() string {
	switch {
	case o.adds():
		return "sum"
	case strings.HasPrefix(o.name, "Max"):
		return "maximum"
	default:
		return "minimum"
	}
}

// both is the reduction of two expressions in Go.
func (o op) both(a, b string) string {
	if o.adds() {
		return a + " + " + b
	}
	return strings.ToLower(o.name[:3]) + "(" + a + ", " + b + ")"
}

// size is that of an element.
func (o op) size() int { return sizes[o.element] }

var sizes = map[string]int{"uint8": 1, "int8": 1, "uint16": 2, "int16": 2, "int32": 4, "uint32": 4, "float32": 4}

// windowLoop is the loop in Go that reduces element i from at on, and puts it at to.
func (o op) windowLoop(at, to string) string {
	from := func(tap string) string { return "src[" + at + offset("+"+tap, o.size()) + "]" }
	return fmt.Sprintf(`v := %s
for _, tap := range taps[1:ntaps] {
	v = %s
}
dst[%s] = v`, from("taps[0]"), o.both("v", from("tap")), to)
}

// offset divides bytes by the size of an element.
func offset(bytes string, size int) string {
	if size == 1 {
		return bytes
	}
	return fmt.Sprintf("%s/%d", bytes, size)
}

// indent puts a loop into others.
func indent(head, body, tail string) string {
	tabs := strings.Repeat("\t", strings.Count(head, "{"))
	return head + "\n" + tabs + strings.ReplaceAll(body, "\n", "\n"+tabs) + "\n" + tail
}

// inBytes says that n counts bytes, and how many there must be.
func inBytes(least, size int) string {
	if size == 1 {
		return fmt.Sprintf("n is bytes, at least %d.", least)
	}
	return fmt.Sprintf("n is bytes, at least %d and a multiple of %d.", least, size)
}

// streams says what stream demands. These functions have their own fence.
func streams(v vec.ISA) string {
	return fmt.Sprintf("With stream != 0 it writes past the caches, with a fence at the end: dst must then be aligned to %d bytes and n a multiple of it.", v.Bytes)
}
