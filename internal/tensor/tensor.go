package tensor

import "fmt"

// Tensor is a dense array in row-major order. Data is a slice of the Go type
// of the DType ([]uint8, []float32, []F16, …), with exactly as many elements
// as the shape has.
type Tensor struct {
	Spec
	Data any
}

// New allocates a tensor of zeros. It panics when the spec's size does not fit
// an int: callers check Spec.Bytes first, when planning.
func New(spec Spec) *Tensor {
	n, err := spec.Shape.Elements()
	if err != nil {
		panic(fmt.Sprintf("tensor: %v", err))
	}
	return &Tensor{Spec: spec, Data: spec.DType.row().make(n)}
}

// From wraps a slice as a tensor of that shape, without copying. It panics
// when their sizes differ.
func From[T Element](data []T, shape ...int) *Tensor {
	if n, err := Product(shape...); err != nil || n != len(data) {
		panic(fmt.Sprintf("tensor: %d elements do not make %s", len(data), Shape(shape)))
	}
	return &Tensor{Spec: Spec{TypeOf[T](), Shape(shape)}, Data: data}
}

// Of returns the tensor's elements. It panics when T is not the tensor's type.
func Of[T Element](t *Tensor) []T { return t.Data.([]T) }

// Len returns the number of elements.
func (t *Tensor) Len() int {
	n := 1
	for _, d := range t.Shape {
		n *= d
	}
	return n
}

// Reshaped returns a tensor that shares t's data under another shape of the
// same size.
func (t *Tensor) Reshaped(shape Shape) *Tensor {
	if n, err := shape.Elements(); err != nil || n != t.Len() {
		panic(fmt.Sprintf("tensor: %s does not reshape to %s", t.Shape, shape))
	}
	return &Tensor{Spec: Spec{t.DType, shape}, Data: t.Data}
}

// At returns element i, in row-major order, as a float64. Integers beyond
// 2^53 are rounded.
func (t *Tensor) At(i int) float64 { return t.DType.row().at(t.Data, i) }

// Index returns the coordinates of flat index i in a row-major shape.
func (s Shape) Index(i int) []int {
	at := make([]int, len(s))
	for axis := len(s) - 1; axis >= 0; axis-- {
		if s[axis] > 0 {
			at[axis], i = i%s[axis], i/s[axis]
		}
	}
	return at
}
