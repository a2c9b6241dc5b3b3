package ops_test

import (
	"math"
	"slices"
)

// references compute what each operation is: the outputs of its plan. A test
// fails for an operation that has none.
var references = map[string]func(c *call) []grid{
	"pool":             poolReference,
	"unpool":           unpoolReference,
	"conv1d":           convReference,
	"conv2d":           convReference,
	"conv3d":           convReference,
	"conv1d-transpose": transposeReference,
	"conv2d-transpose": transposeReference,
	"conv3d-transpose": transposeReference,
	"depthwise-conv2d": depthwiseReference,
	"dilation2d":       morphologyReference(1),
	"erosion2d":        morphologyReference(-1),
	"relu":             elementwise(func(v, _ float64) float64 { return max(v, 0) }),
	"relu6":            elementwise(func(v, _ float64) float64 { return min(max(v, 0), 6) }),
	"sigmoid":          elementwise(func(v, _ float64) float64 { return 1 / (1 + math.Exp(-v)) }),
	"tanh":             elementwise(func(v, _ float64) float64 { return math.Tanh(v) }),
	"leaky-relu": elementwise(func(v, alpha float64) float64 {
		if v > 0 {
			return v
		}
		return alpha * v
	}),
	"bias-add": func(c *call) []grid {
		return []grid{fill(c.in[0].shape, func(o []int) float64 { return c.in[0].at(o...) + c.bias(o[len(o)-1]) })}
	},
	"batch-norm": func(c *call) []grid {
		return []grid{fill(c.in[0].shape, func(o []int) float64 {
			of := func(name string, otherwise float64) float64 {
				if list, ok := c.beside[name]; ok {
					return list.data[o[len(o)-1]]
				}
				return otherwise
			}
			return (c.in[0].at(o...)-of("mean", 0))/math.Sqrt(of("variance", 1)+c.number("epsilon"))*of("scale", 1) + of("offset", 0)
		})}
	},
	"lrn": func(c *call) []grid {
		x := c.in[0]
		before, after := 5, 5
		if c.values["size"] != "" {
			size := int(c.number("size"))
			before, after = size/2, (size-1)/2
		} else if c.values["depth-radius"] != "" {
			before, after = int(c.number("depth-radius")), int(c.number("depth-radius"))
		}
		return []grid{fill(x.shape, func(o []int) float64 {
			squares, channel := 0.0, o[len(o)-1]
			for j := max(0, channel-before); j <= min(x.channels()-1, channel+after); j++ {
				v := x.at(append(slices.Clone(o[:len(o)-1]), j)...)
				squares += v * v
			}
			return x.at(o...) / math.Pow(c.number("bias")+c.number("alpha")*squares, c.number("beta"))
		})}
	},
	"softmax": func(c *call) []grid {
		x, axis := c.in[0], c.axis()
		return []grid{fill(x.shape, func(o []int) float64 {
			sum, along := 0.0, slices.Clone(o)
			for along[axis] = range x.shape[axis] {
				sum += math.Exp(x.at(along...))
			}
			return math.Exp(x.at(o...)) / sum
		})}
	},
	"flatten": func(c *call) []grid {
		x := c.in[0]
		return []grid{{[]int{x.shape[0], len(x.data) / max(1, x.shape[0])}, x.data}}
	},
	"dense": func(c *call) []grid {
		x, format := c.in[0], c.values["filter-format"]
		_, inputs, outputs := extents(c.beside["filter"], format)
		return []grid{fill(append(slices.Clone(x.shape[:len(x.shape)-1]), outputs), func(o []int) float64 {
			sum := c.bias(o[len(o)-1])
			for i := range inputs {
				sum += x.at(append(slices.Clone(o[:len(o)-1]), i)...) * weight(c.beside["filter"], format, nil, i, o[len(o)-1])
			}
			return sum
		})}
	},
	"add": func(c *call) []grid {
		return []grid{fill(c.in[0].shape, func(o []int) (sum float64) {
			for _, x := range c.in {
				sum += x.at(o...)
			}
			return sum
		})}
	},
	"concat": func(c *call) []grid {
		axis := c.axis()
		shape := slices.Clone(c.in[0].shape)
		for _, x := range c.in[1:] {
			shape[axis] += x.shape[axis]
		}
		return []grid{fill(shape, func(o []int) float64 {
			at := slices.Clone(o)
			for _, x := range c.in {
				if at[axis] < x.shape[axis] {
					return x.at(at...)
				}
				at[axis] -= x.shape[axis]
			}
			panic("behind the last part")
		})}
	},
	"pad": padReference,
}

// elementwise is a function of each number and --alpha.
func elementwise(f func(v, alpha float64) float64) func(c *call) []grid {
	return func(c *call) []grid {
		alpha := 0.0
		if c.values["alpha"] != "" {
			alpha = c.number("alpha")
		}
		return []grid{fill(c.in[0].shape, func(o []int) float64 { return f(c.in[0].at(o...), alpha) })}
	}
}

// padReference looks every new cell up in the input.
func padReference(c *call) []grid {
	x := c.in[0]
	given := pairs(c.values["paddings"])
	amounts, spatial := make([][2]int, len(x.shape)), x.spatial()
	if len(given) == len(x.shape) {
		amounts = given
	} else {
		for i := range spatial {
			amounts[1+i] = given[min(i, len(given)-1)]
		}
	}
	shape := slices.Clone(x.shape)
	for i, p := range amounts {
		shape[i] += p[0] + p[1]
	}
	return []grid{fill(shape, func(o []int) float64 {
		from := make([]int, len(o))
		for i, n := range x.shape {
			first, last := max(0, -amounts[i][0]), n-1+min(0, amounts[i][1]) // what is not cropped
			at := o[i] - amounts[i][0]
			for mode := c.values["mode"]; at < first || at > last; {
				switch mode {
				case "constant":
					return c.number("value")
				case "edge":
					at = min(max(at, first), last)
				case "wrap":
					if at < first {
						at += last - first + 1
					} else {
						at -= last - first + 1
					}
				case "reflect", "symmetric":
					edge := map[string]int{"reflect": 0, "symmetric": 1}[mode]
					if first == last && mode == "reflect" {
						at = first
					} else if at < first {
						at = 2*first - edge - at
					} else {
						at = 2*last + edge - at
					}
				default:
					panic("the reference has no --mode " + mode)
				}
			}
			from[i] = at
		}
		return x.at(from...)
	})}
}
