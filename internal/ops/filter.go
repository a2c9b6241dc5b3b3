package ops

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/tensor"
)

// namedFilter is a filter given by name instead of a file, such as sobel-x or
// box:3. It has spatial extents only and applies to each channel separately.
// Named filters with the shape of a file are in initialiser.go.
type namedFilter struct {
	shape  tensor.Shape
	values []float64
}

var filterNames = []string{"sobel-x", "sobel-y", "laplacian", "gaussian", "box", "emboss", "identity"}

// filterParameters are what follows a filter's name, if anything does.
var filterParameters = map[string]string{"gaussian": ":SIZE:SIGMA", "box": ":SIZE"}

// filterForms lists the names with their parameters, for help texts.
const filterForms = "sobel-x, sobel-y, laplacian, emboss, identity, gaussian:SIZE:SIGMA, box:SIZE, " + initialiserForms

// isSpatialFilter reports whether text names a filter without channels.
func isSpatialFilter(text string) bool {
	name, _, _ := strings.Cut(text, ":")
	return slices.Contains(filterNames, name)
}

// parseFilter returns the named filter for an operation with that many spatial
// dimensions.
func parseFilter(text string, rank int) (namedFilter, error) {
	name, rest, _ := strings.Cut(text, ":")
	var args []string
	if rest != "" {
		args = strings.Split(rest, ":")
	}
	want := strings.Count(filterParameters[name], ":")
	if len(args) != want {
		return namedFilter{}, fmt.Errorf("got %q with %d parameters, want %d: one of %s", text, len(args), want, filterForms)
	}
	flat := func(values ...float64) (namedFilter, error) {
		if rank != 2 {
			return namedFilter{}, fmt.Errorf("got %s, which has 2 dimensions, for %d", name, rank)
		}
		return namedFilter{shape: tensor.Shape{3, 3}, values: values}, nil
	}
	switch name {
	case "sobel-x":
		return flat(-1, 0, 1, -2, 0, 2, -1, 0, 1)
	case "sobel-y":
		return flat(-1, -2, -1, 0, 0, 0, 1, 2, 1)
	case "emboss":
		return flat(-2, -1, 0, -1, 1, 1, 0, 1, 2)
	case "identity":
		return separable(rank, []float64{1}), nil
	case "laplacian":
		return laplacian(rank), nil
	case "box":
		size, err := filterSize(args[0])
		if err != nil {
			return namedFilter{}, err
		}
		line := make([]float64, size)
		for i := range line {
			line[i] = 1 / float64(size)
		}
		return separable(rank, line), nil
	default: // gaussian
		size, err := filterSize(args[0])
		if err != nil {
			return namedFilter{}, err
		}
		sigma, err := parseNumber(args[1])
		if err != nil || sigma <= 0 || math.IsInf(sigma, 0) {
			return namedFilter{}, fmt.Errorf("got sigma %q, want a number > 0", args[1])
		}
		return separable(rank, gaussian(size, sigma)), nil
	}
}

// largestFilter bounds the side of a named filter, whose numbers are computed
// in memory before anything is planned.
const largestFilter = 1023

func filterSize(text string) (int, error) {
	size, err := parseInt(text)
	if err != nil {
		return 0, err
	}
	if size < 1 || size > largestFilter {
		return 0, fmt.Errorf("got size %d, want 1 to %d", size, largestFilter)
	}
	return size, nil
}

// gaussian returns the normalised samples of a Gaussian around the middle. They
// are relative to the sample nearest to the middle, so that even the narrowest
// Gaussian has weights to normalise.
func gaussian(size int, sigma float64) []float64 {
	line, sum := make([]float64, size), 0.0
	nearest := float64((size-1)%2) / 2
	for i := range line {
		line[i] = 1
		if d := math.Abs(float64(i) - float64(size-1)/2); d > nearest {
			line[i] = math.Exp(-(d - nearest) / sigma * ((d + nearest) / sigma) / 2)
		}
		sum += line[i]
	}
	for i := range line {
		line[i] /= sum
	}
	return line
}

// separable returns the outer product of rank copies of a line.
func separable(rank int, line []float64) namedFilter {
	f := namedFilter{values: []float64{1}}
	for range rank {
		next := make([]float64, 0, len(f.values)*len(line))
		for _, v := range f.values {
			for _, w := range line {
				next = append(next, v*w)
			}
		}
		f.shape, f.values = append(f.shape, len(line)), next
	}
	return f
}

// laplacian returns the sum of the second differences along all axes: 1 at the
// neighbours, -2 per axis in the middle.
func laplacian(rank int) namedFilter {
	f := separable(rank, []float64{0, 0, 0})
	middle := len(f.values) / 2
	f.values[middle] = float64(-2 * rank)
	for step, axis := 1, 0; axis < rank; step, axis = 3*step, axis+1 {
		f.values[middle-step], f.values[middle+step] = 1, 1
	}
	return f
}

// spec returns the type and shape of the filter as a tensor, with channel axes
// at the end.
func (f *namedFilter) spec(channels ...int) tensor.Spec {
	return tensor.Spec{DType: tensor.Float64, Shape: slices.Concat(f.shape, channels)}
}

// tensor returns the filter, repeated for each channel.
func (f *namedFilter) tensor(channels ...int) *tensor.Tensor {
	t := tensor.New(f.spec(channels...))
	data := tensor.Of[float64](t)
	repeat := len(data) / max(1, len(f.values))
	for i, v := range f.values {
		for r := range repeat {
			data[i*repeat+r] = v
		}
	}
	return t
}

// filterInput describes the filter as an input of an operation. format is the
// order of its axes, channels those that a spatial named filter gets.
func filterInput(source, format string, rank int, channels ...int) (Input, error) {
	if !isSpatialFilter(source) {
		in, err := initialised("filter", source, format)
		in.names = filterTensors
		return in, err
	}
	in := Input{Name: "filter", Source: source}
	f, err := parseFilter(source, rank)
	if err != nil {
		return in, err
	}
	in.Spec = f.spec(channels...)
	in.Make = func() *tensor.Tensor { return f.tensor(channels...) }
	return in, nil
}
