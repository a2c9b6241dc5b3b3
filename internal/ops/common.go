package ops

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

// format holds the parameters that every operation has.
type format struct {
	Layout tensor.Layout
	DType  tensor.DType
}

func (f *format) params() []Param { return []Param{layoutParam(&f.Layout), dtypeParam(&f.DType)} }

// layout returns the layout of a tensor: the given one, or the default for its
// rank.
func (f *format) layout(op string, x tensor.Spec) (tensor.Layout, tensor.Extents, error) {
	l := f.Layout
	if l == "" {
		var err error
		if l, err = tensor.DefaultLayout(len(x.Shape)); err != nil {
			return "", tensor.Extents{}, &DataError{op, fmt.Errorf("input: %w", err)}
		}
	}
	e, err := l.Split(x.Shape)
	if err != nil {
		return "", tensor.Extents{}, unfit(op, "data-format", "%v", err)
	}
	return l, e, nil
}

// input returns the type that the main input is converted to first.
func (f *format) input(x tensor.Spec) tensor.DType {
	if f.DType != tensor.Invalid {
		return f.DType
	}
	return x.DType
}

// averaged returns the type of an average, a sum or a convolution of x.
func (f *format) averaged(x tensor.Spec) tensor.DType {
	if f.DType != tensor.Invalid {
		return f.DType
	}
	return x.DType.Averaged()
}

// windows holds the parameters of windows.
type windows struct {
	Strides   []int
	Padding   paddingValue
	Dilations []int
	Empty     string
}

func (w *windows) params(strides string) []Param {
	return []Param{
		intsParam("strides", &w.Strides, strides, "distance between neighbouring windows"),
		paddingParam(&w.Padding),
		intsParam("dilations", &w.Dilations, "1", "distance between neighbouring taps of a window"),
		choiceParam("empty", &w.Empty, []string{"error", "allow"}, "error", "what to do if no window fits: refuse, or return an empty tensor"),
	}
}

// window returns windows of that size.
func (w *windows) window(size []int) geom.Window {
	return geom.Window{Size: size, Stride: w.Strides, Dilation: w.Dilations, Padding: w.Padding.Rule, Amounts: w.Padding.Amounts}
}

// resolve resolves the windows over the input and applies --empty.
func (w *windows) resolve(op string, e tensor.Extents, window geom.Window) (geom.Geometry, error) {
	g, err := geom.Resolve(e.N, e.Spatial, e.C, window)
	if err == nil && w.Empty != "allow" {
		err = advise(g.Fits(), "--padding SAME fits every window; --empty allow gives the empty tensor")
	}
	if err != nil {
		return g, &DataError{op, err}
	}
	return g, nil
}

func nanParam(field *string) Param {
	return choiceParam("nan", field, []string{"propagate", "ignore"}, "propagate",
		"a window with NaN gives NaN, or skips NaN unless it holds nothing else")
}

// describe sets what reports say about windows.
func (p *Plan) describe(g geom.Geometry, layout tensor.Layout) {
	p.Geometry, p.Layout = g, layout
}
