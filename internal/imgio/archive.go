package imgio

import (
	"errors"
	"fmt"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Member is one array of an archive.
type Member struct {
	Name string // without the .npy that it has in an .npz archive
	Spec tensor.Spec

	// Err says why the array cannot be read, or is nil. Spec is only as much as is
	// known then: a *TypeError has the name of the element type.
	Err error

	// For an array of an ONNX model: the operator and input that use it, such as
	// "Conv W", and the order of a filter's axes, as --filter-format takes it. Empty
	// for other archives.
	Use    string
	Layout string
}

// List returns the arrays of an archive, in the order of the file. An array that
// cannot be read is listed with the reason. The name must be a plain file name,
// without #member. raw is as in Options.
func List(name string, raw tensor.DType) (list []Member, err error) {
	in, asked, err := input.Open(name, nil)
	if err != nil {
		return nil, err
	}
	in.Raw = raw
	defer func() { _ = in.Close() }()
	defer func() { err = input.Named(name, err) }()
	defer input.Guard(&err)
	if asked != "" {
		return nil, errors.New("names a member, want the archive")
	}
	f, err := recognise(in)
	if err != nil {
		return nil, err
	}
	if f.Archive == nil {
		return nil, fmt.Errorf("is %s, want %s", f.Name, format.List(namesOf(isArchive)))
	}
	if _, err := in.Slurp(0); err != nil {
		return nil, err
	}
	all, err := f.Archive.Members(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	for _, m := range all {
		array, err := m.Open()
		var unsupported *TypeError
		if errors.As(err, &unsupported) {
			array.Spec.Shape = unsupported.Shape
		}
		list = append(list, Member{m.Name, array.Spec, err, m.Use.Operator, m.Use.Layout})
	}
	return list, nil
}

// openMember opens one array of an archive: the one named, or the only one.
func openMember(in *input.File, f *format.Format, name string) (input.Array, error) {
	all, err := f.Archive.Members(in)
	if err == nil && len(all) == 0 {
		err = errors.New("the archive holds no arrays")
	}
	if err != nil {
		return input.Array{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	m, err := pickMember(all, name)
	if err != nil {
		return input.Array{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	of := func(err error) error { return fmt.Errorf("%s: member %q: %w", f.Name, input.Shorten(m.Name), err) }
	array, err := m.Open()
	if err != nil {
		return input.Array{}, of(err)
	}
	read := array.Read
	array.Read = func() (*tensor.Tensor, error) {
		t, err := read()
		if err != nil {
			return nil, of(err)
		}
		return t, nil
	}
	return array, nil
}

func pickMember(all []input.Member, name string) (input.Member, error) {
	if name == "" && len(all) == 1 {
		return all[0], nil
	}
	var names []string
	for _, m := range all {
		if name != "" && (name == m.Name || name == m.File) {
			return m, nil
		} else if len(names) < 10 {
			names = append(names, input.Shown(m.Name))
		}
	}
	list := strings.Join(names, ", ")
	if len(all) > len(names) {
		list += fmt.Sprintf(" and %d more", len(all)-len(names))
	}
	if name == "" {
		return input.Member{}, fmt.Errorf("holds %d arrays, want one of them by name, as in FILE#%s: %s", len(all), names[0], list)
	}
	return input.Member{}, fmt.Errorf("got member %q, want one of %s", input.Shorten(name), list)
}
