package ops

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
)

// The tensors that parameters take by name instead of a file, with what follows
// each name: those of a filter, and those of any other tensor.
var (
	filterTensors = slices.Concat(namedFilters(), initialisedTensors())
	otherTensors  = initialisedTensors()
)

func namedFilters() []string {
	var list []string
	for _, name := range filterNames {
		list = append(list, name+filterParameters[name])
	}
	return list
}

func initialisedTensors() []string {
	var list []string
	for _, i := range initialisers {
		follows := ":SHAPE"
		if i.draw != nil {
			follows = ":SHAPE:SEED"
		}
		list = append(list, i.name+follows)
	}
	return list
}

// NotFound words the error of opening the input's source. If there is no such
// file, and the source looks like the name of a tensor that is made, the error
// lists those names and hints at the nearest. It is returned as it is otherwise.
func (in *Input) NotFound(op string, err error) error {
	word, _, _ := strings.Cut(in.Source, ":")
	if in.names == nil || word == "" || strings.ContainsAny(in.Source, `./\#`) || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var near, words []string
	for _, form := range in.names {
		name, _, _ := strings.Cut(form, ":")
		words = append(words, name)
		if strings.HasPrefix(name, strings.ToLower(word)) {
			near = append(near, form)
		}
	}
	if near == nil {
		if i := slices.Index(words, Nearest(word, words)); i >= 0 {
			near = in.names[i : i+1]
		}
	}
	field := &geom.Error{Field: in.Name, Problem: fmt.Sprintf("got %q, want a file or one of %s", in.Source, strings.Join(in.names, ", "))}
	if near != nil {
		field.Advice = "did you mean " + strings.Join(near, " or ") + "?"
	}
	return &DataError{op, field}
}
