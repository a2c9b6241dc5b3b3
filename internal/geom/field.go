package geom

// Field is the receptive field of an output along one axis: each cell sees Size
// neighbouring cells of the input. The fields of neighbouring output cells are
// Jump input cells apart, less than 1 after a transposed convolution, and the
// middle of the first one is at Start, where 0 is the first input cell; padding
// makes it negative.
//
// With a Jump below 1 the middles are exact on average only: a cell of the
// field is less than Size/2 from the middle.
type Field struct{ Size, Jump, Start float64 }

// OneCell is the field of an operation that computes each cell from the one in
// its place.
var OneCell = Field{Size: 1, Jump: 1}

// Then returns the field of an operation whose own is next, on an input whose
// cells have the field f.
func (f Field) Then(next Field) Field {
	return Field{Size: f.Size + (next.Size-1)*f.Jump, Jump: f.Jump * next.Jump, Start: f.Start + next.Start*f.Jump}
}

// Field returns what windows see of the input; ok is false where they differ in
// size or lie at uneven distances, as most adaptive and fractional ones do.
func (a Axis) Field() (f Field, ok bool) {
	if a.Bounds == nil {
		size := float64(a.Effective())
		return Field{size, float64(a.Stride), (size-1)/2 - float64(a.Lo)}, true
	}
	for i, b := range a.Bounds {
		if b != [2]int{i * a.Size, (i + 1) * a.Size} {
			return Field{}, false
		}
	}
	size := float64(a.Size)
	return Field{size, size, (size - 1) / 2}, true
}

// TransposedField returns what a cell of a transposed convolution's output, In
// cells, sees of its input, Out cells: at most, as the number of taps that meet
// an input cell varies. ok is false where stride and dilation do not divide one
// another: then the cells that are seen jump about.
func (a Axis) TransposedField() (f Field, ok bool) {
	g := a.Backward()
	if g.TapStep > 1 && g.CellStep < -1 {
		return Field{}, false
	}
	stride := float64(a.Stride)
	size := float64((a.Size-1)/g.TapStep*-g.CellStep + 1)
	return Field{size, 1 / stride, (float64(a.Lo) - float64(a.Effective()-1)/2) / stride}, true
}
