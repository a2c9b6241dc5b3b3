package vec

import (
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Func is a function in assembly and what its doc comment says.
type Func struct {
	Name      string
	Signature string   // func(dst, src *byte, n int)
	Does      string   // behind the name, a sentence: reduces windows.
	Loop      string   // the loop in Go that it equals
	Rules     []string // units, lengths and alignment, in sentences
}

// docWidth is where lines of doc comments end.
const docWidth = 100

// Begin begins the function. It uses no stack unless it asks for some.
func (f Func) Begin() { f.begin(attr.NOSPLIT) }

// BeginSplit begins a function whose frame may need more stack.
func (f Func) BeginSplit() { f.begin(0) }

func (f Func) begin(a attr.Attribute) {
	build.TEXT(f.Name, a, f.Signature)
	if strings.Contains(f.Signature, "*") {
		build.Pragma("noescape")
	}
	doc := wrap(f.Name+" "+f.Does, docWidth)
	if loop := strings.Trim(f.Loop, "\n"); loop != "" {
		doc = append(doc, "")
		for line := range strings.SplitSeq(loop, "\n") {
			if line != "" {
				line = "\t" + line
			}
			doc = append(doc, line)
		}
	}
	if len(f.Rules) > 0 {
		doc = append(append(doc, ""), wrap(strings.Join(f.Rules, " "), docWidth)...)
	}
	build.Doc(doc...)
}

// wrap cuts text into lines.
func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}

// Param loads a parameter into a register.
func Param(name string) Register { return build.Load(build.Param(name), build.GP64()) }

// Params loads parameters into registers.
func Params(names ...string) []Register {
	var list []Register
	for range names {
		list = append(list, build.GP64())
	}
	groups := make([]any, len(list))
	for i, r := range list {
		groups[i] = r
	}
	Note("Parameters: "+strings.Join(names, " in %, ")+" in %.", groups...)
	for i, r := range list {
		build.Load(build.Param(names[i]), r)
	}
	return list
}

// Slot is a parameter in memory, for what is needed too rarely to hold a register.
func Slot(name string) Mem {
	p, err := build.Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return p.Addr
}

// Return returns to Go.
func Return() {
	build.VZEROUPPER()
	build.RET()
}

// FenceAndReturn returns to Go when what was written past the caches can be seen.
func FenceAndReturn() {
	build.SFENCE()
	Return()
}
