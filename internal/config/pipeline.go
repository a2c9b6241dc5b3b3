package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// What a pipeline file may be at most. The parser is quadratic in the keys of
// one mapping, and recursive in their depth; both end at these.
const (
	MaxPipelineBytes = 64 << 10
	MaxPipelineText  = 4096 // bytes of one key or value: the longest name of a file
	MaxPipelineDepth = 32
	MaxPipelineSteps = 256
)

// InputName is what from calls the pipeline's own input; no step has that name.
const InputName = "input"

// Pipeline is a pipeline file that is right by itself: every key is known, every
// value is one that its parameter takes, and every step takes what comes before
// it.
type Pipeline struct {
	File  string // as it was named, for messages
	Input Prepare
	Steps []*Step
	Save  []Save // in the file's order; empty: the last step as npy
	Text  []byte // the file's content
}

// RawType returns the type of arrays that NumPy stores as raw bytes: what a dtype
// of the file says, be it the input's or a step's. Invalid if none names such a
// type.
func (p *Pipeline) RawType() tensor.DType {
	if p.Input.DType.IsRaw() {
		return p.Input.DType
	}
	for _, step := range p.Steps {
		if d := ops.ElementType(step.Op); d.IsRaw() {
			return d
		}
	}
	return tensor.Invalid
}

// Prepare says what is done to an input before the first step: it is resized,
// then cropped, then multiplied by Scale, then Offset is added.
type Prepare struct {
	Layout tensor.Layout // of arrays, and what pictures are brought to; "": by rank
	DType  tensor.DType  // that the first step gets; Invalid: see ops.Preparation
	Resize *Resize
	Crop   *Crop
	Scale  []float64 // one number, or one for each channel; nil: 1
	Offset []float64 // the same; nil: 0

	places map[string]Place
}

// Resize brings the two spatial dimensions of a picture to a size.
type Resize struct {
	Size   []int // height, width
	Filter string
}

// ResizeFilters are the ways of resizing: the methods of the operation resize.
var ResizeFilters = ops.ResizeMethods()

// Crop cuts a part out of a picture.
type Crop struct {
	Size []int // height, width
	At   []int // top, left; nil: the middle
}

// Step is one operation of a pipeline.
type Step struct {
	Name string
	Spec ops.Spec
	Op   ops.Op   // with the step's values in its parameters
	From []string // the steps, or InputName, whose output it takes; never empty

	place  Place
	places map[string]Place // of the values, by key
}

// Save says what is written of a step.
type Save struct {
	Step  string
	Kinds []string
	place Place
}

// SaveKinds are what may be written of a step: its output as an array, a picture
// or a picture in diverging colours; where its maxima were, as indices or as a
// picture; and its gradients, those of the output also in diverging colours.
var SaveKinds = []string{"npy", "png", "heatmap", "argmax", "argmax-png", "grad", "grad-heatmap"}

// Has reports whether a kind is saved.
func (s Save) Has(kind string) bool {
	for _, k := range s.Kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// Place returns where the kinds stand.
func (s Save) Place() Place { return s.place }

// Saved returns what is saved of a step.
func (p *Pipeline) Saved(step string) Save {
	for _, s := range p.Save {
		if s.Step == step {
			return s
		}
	}
	return Save{Step: step}
}

// Resolve returns the name of a file that the pipeline names: relative to the
// pipeline's own folder.
func (p *Pipeline) Resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(p.File), name)
}

// At returns where the value of a step's key stands, or the step itself when
// the key was not given.
func (s *Step) At(key string) Place {
	if place, ok := s.places[key]; ok {
		return place
	}
	return s.place
}

// Given reports whether the file gives a step's parameter a value.
func (s *Step) Given(key string) bool {
	_, ok := s.places[key]
	return ok
}

// At returns where the value of a key of the input section stands.
func (p *Prepare) At(key string) Place { return p.places[key] }

// Files returns the files that steps name, resolved and in the order of the file;
// tensors that are named otherwise, such as sobel-x, are among them when there is
// a file of that name.
func (p *Pipeline) Files() []string {
	var list []string
	for _, step := range p.Steps {
		for _, param := range step.Op.Params() {
			if param.Kind.File() && param.String() != "" {
				list = append(list, p.Resolve(param.String()))
			}
		}
	}
	return list
}

// Place is a place in a file, counted from 1.
type Place struct {
	File         string
	Line, Column int
}

// String formats the place as file:line:column.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// PipelineFault is one thing that is wrong with a pipeline file.
type PipelineFault struct {
	Place
	Key     string // the path of the key, such as "pool1: strides"; may be empty
	Problem string // what it was, and what it may be
}

func (f PipelineFault) Error() string {
	if f.Key == "" {
		return f.Place.String() + ": " + f.Problem
	}
	return f.Place.String() + ": " + f.Key + ": " + f.Problem
}

// PipelineFaults is everything that is wrong with a pipeline file by itself, in the
// order of the file.
type PipelineFaults []PipelineFault

func (f PipelineFaults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// ReadPipeline reads a pipeline file. What is wrong with it is a PipelineFaults that
// tells all of it.
func ReadPipeline(file string) (*Pipeline, error) {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return nil, &Error{file, errors.New("is no regular file, want a pipeline file")}
	}
	text, err := readLimited(file)
	if err != nil {
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, &Error{file, err}
	}
	return ParsePipeline(file, text)
}

// ParsePipeline is ReadPipeline for a file's content.
func ParsePipeline(file string, text []byte) (*Pipeline, error) {
	w := &walker{file: file}
	root := w.parse(text)
	if root == nil {
		return nil, w.sorted()
	}
	p := w.pipeline(root)
	if w.count > 0 {
		return nil, w.sorted()
	}
	p.Text = text
	return p, nil
}
