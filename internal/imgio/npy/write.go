package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"

	"github.com/poolctl/poolctl/internal/tensor"
)

// align is the alignment of the data in bytes.
const align = 64

// descr returns the element type as NumPy writes it, in little-endian order.
func descr(d tensor.DType) string {
	if d.Size() == 1 {
		return "|" + d.Codes().NumPy
	}
	return "<" + d.Codes().NumPy
}

// headerBytes returns the header that NumPy writes for a row-major array, to the
// byte. NumPy leaves room for the first extent to grow to 21 digits.
func headerBytes(spec tensor.Spec) []byte {
	shape := tensor.Join(spec.Shape, ", ")
	if len(spec.Shape) == 1 {
		shape += ","
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr(spec.DType), shape)
	if len(spec.Shape) > 0 {
		text += strings.Repeat(" ", 21-len(fmt.Sprint(spec.Shape[0])))
	}
	const prefix = len(magic) + 4 // version and length
	padding := align - (prefix+len(text)+1)%align
	text += strings.Repeat(" ", padding) + "\n"
	head := append([]byte(magic), 1, 0)
	head = binary.LittleEndian.AppendUint16(head, uint16(len(text)))
	return append(head, text...)
}

// Write writes an .npy file of version 1.0, row-major and little-endian.
func Write(w io.Writer, t *tensor.Tensor) error {
	if _, err := w.Write(headerBytes(t.Spec)); err != nil {
		return err
	}
	if tensor.BigEndian && t.DType.Size() > 1 {
		swapped := tensor.New(t.Spec)
		tensor.Convert(swapped, t)
		tensor.SwapBytes(swapped)
		t = swapped
	}
	_, err := w.Write(tensor.Bytes(t))
	return err
}
