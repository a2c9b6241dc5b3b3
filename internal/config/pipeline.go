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

// Limits of a pipeline file. The time of the YAML parser is quadratic in the
// keys of a mapping and its stack grows with the depth.
const (
	MaxPipelineBytes = 64 << 10
	MaxPipelineText  = 4096 // bytes of one key or value, as long as the name of a file may be
	MaxPipelineDepth = 32
	MaxPipelineSteps = 256
)

// InputName is the name of the pipeline's input in from. No step may have it.
const InputName = "input"

// Pipeline is a valid pipeline file: every key is known, every value suits its
// parameter, and every step takes inputs that come before it.
type Pipeline struct {
	File  string // its name in messages
	Input Prepare
	Steps []*Step
	Save  []Save // in file order; if empty, the last step is saved as npy
	Text  []byte // the content of the file
}

// RawType returns the element type of arrays that NumPy stores as raw bytes:
// the one that the file gives as a dtype, of the input or of a step. It is
// Invalid if the file gives none.
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

// Prepare is the input section: the input is resized, cropped, multiplied by
// Scale, and Offset is added.
type Prepare struct {
	Layout tensor.Layout // of arrays, and of pictures after conversion; if empty, by rank
	DType  tensor.DType  // for the first step; if Invalid, see ops.Preparation
	Resize *Resize
	Crop   *Crop
	Scale  []float64 // one number, or one for each channel; nil means 1
	Offset []float64 // the same; nil means 0

	places map[string]Place
}

// Resize resizes the two spatial dimensions of a picture.
type Resize struct {
	Size   []int // height, width
	Filter string
}

// ResizeFilters are the filters of Resize: methods of the operation resize.
var ResizeFilters = ops.ResizeMethods()

// Crop cuts a part out of a picture.
type Crop struct {
	Size []int // height, width
	At   []int // top, left; nil means the middle
}

// Step is one operation of a pipeline.
type Step struct {
	Name string
	Spec ops.Spec
	Op   ops.Op   // with its parameters set
	From []string // steps whose outputs it takes, or InputName; never empty

	place  Place
	places map[string]Place // of values, by key
}

// Save is what is saved of a step.
type Save struct {
	Step  string
	Kinds []string
	place Place
}

// SaveKinds are what can be saved of a step: its output as an array, a picture
// or a heatmap; the places of its maxima as indices or as a picture; its
// gradients, and that of its output as a heatmap.
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

// Place returns the place of the kinds.
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

// Resolve returns the path of a file that the pipeline names relative to its
// own folder.
func (p *Pipeline) Resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(p.File), name)
}

// At returns the place of the value of a step's key, or of the step if the key
// was not given.
func (s *Step) At(key string) Place {
	if place, ok := s.places[key]; ok {
		return place
	}
	return s.place
}

// Given reports whether the file sets a parameter of the step.
func (s *Step) Given(key string) bool {
	_, ok := s.places[key]
	return ok
}

// At returns the place of the value of a key of the input section.
func (p *Prepare) At(key string) Place { return p.places[key] }

// Files returns the files that steps name, resolved and in file order. It
// includes the names of made tensors, such as sobel-x, if there is a file of
// that name.
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

// Place is a place in a file. Lines and columns count from 1.
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

// PipelineFault is one fault of a pipeline file.
type PipelineFault struct {
	Place
	Key     string // the path of the key, such as "pool1: strides"; may be empty
	Problem string // the value, and what it may be
}

func (f PipelineFault) Error() string {
	if f.Key == "" {
		return f.Place.String() + ": " + f.Problem
	}
	return f.Place.String() + ": " + f.Key + ": " + f.Problem
}

// PipelineFaults are all faults of a pipeline file, in file order.
type PipelineFaults []PipelineFault

func (f PipelineFaults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// ReadPipeline reads a pipeline file. If the file is not valid, the error is a
// PipelineFaults.
func ReadPipeline(file string) (*Pipeline, error) {
	info, err := os.Stat(file)
	if err == nil && !info.Mode().IsRegular() {
		return nil, &Error{file, errors.New("is not a regular file, want a pipeline file")}
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

// ParsePipeline is ReadPipeline for the content of a file.
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
