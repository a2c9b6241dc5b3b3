package weights

import (
	"errors"
	"io"
	"math"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"google.golang.org/protobuf/encoding/protowire"
)

// errWire reports a malformed protocol-buffer message.
var errWire = errors.New("want protocol-buffer messages, the file is damaged or cut")

// Limits on what is read of a protocol-buffer file. The data of arrays does not
// count.
const (
	wireMaxFields = 1 << 24
	wireMaxText   = 32 << 20 // bytes of names
)

// wire iterates over the fields of a protocol-buffer message in a file. It does not
// read the contents of long fields.
type wire struct {
	window *window
	at     int64
	end    int64
}

// newWire iterates over the message that a file is.
func newWire(in *input.File) *wire {
	return &wire{window: &window{file: in.Content, size: in.Size}, end: in.Size}
}

// field is a field of a message. For a length-delimited field, at and size locate
// its contents; for others, they locate the number, whose value is value.
type field struct {
	number protowire.Number
	kind   protowire.Type
	value  uint64
	at     int64
	size   int64
}

// next returns the next field; ok is false at the end of the message.
func (w *wire) next() (f field, ok bool, err error) {
	if w.at == w.end {
		return f, false, nil
	}
	if w.window.fields++; w.window.fields > wireMaxFields {
		return f, false, input.TooMuch("got more than %d fields of protocol-buffer messages", wireMaxFields)
	}
	head, err := w.window.bytes(w.at, int(min(30, w.end-w.at)))
	if err != nil {
		return f, false, err
	}
	number, kind, n := protowire.ConsumeTag(head)
	if n < 0 {
		return f, false, errWire
	}
	f = field{number: number, kind: kind}
	rest, used := head[n:], 0
	switch kind {
	case protowire.VarintType, protowire.BytesType:
		f.value, used = protowire.ConsumeVarint(rest)
	case protowire.Fixed32Type:
		var v uint32
		v, used = protowire.ConsumeFixed32(rest)
		f.value = uint64(v)
	case protowire.Fixed64Type:
		f.value, used = protowire.ConsumeFixed64(rest)
	default: // groups, which ONNX does not use
		return f, false, errWire
	}
	if used < 0 {
		return f, false, errWire
	}
	w.at += int64(n)
	f.at, f.size = w.at, int64(used)
	w.at += int64(used)
	if kind == protowire.BytesType {
		if f.value > math.MaxInt64 || int64(f.value) > w.end-w.at {
			return f, false, errWire
		}
		f.at, f.size = w.at, int64(f.value)
		w.at += f.size
	}
	return f, true, nil
}

// fields calls visit with each field up to the end of the message.
func (w *wire) fields(visit func(field) error) error {
	for {
		f, ok, err := w.next()
		if err != nil || !ok {
			return err
		}
		if err := visit(f); err != nil {
			return err
		}
	}
}

// inside iterates over the message in a field.
func (w *wire) inside(f field) (*wire, error) {
	if f.kind != protowire.BytesType {
		return nil, errWire
	}
	return &wire{w.window, f.at, f.at + f.size}, nil
}

// text returns the contents of a field, of at most limit bytes.
func (w *wire) text(f field, limit int) (string, error) {
	if f.kind != protowire.BytesType || f.size > int64(limit) {
		return "", errWire
	}
	if w.window.text += int(f.size); w.window.text > wireMaxText {
		return "", input.TooMuch("got more than %d bytes of names", wireMaxText)
	}
	b, err := w.window.bytes(f.at, int(f.size))
	return string(b), err
}

// numbers appends a repeated integer field, packed or not.
func (w *wire) numbers(list []int64, f field, limit int) ([]int64, error) {
	if f.kind == protowire.VarintType {
		if len(list) == limit {
			return nil, errWire
		}
		return append(list, int64(f.value)), nil
	}
	packed, err := w.text(f, 10*limit)
	for b := []byte(packed); err == nil && len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 || len(list) == limit {
			return nil, errWire
		}
		list, b = append(list, int64(v)), b[n:]
	}
	return list, err
}

// repeated reads the contents of all fields of one number, one after another. So
// a repeated field of numbers is read, packed or not.
type repeated struct {
	wire   *wire
	number protowire.Number
	rest   io.Reader
}

// Read implements io.Reader.
func (r *repeated) Read(p []byte) (int, error) {
	for {
		if r.rest != nil {
			n, err := r.rest.Read(p)
			if n > 0 || err != io.EOF {
				return n, err
			}
			r.rest = nil
		}
		f, ok, err := r.wire.next()
		switch {
		case err != nil:
			return 0, err
		case !ok:
			return 0, io.EOF
		case f.number == r.number:
			r.rest = io.NewSectionReader(r.wire.window.file, f.at, f.size)
		}
	}
}

// window caches the part of a file that was read last.
type window struct {
	file io.ReaderAt
	size int64
	at   int64
	data []byte // in buf
	buf  []byte

	fields int // iterated over so far
	text   int // bytes of names read so far
}

// bytes returns n bytes of the file, valid until the next call.
func (w *window) bytes(at int64, n int) ([]byte, error) {
	if at < w.at || at+int64(n) > w.at+int64(len(w.data)) {
		size := max(n, int(min(1<<14, w.size-at)))
		if size > len(w.buf) {
			w.buf = make([]byte, size)
		}
		w.data = w.buf[:size]
		w.at = at
		if _, err := w.file.ReadAt(w.data, at); err != nil {
			w.data = nil
			return nil, input.Unexpected(err)
		}
	}
	return w.data[at-w.at:][:n], nil
}
