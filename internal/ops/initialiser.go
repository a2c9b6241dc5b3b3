package ops

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/tensor"
)

// initialisers are the names that a filter, a bias or another secondary tensor
// may have instead of a file: NAME:SHAPE, or NAME:SHAPE:SEED if it is random.
var initialisers = []initialiser{
	{"uniform", func(r *rand.Rand, _, _ float64) float64 { return 2*r.Float64() - 1 }},
	{"normal", func(r *rand.Rand, _, _ float64) float64 { return r.NormFloat64() }},
	{"glorot-uniform", func(r *rand.Rand, in, out float64) float64 { return spread(r, 6/(in+out)) }},
	{"glorot-normal", func(r *rand.Rand, in, out float64) float64 { return truncated(r, 2/(in+out)) }},
	{"he-uniform", func(r *rand.Rand, in, _ float64) float64 { return spread(r, 6/in) }},
	{"he-normal", func(r *rand.Rand, in, _ float64) float64 { return truncated(r, 2/in) }},
	{"zeros", nil},
	{"ones", nil},
}

// initialiser makes numbers one after another. fanIn is the number of inputs of
// one output, fanOut the number of outputs of one input. Without draw all
// numbers are equal.
type initialiser struct {
	name string
	draw func(random *rand.Rand, fanIn, fanOut float64) float64
}

// initialiserForms lists the names with their parameters, for help texts.
const initialiserForms = "NAME:SHAPE:SEED of a random one (uniform, normal, glorot-uniform, glorot-normal, he-uniform, he-normal), zeros:SHAPE, ones:SHAPE"

// spread draws uniformly from [-√square, √square).
func spread(r *rand.Rand, square float64) float64 { return math.Sqrt(square) * (2*r.Float64() - 1) }

// truncatedDeviation is the standard deviation of the normal distribution
// truncated at -2 and 2.
const truncatedDeviation = 0.87962566103423978

// truncated draws from a normal distribution truncated at two standard
// deviations and widened to the given variance, as Keras' VarianceScaling does.
func truncated(r *rand.Rand, variance float64) float64 {
	for {
		if v := r.NormFloat64(); math.Abs(v) <= 2 {
			return v * math.Sqrt(variance) / truncatedDeviation
		}
	}
}

// largestDrawn bounds the size of a tensor that is made, not read.
const largestDrawn = 1 << 28

// initialised describes a secondary tensor: a file, or one made by an
// initialiser. format names the axes of a filter, with I and O (I and M in a
// depthwise filter) for its channels. The rules of Glorot and He count
// connections by it (Glorot and Bengio 2010; He et al. 2015). A tensor without
// a format has as many connections as elements.
//
// The numbers are exact in float32, so that a tensor is the same in every type.
// Uniform numbers are from [-1, 1), normal ones have mean 0 and deviation 1. A
// seed gives the same numbers on every machine.
func initialised(name, source, format string) (Input, error) {
	in := Input{Name: name, Source: source, names: otherTensors}
	word, rest, _ := strings.Cut(source, ":")
	i := slices.IndexFunc(initialisers, func(e initialiser) bool { return e.name == word })
	if i < 0 {
		return in, nil
	}
	made := initialisers[i]
	args, want := strings.Split(rest, ":"), 2
	if made.draw == nil {
		want = 1
	}
	if rest == "" || len(args) != want {
		return in, fmt.Errorf("got %q, want %s", source, initialiserForms)
	}
	shape, err := ParseInts(args[0])
	if err != nil {
		return in, err
	}
	n, err := tensor.Product(shape...)
	if err != nil {
		return in, err
	}
	if n > largestDrawn {
		return in, fmt.Errorf("got shape %s, want at most %d weights", tensor.Shape(shape), largestDrawn)
	}
	seed := 0
	if made.draw != nil {
		if seed, err = parseInt(args[1]); err != nil {
			return in, fmt.Errorf("seed: %w", err)
		}
	}
	in.Spec = tensor.Spec{DType: tensor.Float32, Shape: shape}
	in.Make = func() *tensor.Tensor {
		t := tensor.New(in.Spec)
		data := tensor.Of[float32](t)
		switch word {
		case "zeros":
			return t
		case "ones":
			for i := range data {
				data[i] = 1
			}
			return t
		}
		random := rand.New(rand.NewPCG(uint64(seed), 0))
		fanIn, fanOut := connections(shape, format)
		for i := range data {
			data[i] = float32(made.draw(random, fanIn, fanOut))
		}
		return t
	}
	return in, nil
}

// connections returns the number of inputs of one output and of outputs of one
// input: the spatial extent of the filter times its input or output channels.
func connections(shape tensor.Shape, format string) (fanIn, fanOut float64) {
	fanIn, fanOut = 1, 1
	for axis, n := range shape {
		letter := byte('*')
		if len(format) == len(shape) {
			letter = format[axis]
		}
		if letter != 'O' && letter != 'M' {
			fanIn *= float64(n)
		}
		if letter != 'I' {
			fanOut *= float64(n)
		}
	}
	return max(1, fanIn), max(1, fanOut)
}
