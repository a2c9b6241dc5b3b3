package imgio

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/poolctl/poolctl/internal/tensor"
)

// Member is one array of an archive.
type Member struct {
	Name string // in an .npz archive without .npy
	Spec tensor.Spec

	// What an ONNX model says of the array: the operator that takes it, such as
	// "Conv W", and for a filter the order of its axes in the words of
	// --filter-format. Empty elsewhere.
	Use    string
	Layout string
}

// archived is an array of an opened archive.
type archived struct {
	name string
	file string // another name that it may be asked for by
	use  use
	open func() (Info, func() (*tensor.Tensor, error), error)
}

// use says what a network does with an array.
type use struct{ operator, layout string }

func (f Format) isArchive() bool { return f == NPZ || f == Safetensors || f == ONNX }

// List names the arrays of an archive (.npz, safetensors, ONNX), in the order
// of the file. Names that say more than the file's (#member, -) are not
// accepted.
func List(name string) (list []Member, err error) {
	in, asked, err := openInput(name, Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.close() }()
	defer func() { err = named(name, err) }()
	defer guard(&err)
	if asked != "" {
		return nil, errors.New("names a member, want the archive")
	}
	format, err := in.sniff()
	if err != nil {
		return nil, err
	}
	if !format.isArchive() {
		return nil, fmt.Errorf("is %s, want npz, safetensors or onnx", format)
	}
	if _, err := in.slurp(0); err != nil {
		return nil, err
	}
	all, err := members(in, format)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", format, err)
	}
	for _, m := range all {
		info, _, err := m.open()
		if err != nil {
			return nil, fmt.Errorf("%s: member %q: %w", format, shorten(m.name), err)
		}
		list = append(list, Member{m.name, info.Spec, m.use.operator, m.use.layout})
	}
	return list, nil
}

func members(in *input, format Format) ([]archived, error) {
	switch format {
	case NPZ:
		return npzMembers(in)
	case Safetensors:
		return safetensorsMembers(in)
	default:
		return onnxMembers(in)
	}
}

// openMember opens one array of an archive: the one named, or the only one.
func openMember(in *input, format Format, name string) (Info, func() (*tensor.Tensor, error), error) {
	all, err := members(in, format)
	if err == nil && len(all) == 0 {
		err = errors.New("the archive holds no arrays")
	}
	if err != nil {
		return Info{}, nil, fmt.Errorf("%s: %w", format, err)
	}
	m, err := pickMember(all, name)
	if err != nil {
		return Info{}, nil, fmt.Errorf("%s: %w", format, err)
	}
	of := func(err error) error { return fmt.Errorf("%s: member %q: %w", format, shorten(m.name), err) }
	info, read, err := m.open()
	if err != nil {
		return Info{}, nil, of(err)
	}
	info.Format = format
	return info, func() (*tensor.Tensor, error) {
		t, err := read()
		if err != nil {
			return nil, of(err)
		}
		return t, nil
	}, nil
}

func pickMember(all []archived, name string) (archived, error) {
	if name == "" && len(all) == 1 {
		return all[0], nil
	}
	var names []string
	for _, m := range all {
		if name != "" && (name == m.name || name == m.file) {
			return m, nil
		} else if len(names) < 10 {
			names = append(names, shown(m.name))
		}
	}
	list := strings.Join(names, ", ")
	if len(all) > len(names) {
		list += fmt.Sprintf(" and %d more", len(all)-len(names))
	}
	if name == "" {
		return archived{}, fmt.Errorf("holds %d arrays, want one of them by name, as in FILE#%s: %s", len(all), names[0], list)
	}
	return archived{}, fmt.Errorf("got member %q, want one of %s", shorten(name), list)
}

// shown is a name for a message without quotes; one with characters that do not
// print, such as a line break, has them all the same.
func shown(name string) string {
	name = shorten(name)
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

func shorten(name string) string {
	if len(name) > 60 {
		return name[:57] + "..."
	}
	return name
}
