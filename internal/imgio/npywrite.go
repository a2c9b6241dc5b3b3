package imgio

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/poolctl/poolctl/internal/tensor"
)

// npyAlign is the alignment of the data in an .npy file, in bytes.
const npyAlign = 64

// npyDescr returns the element type as NumPy writes it, little endian.
func npyDescr(d tensor.DType) string {
	for code, t := range npyTypes {
		if t == d && code != "b1" {
			if d.Size() == 1 {
				return "|" + code
			}
			return "<" + code
		}
	}
	panic("imgio: unknown element type")
}

// npyHeaderBytes returns the header that NumPy itself writes for a row-major
// array of that type and shape, to the byte: NumPy leaves room for the first
// extent to grow to 21 digits.
func npyHeaderBytes(spec tensor.Spec) []byte {
	shape := tensor.Join(spec.Shape, ", ")
	if len(spec.Shape) == 1 {
		shape += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", npyDescr(spec.DType), shape)
	if len(spec.Shape) > 0 {
		text += strings.Repeat(" ", 21-len(fmt.Sprint(spec.Shape[0])))
	}
	const prefix = len(npyMagic) + 4 // version and length
	padding := npyAlign - (prefix+len(text)+1)%npyAlign
	text += strings.Repeat(" ", padding) + "\n"
	head := append([]byte(npyMagic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)))
	return append(head, text...)
}

// writeNPY writes the tensor as an .npy file of version 1.0, row-major and
// little endian.
func writeNPY(w io.Writer, t *tensor.Tensor) error {
	if _, err := w.Write(npyHeaderBytes(t.Spec)); err != nil {
		return err
	}
	if bigEndian && t.DType.Size() > 1 {
		swapped := tensor.New(t.Spec)
		tensor.Convert(swapped, t)
		swapBytes(swapped)
		t = swapped
	}
	_, err := w.Write(bytesOf(t))
	return err
}
