package weights

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
	"google.golang.org/protobuf/encoding/protowire"
)

// Limits of an ONNX file.
const (
	onnxMaxArrays = 1 << 16
	onnxMaxNodes  = 1 << 17
	onnxMaxName   = 1 << 12
)

// onnxTensor is a TensorProto without its data.
type onnxTensor struct {
	name     string
	dims     []int64
	dtype    uint64
	raw      []piece           // raw_data, float_data, double_data: little-endian numbers
	numbers  []piece           // int32_data, int64_data, uint64_data: varints
	external map[string]string // another file: location, offset, length

	elsewhere bool // the data is in the external file
	misplaced bool // the data is in a field for another type
}

// onnxMembers lists the initialisers of an ONNX model, with the operators that use
// them.
func onnxMembers(in *input.File) ([]input.Member, error) {
	model := &wire{window: &window{file: in.Content, size: in.Size}, end: in.Size}
	var arrays []onnxTensor
	uses := onnxUses{}
	for {
		f, ok, err := model.next()
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if f.number == 7 && f.kind == protowire.BytesType {
			if arrays, err = onnxGraph(model.inside(f), arrays, uses); err != nil {
				return nil, err
			}
		}
	}
	list := make([]input.Member, len(arrays))
	for i, a := range arrays {
		list[i] = input.Member{Name: a.name, Use: use(uses[a.name], len(a.dims)), Open: func() (input.Array, error) {
			s, err := a.stored(in)
			array := s.array()
			if a.elsewhere {
				array.Data = filepath.Join(filepath.Dir(in.Path), a.external["location"])
			}
			return array, err
		}}
	}
	return list, nil
}

// onnxGraph collects the initialisers of a GraphProto and the inputs of its nodes.
func onnxGraph(graph *wire, arrays []onnxTensor, uses onnxUses) ([]onnxTensor, error) {
	seen := map[string]bool{}
	for nodes := 0; ; {
		f, ok, err := graph.next()
		if err != nil || !ok {
			return arrays, err
		}
		if f.kind != protowire.BytesType {
			continue
		}
		switch f.number {
		case 1: // node
			if nodes++; nodes > onnxMaxNodes {
				return nil, input.TooMuch("got more than %d nodes", onnxMaxNodes)
			}
			if err := uses.node(graph.inside(f)); err != nil {
				return nil, err
			}
		case 5: // initializer
			a, err := parseONNXTensor(graph.inside(f))
			if err != nil {
				return nil, err
			}
			if seen[a.name] {
				return nil, fmt.Errorf("the name %q occurs twice", input.Shorten(a.name))
			}
			if len(arrays) == onnxMaxArrays {
				return nil, input.TooMuch("got more than %d initialisers", onnxMaxArrays)
			}
			seen[a.name] = true
			arrays = append(arrays, a)
		}
	}
}

func parseONNXTensor(w *wire) (onnxTensor, error) {
	var a onnxTensor
	fields := 0
	for {
		f, ok, err := w.next()
		if err != nil {
			return a, err
		}
		if !ok {
			a.misplaced = fields&^(1<<9) != 0 && !a.belongs(fields)
			return a, nil
		}
		at := piece{w.window.file, f.at, f.size}
		switch f.number {
		case 1:
			a.dims, err = w.numbers(a.dims, f, input.MaxRank)
		case 2:
			a.dtype = f.value
		case 8:
			a.name, err = w.text(f, onnxMaxName)
		case 4, 9, 10:
			a.raw = append(a.raw, at)
			fields |= 1 << f.number
		case 5, 7, 11:
			a.numbers = append(a.numbers, at)
			fields |= 1 << f.number
		case 13:
			err = a.externalEntry(w.inside(f))
		case 14:
			a.elsewhere = f.value == 1
		}
		if err != nil {
			return a, err
		}
	}
}

// belongs reports whether fields, as bits, are the one for numbers of the type.
func (a *onnxTensor) belongs(fields int) bool {
	d, _, known := onnxType(a.dtype)
	return known && fields == 1<<onnxField(d)
}

// externalEntry reads a StringStringEntryProto of external_data.
func (a *onnxTensor) externalEntry(w *wire) error {
	var entry [3]string
	for {
		f, ok, err := w.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if f.number == 1 || f.number == 2 {
			if entry[f.number], err = w.text(f, onnxMaxName); err != nil {
				return err
			}
		}
	}
	if a.external == nil {
		a.external = map[string]string{}
	}
	if len(a.external) < 16 {
		a.external[entry[1]] = entry[2]
	}
	return nil
}

// stored locates the data of the array and checks its size.
func (a *onnxTensor) stored(in *input.File) (stored, error) {
	shape := tensor.Shape{}
	for _, d := range a.dims {
		if d < 0 {
			return stored{}, fmt.Errorf("got dimensions %d, want sizes >= 0", a.dims)
		}
		shape = append(shape, int(d))
	}
	if _, err := shape.Elements(); err != nil {
		return stored{}, err
	}
	d, coding, known := onnxType(a.dtype)
	if !known {
		return stored{}, onnxTypeError(a.dtype, shape)
	}
	s := stored{spec: tensor.Spec{DType: d, Shape: shape}, coding: coding, pieces: a.raw}
	switch {
	case a.elsewhere:
		p, err := a.outside(in, s)
		if err != nil {
			return s, err
		}
		s.pieces = []piece{p}
	case a.misplaced:
		return s, fmt.Errorf("got data in a field that is not for %s, want raw_data or the type's own", s.spec.DType)
	case len(a.numbers) > 0:
		s.coding, s.pieces = varints, a.numbers
	}
	return s, s.check()
}

