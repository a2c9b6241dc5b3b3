package weights

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
	"google.golang.org/protobuf/encoding/protowire"
)

// describe reads the name and the rank of an array.
func (a *onnxArray) describe(w *wire) error {
	switch a.form {
	case onnxDense:
		t, err := parseONNXTensor(w, a.message)
		a.name, a.rank = t.name, len(t.dims)
		return err
	case onnxSparse:
		s, err := parseONNXSparse(w, a.message)
		a.name, a.rank = s.values.name, len(s.dims)
		return err
	case onnxFloats, onnxInts, onnxStrings:
		a.rank = 1
	case onnxFloat, onnxInt:
	}
	return nil
}

// open locates the data of the array.
func (a *onnxArray) open(in *input.File) (input.Array, error) {
	w := newWire(in)
	var s stored
	switch a.form {
	case onnxDense:
		t, err := parseONNXTensor(w, a.message)
		if err != nil {
			return input.Array{}, err
		}
		s, err = t.stored(in)
		array := s.array()
		if t.elsewhere {
			array.Data = filepath.Join(filepath.Dir(in.Path), t.external["location"])
		}
		return array, err
	case onnxSparse:
		t, err := parseONNXSparse(w, a.message)
		if err != nil {
			return input.Array{}, err
		}
		return t.open(in)
	case onnxStrings:
		return input.Array{}, onnxTypeError(onnxString, nil)
	case onnxFloat:
		s.spec = tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{}}
		s.takes(piece{in.Content, a.message.at, a.message.size})
	case onnxInt:
		s.spec, s.coding = tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{}}, varints
		s.takes(piece{in.Content, a.message.at, a.message.size})
	case onnxFloats:
		size, err := a.size(w, 7, protowire.Fixed32Type)
		if err != nil {
			return input.Array{}, err
		}
		s.spec = tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{int(size / 4)}}
		s.size, s.open = size, func() io.Reader { return a.repeated(in, 7) }
	case onnxInts:
		size, err := a.size(w, 8, protowire.VarintType)
		if err != nil {
			return input.Array{}, err
		}
		n, err := countVarints(a.repeated(in, 8))
		if err != nil {
			return input.Array{}, err
		}
		s.spec, s.coding = tensor.Spec{DType: tensor.Int64, Shape: tensor.Shape{n}}, varints
		s.size, s.open = size, func() io.Reader { return a.repeated(in, 8) }
	}
	return s.array(), s.check()
}

// repeated reads the contents of a field of the message.
func (a *onnxArray) repeated(in *input.File, number protowire.Number) io.Reader {
	w := newWire(in)
	w.at, w.end = a.message.at, a.message.at+a.message.size
	return bufio.NewReaderSize(&repeated{wire: w, number: number}, 1<<14)
}

// size adds up the contents of a repeated field of numbers, packed or each of a
// kind.
func (a *onnxArray) size(w *wire, number protowire.Number, kind protowire.Type) (size int64, err error) {
	inside, err := w.inside(a.message)
	if err != nil {
		return 0, err
	}
	return size, inside.fields(func(f field) error {
		if f.number != number {
			return nil
		}
		if f.kind != kind && f.kind != protowire.BytesType {
			return errWire
		}
		size += f.size
		return nil
	})
}

// countVarints counts numbers by their last bytes.
func countVarints(r io.Reader) (n int, err error) {
	buf := make([]byte, 1<<14)
	for {
		k, err := r.Read(buf)
		for _, b := range buf[:k] {
			if b < 0x80 {
				n++
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// onnxTensor is a TensorProto without its data.
type onnxTensor struct {
	name     string
	dims     []int64
	dtype    uint64
	raw      field                      // the last raw_data
	sizes    map[protowire.Number]int64 // of the fields of data, in bytes
	external map[string]string          // another file: location, offset, length

	message   field
	elsewhere bool // the data is in the external file
}

// onnxData are the fields of TensorProto that hold numbers, with the kind of one
// number: float_data, int32_data, int64_data, raw_data, double_data, uint64_data.
var onnxData = map[protowire.Number]protowire.Type{
	4: protowire.Fixed32Type, 5: protowire.VarintType, 7: protowire.VarintType,
	9: protowire.BytesType, 10: protowire.Fixed64Type, 11: protowire.VarintType,
}

func parseONNXTensor(in *wire, message field) (onnxTensor, error) {
	a := onnxTensor{message: message, sizes: map[protowire.Number]int64{}}
	w, err := in.inside(message)
	if err != nil {
		return a, err
	}
	return a, w.fields(func(f field) (err error) {
		if kind, is := onnxData[f.number]; is {
			if f.kind != kind && f.kind != protowire.BytesType {
				return errWire
			}
			if f.number == 9 {
				a.raw = f
			} else {
				a.sizes[f.number] += f.size
			}
			return nil
		}
		switch f.number {
		case 1:
			a.dims, err = w.numbers(a.dims, f, input.MaxRank)
		case 2:
			a.dtype = f.value
		case 8:
			a.name, err = w.text(f, onnxMaxName)
		case 13:
			err = a.externalEntry(w, f)
		case 14:
			a.elsewhere = f.value == 1
		}
		return err
	})
}

// externalEntry reads a StringStringEntryProto of external_data.
func (a *onnxTensor) externalEntry(in *wire, f field) error {
	w, err := in.inside(f)
	if err != nil {
		return err
	}
	var entry [3]string
	err = w.fields(func(f field) (err error) {
		if f.number == 1 || f.number == 2 {
			entry[f.number], err = w.text(f, onnxMaxName)
		}
		return err
	})
	if a.external == nil {
		a.external = map[string]string{}
	}
	if len(a.external) < 16 {
		a.external[entry[1]] = entry[2]
	}
	return err
}

// onnxShape returns dimensions as a shape.
func onnxShape(dims []int64) (tensor.Shape, error) {
	shape := tensor.Shape{}
	for _, d := range dims {
		if d < 0 || int64(int(d)) != d {
			return nil, fmt.Errorf("got dimensions %d, want sizes >= 0", dims)
		}
		shape = append(shape, int(d))
	}
	_, err := shape.Elements()
	return shape, err
}

// stored locates the data of the array and checks its size.
func (a *onnxTensor) stored(in *input.File) (stored, error) {
	shape, err := onnxShape(a.dims)
	if err != nil {
		return stored{}, err
	}
	d, coding, known := onnxType(a.dtype)
	if !known {
		return stored{}, onnxTypeError(a.dtype, shape)
	}
	s := stored{spec: tensor.Spec{DType: d, Shape: shape}, coding: coding}
	number := onnxField(d)
	_, own := a.sizes[number]
	switch {
	case a.elsewhere:
		p, err := a.outside(in, s)
		if err != nil {
			return s, err
		}
		s.takes(p)
	case len(a.sizes) == 0:
		s.takes(piece{in.Content, a.raw.at, a.raw.size})
	case len(a.sizes) > 1 || !own || a.raw.size > 0:
		return s, fmt.Errorf("got data in a field that is not for %s, want raw_data or the type's own", s.spec.DType)
	default:
		if onnxData[number] == protowire.VarintType {
			s.coding = varints
		}
		of := onnxArray{message: a.message}
		s.size, s.open = a.sizes[number], func() io.Reader { return of.repeated(in, number) }
	}
	return s, s.check()
}
