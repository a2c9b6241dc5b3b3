package weights

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"google.golang.org/protobuf/encoding/protowire"
)

// Limits of an ONNX file.
const (
	onnxMaxArrays = 1 << 16
	onnxMaxNodes  = 1 << 17
	onnxMaxName   = 1 << 12
	onnxMaxDepth  = 16 // of graphs inside graphs
)

// onnxMembers lists the arrays of an ONNX model, with the operators that use them:
// initialisers, dense and sparse, the values of Constant nodes under the name of
// their output, and what Identity nodes make of either. Arrays of a graph inside
// a node are named NODE.ATTRIBUTE/NAME, such as if_1.then_branch/weight.
func onnxMembers(in *input.File) ([]input.Member, error) {
	m := &onnxModel{index: map[string]int{}, uses: map[string]input.Use{}}
	model := newWire(in)
	err := model.fields(func(f field) error {
		if f.number != 7 { // graph
			return nil
		}
		graph, err := model.inside(f)
		if err != nil {
			return err
		}
		return m.graph(graph, []string{""})
	})
	if err != nil {
		return nil, err
	}
	list := make([]input.Member, len(m.arrays))
	for i, a := range m.arrays {
		list[i] = input.Member{Name: a.name, Use: use(m.uses[a.name], a.rank), Open: func() (input.Array, error) { return a.open(in) }}
	}
	return list, nil
}

// onnxModel is what has been found in a model.
type onnxModel struct {
	arrays []onnxArray
	index  map[string]int       // of arrays, by name
	uses   map[string]input.Use // by name
	nodes  int
	text   int // bytes of names kept
}

// onnxArray is an array of a model. It is parsed again when it is opened, so that
// a list of many takes little memory.
type onnxArray struct {
	name    string
	rank    int
	form    onnxForm
	message field // the message, or the attribute, that holds it
}

// onnxForm is where the numbers of an array are.
type onnxForm uint8

const (
	onnxDense  onnxForm = iota // a TensorProto
	onnxSparse                 // a SparseTensorProto
	onnxFloat                  // fields of an AttributeProto
	onnxFloats
	onnxInt
	onnxInts
	onnxStrings
)

// keep counts the bytes of a name that is kept.
func (m *onnxModel) keep(name string) error {
	if m.text += len(name); m.text > wireMaxText {
		return input.TooMuch("got more than %d bytes of names", wireMaxText)
	}
	return nil
}

// add adds an array.
func (m *onnxModel) add(a onnxArray) error {
	if _, twice := m.index[a.name]; twice {
		return fmt.Errorf("the name %q occurs twice", input.Shorten(a.name))
	}
	if len(m.arrays) == onnxMaxArrays {
		return input.TooMuch("got more than %d arrays", onnxMaxArrays)
	}
	m.index[a.name] = len(m.arrays)
	m.arrays = append(m.arrays, a)
	return m.keep(a.name)
}