// outside locates data in a file beside the model. It refuses a location outside
// the model's folder.
func (a *onnxTensor) outside(in *input.File, s stored) (piece, error) {
	location := a.external["location"]
	if in.Path == "" {
		return piece{}, fmt.Errorf("the data is in %q beside the model: give the model by name", input.Shorten(location))
	}
	if !filepath.IsLocal(location) {
		return piece{}, fmt.Errorf("external data: got location %q, want a name inside the model's folder", input.Shorten(location))
	}
	size, err := s.spec.Bytes()
	at := int64(0)
	if text := a.external["offset"]; err == nil && text != "" {
		at, err = strconv.ParseInt(text, 10, 64)
	}
	if text := a.external["length"]; err == nil && text != "" {
		var length int64
		if length, err = strconv.ParseInt(text, 10, 64); err == nil && length != int64(size) {
			err = fmt.Errorf("got length %d for %s, want %d", length, s.spec, size)
		}
	}
	if err == nil && at < 0 {
		err = errors.New("want an offset >= 0")
	}
	if err != nil {
		return piece{}, fmt.Errorf("external data %q: offset %q, length %q: %w", input.Shorten(location), a.external["offset"], a.external["length"], err)
	}
	file := &besideModel{folder: filepath.Dir(in.Path), name: location}
	have, err := file.size()
	if err != nil {
		return piece{}, fmt.Errorf("external data: %s: %w", input.Shown(location), input.Plain(err))
	}
	if have-at < int64(size) {
		return piece{}, fmt.Errorf("external data: %s: got %d bytes from %d on, want %d for %s", input.Shown(location), max(0, have-at), at, size, s.spec)
	}
	return piece{file, at, int64(size)}, nil
}

// besideModel is a file in the model's folder. It is opened for each read, since a
// network has many arrays and few of them are read.
type besideModel struct{ folder, name string }

func (b *besideModel) open() (*os.File, error) {
	root, err := os.OpenRoot(b.folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(b.name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("is a %s, want a file", input.Kind(info.Mode()))
	}
	return root.Open(b.name)
}

func (b *besideModel) size() (int64, error) {
	f, err := b.open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// ReadAt implements io.ReaderAt.
func (b *besideModel) ReadAt(p []byte, at int64) (int, error) {
	f, err := b.open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.ReadAt(p, at)
}

var _ io.ReaderAt = (*besideModel)(nil)

// use adds the spatial axes to the layout of a filter.
func use(u input.Use, rank int) input.Use {
	switch {
	case u.Layout == "" || rank < 2 || rank > 5:
		u.Layout = ""
	default:
		u.Layout += "DHW"[5-rank:]
	}
	return u
}

// onnxUses maps the names of arrays to their uses.
type onnxUses map[string]input.Use

// node reads a NodeProto.
func (u onnxUses) node(w *wire) error {
	var inputs []string
	var operator string
	transposed := false
	for {
		f, ok, err := w.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		switch f.number {
		case 1:
			var name string
			name, err = w.text(f, onnxMaxName)
			inputs = append(inputs, name)
		case 4:
			operator, err = w.text(f, onnxMaxName)
		case 5:
			var set bool
			set, err = isTransB(w.inside(f))
			transposed = transposed || set
		}
		if err != nil {
			return err
		}
		if len(inputs) > onnxMaxName {
			return fmt.Errorf("got a node of more than %d inputs", onnxMaxName)
		}
	}
	roles, known := onnxRoles[operator]
	if !known {
		return nil
	}
	for i, name := range inputs {
		if i < len(roles) && roles[i].name != "" {
			role := roles[i]
			if transposed {
				role.layout = role.transposed
			}
			u[name] = input.Use{Operator: operator + " " + role.name, Layout: role.layout}
		}
	}
	return nil
}

// isTransB reports whether an AttributeProto says transB = 1.
func isTransB(w *wire) (bool, error) {
	name, value := "", uint64(0)
	for {
		f, ok, err := w.next()
		if err != nil {
			return false, err
		}
		if !ok {
			return name == "transB" && value == 1, nil
		}
		switch f.number {
		case 1:
			if name, err = w.text(f, onnxMaxName); err != nil {
				return false, err
			}
		case 3:
			value = f.value
		}
	}
}

// onnxRoles names the inputs of operators that take weights. layout is the order of
// a filter's axes without the spatial ones, whose number follows from the rank.
var onnxRoles = map[string][]struct{ name, layout, transposed string }{
	"Conv":               {{}, {"W", "OI", "OI"}, {"B", "", ""}},
	"ConvTranspose":      {{}, {"W", "IO", "IO"}, {"B", "", ""}},
	"Gemm":               {{}, {"B", "IO", "OI"}, {"C", "", ""}},
	"MatMul":             {{}, {"B", "IO", "IO"}},
	"BatchNormalization": {{}, {"scale", "", ""}, {"B", "", ""}, {"mean", "", ""}, {"var", "", ""}},
	"PRelu":              {{}, {"slope", "", ""}},
}
