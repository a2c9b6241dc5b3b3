package pipeline

import (
	"fmt"
	"sync"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Weights are the tensors that a pipeline's steps name: filters, biases and the
// like. Each file is read once, when the first graph that needs it runs; graphs
// for inputs of other shapes share it. Weights may be used from several
// goroutines.
type Weights struct {
	options imgio.Options
	mutex   sync.Mutex
	files   map[string]*weight
}

type weight struct {
	spec tensor.Spec
	data *tensor.Tensor // nil until it is read
}

// NewWeights returns an empty store; o says how files are opened.
func NewWeights(o imgio.Options) *Weights {
	o.Stdin = nil // one stream cannot be read for every input
	return &Weights{options: o, files: map[string]*weight{}}
}

// Spec returns the type and shape of a file's tensor, from its header.
func (w *Weights) Spec(name string) (tensor.Spec, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if known := w.files[name]; known != nil {
		return known.spec, nil
	}
	source, err := imgio.Open(name, w.options)
	if err != nil {
		return tensor.Spec{}, err
	}
	defer source.Close()
	w.files[name] = &weight{spec: source.Info.Spec}
	return source.Info.Spec, nil
}

// Load returns a file's tensor. Spec has been called for it.
func (w *Weights) Load(name string) (*tensor.Tensor, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	known := w.files[name]
	if known.data != nil {
		return known.data, nil
	}
	source, err := imgio.Open(name, w.options)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	if !source.Info.Spec.Equal(known.spec) {
		return nil, fmt.Errorf("%s: got %s, which was %s a moment ago", name, source.Info.Spec, known.spec)
	}
	known.data, err = source.Read()
	return known.data, err
}