// graph collects the arrays of a GraphProto and the inputs of its nodes. scopes
// has a prefix of names for the graph and those around it, the outermost first.
func (m *onnxModel) graph(graph *wire, scopes []string) error {
	scope := scopes[len(scopes)-1]
	var identities []onnxNode // their inputs may come later in the file
	err := graph.fields(func(f field) error {
		switch f.number {
		case 1: // node
			if m.nodes++; m.nodes > onnxMaxNodes {
				return input.TooMuch("got more than %d nodes", onnxMaxNodes)
			}
			node, err := parseONNXNode(graph, f)
			if err != nil {
				return err
			}
			if node.operator == "Identity" && len(node.inputs) == 1 && node.output != "" {
				identities = append(identities, node)
			}
			return m.node(graph, &node, scopes)
		case 5, 15: // initializer, sparse_initializer
			a := onnxArray{form: onnxDense, message: f}
			if f.number == 15 {
				a.form = onnxSparse
			}
			if err := a.describe(graph); err != nil {
				return err
			}
			a.name = scope + a.name
			return m.add(a)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, node := range identities {
		for i := len(scopes) - 1; i >= 0; i-- {
			if j, known := m.index[scopes[i]+node.inputs[0]]; known {
				a := m.arrays[j]
				a.name = scope + node.output
				if err := m.add(a); err != nil {
					return err
				}
				break
			}
		}
	}
	return nil
}

// node takes the value of a Constant, the graphs inside, and the inputs that the
// operator takes weights for.
func (m *onnxModel) node(graph *wire, node *onnxNode, scopes []string) error {
	scope := scopes[len(scopes)-1]
	if node.operator == "Constant" && node.output != "" {
		for _, a := range node.constants {
			if err := a.describe(graph); err != nil {
				return err
			}
			a.name = scope + node.output
			if err := m.add(a); err != nil {
				return err
			}
		}
	}
	for _, g := range node.graphs {
		if len(scopes) > onnxMaxDepth {
			return input.TooMuch("got graphs nested deeper than %d", onnxMaxDepth)
		}
		name := node.name
		if name == "" {
			name = node.output
		}
		inner, err := graph.inside(g.message)
		if err != nil {
			return err
		}
		prefix := scope + name + "." + g.name + "/"
		if err := m.keep(prefix); err != nil {
			return err
		}
		if err := m.graph(inner, append(scopes[:len(scopes):len(scopes)], prefix)); err != nil {
			return err
		}
	}
	for i, role := range onnxRoles[node.operator] {
		if i >= len(node.inputs) || role.name == "" {
			continue
		}
		if node.transposed {
			role.layout = role.transposed
		}
		for _, around := range scopes { // an inner graph sees the names of outer ones
			name := around + node.inputs[i]
			m.uses[name] = input.Use{Operator: node.operator + " " + role.name, Layout: role.layout}
			if err := m.keep(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// onnxNode is what is read of a NodeProto.
type onnxNode struct {
	operator, name string
	inputs         []string // those that may be weights
	output         string   // the first
	transposed     bool     // transB = 1
	constants      []onnxArray
	graphs         []onnxGraph
}

// onnxGraph is a GraphProto in an attribute of that name.
type onnxGraph struct {
	name    string
	message field
}

// onnxMaxInputs is how many inputs of a node may be weights.
const onnxMaxInputs = 5

func parseONNXNode(graph *wire, f field) (node onnxNode, err error) {
	w, err := graph.inside(f)
	if err != nil {
		return node, err
	}
	err = w.fields(func(f field) (err error) {
		switch f.number {
		case 1: // input
			if len(node.inputs) < onnxMaxInputs {
				var name string
				name, err = w.text(f, onnxMaxName)
				node.inputs = append(node.inputs, name)
			}
		case 2: // output
			if node.output == "" {
				node.output, err = w.text(f, onnxMaxName)
			}
		case 3:
			node.name, err = w.text(f, onnxMaxName)
		case 4:
			node.operator, err = w.text(f, onnxMaxName)
		case 5:
			err = node.attribute(w, f)
		}
		return err
	})
	return node, err
}

// onnxConstants are the attributes of Constant, and the fields of AttributeProto
// that hold their values.
var onnxConstants = map[string]struct {
	form   onnxForm
	number protowire.Number
}{
	"value":         {onnxDense, 5},
	"sparse_value":  {onnxSparse, 22},
	"value_float":   {onnxFloat, 2},
	"value_floats":  {onnxFloats, 7},
	"value_int":     {onnxInt, 3},
	"value_ints":    {onnxInts, 8},
	"value_string":  {onnxStrings, 4},
	"value_strings": {onnxStrings, 9},
}

// attribute reads an AttributeProto.
func (node *onnxNode) attribute(w *wire, f field) error {
	a, err := w.inside(f)
	if err != nil {
		return err
	}
	name, number := "", uint64(0)
	found := map[protowire.Number]field{}
	err = a.fields(func(f field) (err error) {
		switch f.number {
		case 1:
			name, err = a.text(f, onnxMaxName)
		case 3:
			number = f.value
			found[3] = f
		case 2, 4, 5, 6, 22:
			found[f.number] = f
		}
		return err
	})
	if err != nil {
		return err
	}
	if graph, is := found[6]; is {
		node.graphs = append(node.graphs, onnxGraph{name, graph})
	}
	node.transposed = node.transposed || name == "transB" && number == 1
	if c, is := onnxConstants[name]; is && len(node.constants) == 0 {
		message, set := found[c.number]
		switch c.form {
		case onnxFloats, onnxInts, onnxStrings: // may have any number of fields
			message, set = f, true
		case onnxDense, onnxSparse, onnxFloat, onnxInt: // one field
		}
		if set {
			node.constants = append(node.constants, onnxArray{form: c.form, message: message})
		}
	}
	return nil
}
