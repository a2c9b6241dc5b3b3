package vec

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// noteWidth is where lines of comments in assembly end.
const noteWidth = 96

// Note writes a comment. Each % in it stands for a group of registers, which the
// file names as they were allocated: Y0 to Y3; %d stands for a number. A group is a
// register or a list of them.
//
// To avo a note is an instruction that reads and writes nothing, so that it
// changes neither the code nor which registers are taken.
func Note(format string, groups ...any) {
	operands := []Op{nil}
	text := placeholder.ReplaceAllStringFunc(format, func(p string) string {
		if len(groups) == 0 {
			panic("note without registers: " + format)
		}
		var group any
		group, groups = groups[0], groups[1:]
		if p == "%d" {
			return fmt.Sprint(group.(int))
		}
		list := registers(group)
		operands = append(operands, list...)
		return fmt.Sprintf("{%d}", len(list))
	})
	if len(groups) > 0 {
		panic("note with more registers than it names: " + format)
	}
	operands[0] = LabelRef(strconv.Quote(text)) // the operand that may be any text
	build.Instruction(&ir.Instruction{Opcode: "//", Operands: operands})
}

var placeholder = regexp.MustCompile(`%d?`)

func registers(group any) (list []Op) {
	switch group := group.(type) {
	case Register:
		return []Op{group}
	case []Register:
		for _, r := range group {
			list = append(list, r)
		}
	case []VecVirtual:
		for _, r := range group {
			list = append(list, r)
		}
	case []VecPhysical:
		for _, r := range group {
			list = append(list, r)
		}
	case []GPVirtual:
		for _, r := range group {
			list = append(list, r)
		}
	case []GPPhysical:
		for _, r := range group {
			list = append(list, r)
		}
	default:
		panic(fmt.Sprintf("registers: %T", group))
	}
	return list
}

// written is a note as avo prints it.
var written = regexp.MustCompile(`^\t// +(".*)$`)

// resolve replaces the notes in a file that avo has printed by comments.
func resolve(asm string) string {
	var out []string
	for line := range strings.SplitSeq(asm, "\n") {
		m := written.FindStringSubmatch(line)
		if m == nil {
			out = append(out, line)
			continue
		}
		if last := out[len(out)-1]; strings.HasPrefix(last, "\t") && !strings.HasPrefix(last, "\t//") {
			out = append(out, "")
		}
		for _, l := range wrap(comment(m[1]), noteWidth) {
			out = append(out, "\t// "+l)
		}
	}
	return strings.Join(out, "\n")
}

var groupSize = regexp.MustCompile(`\{(\d+)\}`)

// comment is the text of a note with its registers in their places.
func comment(operands string) string {
	quoted, err := strconv.QuotedPrefix(operands)
	if err != nil {
		panic(err)
	}
	text, _ := strconv.Unquote(quoted)
	names := strings.Split(strings.TrimPrefix(operands[len(quoted):], ", "), ", ")
	return groupSize.ReplaceAllStringFunc(text, func(p string) string {
		n, _ := strconv.Atoi(p[1 : len(p)-1])
		group := names[:n]
		names = names[n:]
		return spans(group)
	})
}

// spans lists registers, neighbours as spans: Y0 to Y3, Y8.
func spans(names []string) string {
	var parts []string
	for i := 0; i < len(names); {
		j := i + 1
		for j < len(names) && follows(names[j-1], names[j]) {
			j++
		}
		if j-i > 2 {
			parts = append(parts, names[i]+" to "+names[j-1])
		} else {
			parts = append(parts, names[i:j]...)
		}
		i = j
	}
	return strings.Join(parts, ", ")
}

func follows(a, b string) bool {
	kindA, numberA := split(a)
	kindB, numberB := split(b)
	return kindA == kindB && numberA >= 0 && numberB == numberA+1
}

// split takes the name of a register apart: Y and 12.
func split(name string) (kind string, number int) {
	kind = strings.TrimRight(name, "0123456789")
	number, err := strconv.Atoi(name[len(kind):])
	if err != nil {
		return name, -1
	}
	return kind, number
}
