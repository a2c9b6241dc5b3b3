package pipeline

import (
	"fmt"
	"sync"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Weights are the tensors that a pipeline's steps take beside their main
// inputs: filters, biases and the like, from files or made by name. Each is read
// or made once, when the first graph that needs it is about to run; graphs for
// inputs of other shapes share it. Weights may be used from several goroutines.
type Weights struct {
	options imgio.Options
	mutex   sync.Mutex
	known   map[string]*weight
}

type weight struct {
	spec tensor.Spec
	data *tensor.Tensor // nil until it is needed
}

// operand is a tensor that a step takes beside its main inputs.
type operand struct {
	step *config.Step
	name string // the parameter
	key  string // what tells it from others
	file string // resolved; empty for one that is made
	make func() *tensor.Tensor
}

// NewWeights returns an empty store; o says how files are opened.
func NewWeights(o imgio.Options) *Weights {
	o.Stdin = nil // one stream cannot be read for every input
	return &Weights{options: o, known: map[string]*weight{}}
}

// spec returns the type and shape of a file's tensor, from its header.
func (w *Weights) spec(file string) (tensor.Spec, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if known := w.known[file]; known != nil {
		return known.spec, nil
	}
	source, err := imgio.Open(file, w.options)
	if err != nil {
		return tensor.Spec{}, err
	}
	defer source.Close()
	w.known[file] = &weight{spec: source.Info.Spec}
	return source.Info.Spec, nil
}

// load returns an operand's tensor.
func (w *Weights) load(o *operand, spec tensor.Spec) (*tensor.Tensor, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	known := w.known[o.key]
	if known == nil {
		known = &weight{spec: spec}
		w.known[o.key] = known
	}
	if known.data != nil {
		return known.data, nil
	}
	if o.make != nil {
		known.data = o.make()
		return known.data, nil
	}
	source, err := imgio.Open(o.file, w.options)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	if !source.Info.Spec.Equal(spec) {
		return nil, fmt.Errorf("%s: got %s, which was %s a moment ago", o.file, source.Info.Spec, spec)
	}
	known.data, err = source.Read()
	return known.data, err
}
