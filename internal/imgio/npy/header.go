package npy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// maxHeader is the length of the longest header that is read, as in NumPy.
const maxHeader = 10_000

const magic = "\x93NUMPY"

// header is what the header of an .npy file says of its data.
type header struct {
	spec    tensor.Spec
	boolean bool // bytes that are true when they are not 0
	big     bool // most significant byte first
	fortran bool // first axis varies fastest
}

// readHeader reads the header, and no byte more. What is stored as raw bytes is of
// type raw.
func readHeader(r io.Reader, raw tensor.DType) (header, error) {
	text, err := readHeaderText(r)
	if err != nil {
		return header{}, fmt.Errorf("npy: %w", err)
	}
	h, err := parseHeader(text, raw)
	if err != nil {
		return header{}, fmt.Errorf("npy: %w", err)
	}
	return h, nil
}

func readHeaderText(r io.Reader) (string, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:8]); err != nil {
		return "", cutHeader(err)
	}
	if string(head[:6]) != magic {
		return "", fmt.Errorf("begins with %q, want %q", head[:6], magic)
	}
	major, minor := head[6], head[7]
	if major < 1 || major > 3 || minor != 0 {
		return "", fmt.Errorf("got format version %d.%d, want 1.0, 2.0 or 3.0", major, minor)
	}
	var length int64
	if major == 1 {
		if _, err := io.ReadFull(r, head[8:10]); err != nil {
			return "", cutHeader(err)
		}
		length = int64(binary.LittleEndian.Uint16(head[8:]))
	} else {
		if _, err := io.ReadFull(r, head[8:12]); err != nil {
			return "", cutHeader(err)
		}
		length = int64(binary.LittleEndian.Uint32(head[8:]))
	}
	if length > maxHeader {
		return "", input.TooMuch("header: got %d bytes, want <= %d", length, maxHeader)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", cutHeader(err)
	}
	return string(text), nil
}

func cutHeader(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("header: the file is cut")
	}
	return err
}

// parseHeader reads the header's text, a Python dictionary with exactly the
// keys descr, fortran_order and shape.
func parseHeader(text string, raw tensor.DType) (h header, err error) {
	value, err := parseLiteral(text)
	if err != nil {
		return h, fmt.Errorf("header: %w", err)
	}
	dict, ok := value.(pyDict)
	if !ok {
		return h, fmt.Errorf("header: got a %s, want a dictionary", kindOfLiteral(value))
	}
	seen := map[string]any{}
	for _, item := range dict {
		key, ok := item.key.(string)
		if !ok || key != "descr" && key != "fortran_order" && key != "shape" {
			return h, fmt.Errorf("header: got key %s, want descr, fortran_order and shape", show(item.key))
		}
		if _, twice := seen[key]; twice {
			return h, fmt.Errorf("header: got key %q twice", key)
		}
		seen[key] = item.value
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if _, ok := seen[key]; !ok {
			return h, fmt.Errorf("header: key %q is missing", key)
		}
	}
	var unsupported *input.TypeError
	if err := h.setDescr(seen["descr"], raw); err != nil && !errors.As(err, &unsupported) {
		return h, err
	}
	if h.fortran, ok = seen["fortran_order"].(bool); !ok {
		return h, fmt.Errorf("fortran_order: got %s, want True or False", show(seen["fortran_order"]))
	}
	if err := h.setShape(seen["shape"]); err != nil {
		return h, err
	}
	if unsupported != nil {
		unsupported.Shape = h.spec.Shape
		return h, unsupported
	}
	return h, nil
}

func (h *header) setShape(value any) error {
	tuple, ok := value.(pyTuple)
	if !ok {
		return fmt.Errorf("shape: got %s, want a tuple of whole numbers", show(value))
	}
	if len(tuple) > input.MaxRank {
		return fmt.Errorf("shape: got %d dimensions, want <= %d", len(tuple), input.MaxRank)
	}
	h.spec.Shape = make(tensor.Shape, len(tuple))
	for i, item := range tuple {
		number, ok := item.(pyInt)
		if !ok {
			return fmt.Errorf("shape: got %s, want a tuple of whole numbers", show(value))
		}
		n, err := strconv.ParseInt(string(number), 10, strconv.IntSize)
		if err != nil || n < 0 {
			return fmt.Errorf("shape: got %s, want 0 <= n < 2^63", show(item))
		}
		h.spec.Shape[i] = int(n)
	}
	if _, err := h.spec.Bytes(); err != nil {
		return fmt.Errorf("shape: %w", err)
	}
	return nil
}

// refusedKinds are NumPy's one-letter kinds that are refused, and why.
var refusedKinds = map[byte]string{
	'O': "object arrays are refused (they hold Python pickles)",
	'c': "complex numbers are not supported",
	'S': "byte strings are not numbers",
	'a': "byte strings are not numbers",
	'U': "strings are not numbers",
	'T': "strings are not numbers",
	'V': "raw bytes are not numbers",
	'M': "dates are not supported",
	'm': "time differences are not supported",
}

// typeOf returns the element type of NumPy's kind and size. Booleans are read as
// uint8.
func typeOf(code string) (tensor.DType, bool) {
	if code == "b1" {
		return tensor.Uint8, true
	}
	for _, d := range tensor.DTypes() {
		if d.Codes().NumPy == code {
			return d, true
		}
	}
	return tensor.Invalid, false
}

// setDescr reads the element type: a byte order (< little, > big, = or none
// the machine's own, which is taken as little; | where there is none), a kind
// and a size; or the type's name. Raw bytes are of type raw, if they can be. For
// any other type of NumPy the error is a *input.TypeError.
func (h *header) setDescr(value any, raw tensor.DType) error {
	descr, ok := value.(string)
	if !ok {
		if _, isList := value.(pyList); isList {
			return &input.TypeError{Type: input.Shown(show(value)), Why: "structured arrays are not supported"}
		}
		return fmt.Errorf("dtype %s: want a string such as '<f4'", show(value))
	}
	if descr == "bool" || descr == "?" {
		h.spec.DType, h.boolean = tensor.Uint8, true
		return nil
	}
	if d, err := tensor.ParseDType(descr); err == nil && descr == d.String() {
		h.spec.DType = d
		return nil
	}
	code := strings.TrimLeft(descr, "<>=|")
	order := descr[:len(descr)-len(code)]
	d, known := typeOf(code)
	switch {
	case !known || len(order) > 1:
	case !d.IsRaw():
		h.spec.DType, h.boolean, h.big = d, code == "b1", order == ">"
		return nil
	case d == raw && (order == "<" || order == "|"):
		h.spec.DType = d
		return nil
	case order != ">":
		return &input.TypeError{Type: input.Shown(descr), Why: fmt.Sprintf("raw bytes are not numbers, unless --dtype %s says what they are", d)}
	}
	if code != "" {
		if why, ok := refusedKinds[code[0]]; ok {
			return &input.TypeError{Type: input.Shown(descr), Why: why}
		}
	}
	return &input.TypeError{Type: input.Shown(descr), Why: "want one of " + strings.Join(append(tensor.DTypeNames(), "bool"), ", ")}
}
