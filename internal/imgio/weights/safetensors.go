package weights

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Limits on a safetensors file. The format allows headers of 100 MB; those of large
// models have a few hundred kilobytes.
const (
	safetensorsMaxHeader = 16 << 20
	safetensorsMaxArrays = 1 << 16
)

// safetensorsType returns the element type by the format's name.
func safetensorsType(name string) (d tensor.DType, c coding, known bool) {
	if name == "BOOL" {
		return tensor.Uint8, truths, true
	}
	for _, d := range tensor.DTypes() {
		if d.Codes().Safetensors == name {
			return d, verbatim, true
		}
	}
	return tensor.Invalid, verbatim, false
}

// safetensorsMembers lists the arrays of a safetensors file. The file is the length
// of the header in eight bytes, the header in JSON, and the data of the arrays
// without gaps (https://huggingface.co/docs/safetensors).
func safetensorsMembers(in *input.File) ([]input.Member, error) {
	var head [8]byte
	if _, err := in.Content.ReadAt(head[:], 0); err != nil {
		return nil, fmt.Errorf("header: %w", input.Unexpected(err))
	}
	length := binary.LittleEndian.Uint64(head[:])
	if length > safetensorsMaxHeader {
		return nil, input.TooMuch("header: got %d bytes, want <= %d", length, safetensorsMaxHeader)
	}
	data := int64(8 + length)
	if data > in.Size {
		return nil, fmt.Errorf("header: got %d of %d bytes, the file is cut", in.Size-8, length)
	}
	text := make([]byte, length)
	if _, err := in.Content.ReadAt(text, 8); err != nil {
		return nil, fmt.Errorf("header: %w", input.Unexpected(err))
	}
	entries, err := parseSafetensors(text)
	if err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := checkOffsets(entries, in.Size-data); err != nil {
		return nil, err
	}
	list := make([]input.Member, len(entries))
	for i, e := range entries {
		list[i] = input.Member{Name: e.name, Open: func() (input.Array, error) {
			d, coding, known := safetensorsType(e.DType)
			if !known {
				if _, err := e.Shape.Elements(); err != nil {
					return input.Array{}, err
				}
				return input.Array{}, &input.TypeError{Type: input.Shown(e.DType), Shape: e.Shape, Why: "not supported, want a type such as F32"}
			}
			s := stored{spec: tensor.Spec{DType: d, Shape: e.Shape}, coding: coding}
			s.takes(piece{in.Content, data + e.Offsets[0], e.Offsets[1] - e.Offsets[0]})
			return s.array(), s.check()
		}}
	}
	return list, nil
}

type safetensorsEntry struct {
	name    string
	DType   string       `json:"dtype"`
	Shape   tensor.Shape `json:"shape"`
	Offsets []int64      `json:"data_offsets"`
}

// parseSafetensors parses the header: an object that maps names to arrays, and
// __metadata__ to texts.
func parseSafetensors(text []byte) ([]safetensorsEntry, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if first, err := d.Token(); err != nil || first != json.Delim('{') {
		return nil, errors.New("want a JSON object")
	}
	var list []safetensorsEntry
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := token.(string)
		if seen[name] {
			return nil, fmt.Errorf("the name %q occurs twice", input.Shorten(name))
		}
		seen[name] = true
		if name == "__metadata__" {
			var texts map[string]string
			if err := d.Decode(&texts); err != nil {
				return nil, fmt.Errorf("__metadata__: %w", err)
			}
			continue
		}
		if len(list) == safetensorsMaxArrays {
			return nil, input.TooMuch("got more than %d arrays", safetensorsMaxArrays)
		}
		e := safetensorsEntry{name: name}
		if err := d.Decode(&e); err != nil {
			return nil, fmt.Errorf("member %q: %w", input.Shorten(name), err)
		}
		if len(e.Offsets) != 2 || e.Shape == nil || len(e.Shape) > input.MaxRank {
			return nil, fmt.Errorf("member %q: want dtype, shape and two data_offsets", input.Shorten(name))
		}
		for _, n := range e.Shape {
			if n < 0 {
				return nil, fmt.Errorf("member %q: got shape %s, want sizes >= 0", input.Shorten(name), e.Shape)
			}
		}
		list = append(list, e)
	}
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("want nothing but spaces after the object")
	}
	return list, nil
}

// checkOffsets sorts the arrays by offset and checks that they fill the data without
// overlaps and gaps.
func checkOffsets(list []safetensorsEntry, size int64) error {
	slices.SortStableFunc(list, func(a, b safetensorsEntry) int {
		if a.Offsets[0] != b.Offsets[0] {
			return int(max(-1, min(1, a.Offsets[0]-b.Offsets[0])))
		}
		return int(max(-1, min(1, a.Offsets[1]-b.Offsets[1])))
	})
	at := int64(0)
	for _, e := range list {
		switch {
		case e.Offsets[0] != at || e.Offsets[1] < at:
			return fmt.Errorf("member %q: got data_offsets %d, want them to begin at %d, where the array before it ends", input.Shorten(e.name), e.Offsets, at)
		case e.Offsets[1] > size:
			return fmt.Errorf("member %q: got data up to byte %d of %d, the file is cut", input.Shorten(e.name), e.Offsets[1], size)
		}
		at = e.Offsets[1]
	}
	if at != size {
		return fmt.Errorf("got %d bytes after the last array, want the end of the file", size-at)
	}
	return nil
}
