package tensor

// Table holds a value for some element types. Usually the values are instances of
// a generic function, one for each Go type, and For says which one runs.
type Table[F any] struct {
	values [len(dtypes)]F
	known  [len(dtypes)]bool
}

// For returns the value for d, which must be one of the types that the table is
// for.
func (t *Table[F]) For(d DType) F {
	if !t.known[d] {
		panic("tensor: a table without " + d.String())
	}
	return t.values[d]
}

func (t *Table[F]) set(d DType, value F) { t.values[d], t.known[d] = value, true }

// PerInteger makes a table for the integer types.
func PerInteger[F any](forUint8, forInt8, forUint16, forInt16, forUint32, forInt32, forUint64, forInt64 F) *Table[F] {
	t := new(Table[F])
	t.set(Uint8, forUint8)
	t.set(Int8, forInt8)
	t.set(Uint16, forUint16)
	t.set(Int16, forInt16)
	t.set(Uint32, forUint32)
	t.set(Int32, forInt32)
	t.set(Uint64, forUint64)
	t.set(Int64, forInt64)
	return t
}

// PerReal makes a table for the Real types.
func PerReal[F any](forUint8, forInt8, forUint16, forInt16, forUint32, forInt32, forUint64, forInt64, forFloat32, forFloat64 F) *Table[F] {
	t := PerInteger(forUint8, forInt8, forUint16, forInt16, forUint32, forInt32, forUint64, forInt64)
	t.set(Float32, forFloat32)
	t.set(Float64, forFloat64)
	return t
}

// PerSize makes a table for all types, of one value for each size of an element:
// 1, 2, 4 and 8 bytes.
func PerSize[F any](one, two, four, eight F) *Table[F] {
	t := new(Table[F])
	bySize := map[int]F{1: one, 2: two, 4: four, 8: eight}
	for _, d := range DTypes() {
		t.set(d, bySize[d.Size()])
	}
	return t
}
