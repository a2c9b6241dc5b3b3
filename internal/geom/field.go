package geom

// Field is the receptive field of an output along one axis. Each output cell
// sees Size neighbouring input cells. The fields of neighbouring output cells
// are Jump input cells apart, less than 1 after a transposed convolution. The
// middle of the first field is at Start, where the first input cell is 0;
// padding makes it negative.
//
// If Jump is below 1, the middles are exact on average only. All cells that an
// output sees are less than Size/2 from the middle.
type Field struct{ Size, Jump, Start float64 }

// OneCell is the field of an operation that computes each cell from the input
// cell in the same place.
var OneCell = Field{Size: 1, Jump: 1}

// Then returns the field of an operation with field next whose input has the
// field f.
func (f Field) Then(next Field) Field {
	return Field{Size: f.Size + (next.Size-1)*f.Jump, Jump: f.Jump * next.Jump, Start: f.Start + next.Start*f.Jump}
}

// Field returns the field of the windows. ok is false if they differ in size or
// lie at uneven distances, as most adaptive and fractional windows do.
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

// TransposedField returns the field of a transposed convolution, whose output
// has In cells and whose input has Out. Size is the largest number of input
// cells that an output cell sees. ok is false if neither of stride and dilation
// divides the other: then the cells of neighbouring outputs do not advance
// evenly.
func (a Axis) TransposedField() (f Field, ok bool) {
	g := a.Backward()
	if g.TapStep > 1 && g.CellStep < -1 {
		return Field{}, false
	}
	stride := float64(a.Stride)
	size := float64((a.Size-1)/g.TapStep*-g.CellStep + 1)
	return Field{size, 1 / stride, (float64(a.Lo) - float64(a.Effective()-1)/2) / stride}, true
}
