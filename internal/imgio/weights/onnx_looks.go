package weights

import (
	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"google.golang.org/protobuf/encoding/protowire"
)

// looksONNX reports whether a file begins as a ModelProto: with its version, field
// 1, and then another field: the producer's name or version, the domain, the
// model's version, a text, the graph, or the operator sets.
func looksONNX(head []byte) bool {
	if len(head) < 3 || head[0] != 0x08 || head[1] >= 0x80 {
		return false
	}
	switch head[2] {
	case 0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42:
		return !LooksSavedModel(head)
	}
	return false
}

// LooksSavedModel reports whether a file begins as TensorFlow's saved_model.pb:
// version 1, and a MetaGraphDef that begins with a message. In an ONNX model a
// name stands in that message's place.
func LooksSavedModel(head []byte) bool {
	if len(head) < 4 || head[0] != 0x08 || head[1] != 0x01 || head[2] != 0x12 {
		return false
	}
	_, n := protowire.ConsumeVarint(head[3:])
	return n > 0 && len(head) > 3+n && head[3+n] == 0x0a
}

// looksTensorProto reports whether a file begins as a TensorProto: dimensions, the
// element type, and then one of its other fields or the end.
func looksTensorProto(head []byte) bool {
	cut := len(head) == format.HeadLength
	for dims := 0; len(head) > 0; {
		number, kind, n := protowire.ConsumeTag(head)
		if n < 0 {
			return false
		}
		head = head[n:]
		switch {
		case number == 1 && kind == protowire.VarintType:
			_, n = protowire.ConsumeVarint(head)
			dims++
		case number == 1 && kind == protowire.BytesType && dims == 0:
			_, n = protowire.ConsumeBytes(head)
			dims++
		case number == 2 && kind == protowire.VarintType:
			dtype, n := protowire.ConsumeVarint(head)
			if n < 0 || dtype == 0 || dtype > 99 {
				return false
			}
			return endsOrHoldsData(head[n:])
		default:
			return false
		}
		if n < 0 || dims > input.MaxRank {
			return false
		}
		head = head[n:]
	}
	return cut
}

// endsOrHoldsData reports whether a field of TensorProto other than the first two
// follows, or nothing.
func endsOrHoldsData(head []byte) bool {
	if len(head) == 0 {
		return true
	}
	number, kind, n := protowire.ConsumeTag(head)
	if n < 0 {
		return false
	}
	switch number {
	case 6, 8, 9, 12, 13: // string_data, name, raw_data, doc_string, external_data
		return kind == protowire.BytesType
	case 14: // data_location
		return kind == protowire.VarintType
	}
	one, numbers := onnxData[number]
	return numbers && (kind == one || kind == protowire.BytesType)
}

// tensorProtoMembers returns the one array of a TensorProto file.
func tensorProtoMembers(in *input.File) ([]input.Member, error) {
	a := onnxArray{form: onnxDense, message: field{kind: protowire.BytesType, size: in.Size}}
	if err := a.describe(newWire(in)); err != nil {
		return nil, err
	}
	return []input.Member{{Name: a.name, Open: func() (input.Array, error) { return a.open(in) }}}, nil
}
