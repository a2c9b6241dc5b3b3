package pool

// Convention is a rule that numbers the cells of a tensor, for argmax.
type Convention uint8

// The index conventions. For cell (y, x) of a plane of H times W, channel c of
// C, image b of N (with a depth in front in 3-D):
//
//	TensorFlow       (y*W + x)*C + c, or ((b*H + y)*W + x)*C + c with Batch
//	PyTorch          y*W + x
//	ONNX             ((b*C + c)*H + y)*W + x
//	ONNXColumnMajor  ((b*C + c)*W + x)*H + y: the spatial axes reversed
const (
	TensorFlow Convention = iota
	PyTorch
	ONNX
	ONNXColumnMajor
)

// Index turns positions into numbers and back, for an unpadded input of N
// images, Channels and Extent (depth, height, width). Cells are counted within
// their plane: (z*H + y)*W + x.
type Index struct {
	Convention Convention
	Batch      bool // TensorFlow's include_batch_in_index
	N          int
	Channels   int
	Extent     [3]int
}

// Plane returns the number of cells of one channel of one image.
func (x *Index) Plane() int { return x.Extent[0] * x.Extent[1] * x.Extent[2] }

// Limit returns the exclusive upper bound of all indices.
func (x *Index) Limit() int {
	switch {
	case x.Convention == PyTorch:
		return x.Plane()
	case x.Convention == TensorFlow && !x.Batch:
		return x.Plane() * x.Channels
	default:
		return x.Plane() * x.Channels * x.N
	}
}

// Encode returns the number of a cell of image n, channel c.
func (x *Index) Encode(n, c, cell int) int64 {
	switch x.Convention {
	case PyTorch:
		return int64(cell)
	case ONNX:
		return int64((n*x.Channels+c)*x.Plane() + cell)
	case ONNXColumnMajor:
		return int64((n*x.Channels+c)*x.Plane() + x.reversed(cell))
	case TensorFlow:
		if x.Batch {
			cell += n * x.Plane()
		}
		return int64(cell*x.Channels + c)
	}
	panic("pool: no such index convention")
}

// Decode returns the image, channel and cell of an index that stands at image
// n, channel c of the argmax tensor. The index must be within [0, Limit).
func (x *Index) Decode(index int64, n, c int) (image, channel, cell int) {
	i, plane := int(index), x.Plane()
	switch x.Convention {
	case PyTorch:
		return n, c, i
	case ONNX:
		return i / plane / x.Channels, i / plane % x.Channels, i % plane
	case ONNXColumnMajor:
		return i / plane / x.Channels, i / plane % x.Channels, x.restored(i % plane)
	case TensorFlow:
		cell, channel = i/x.Channels, i%x.Channels
		if x.Batch {
			n, cell = cell/plane, cell%plane
		}
		return n, channel, cell
	}
	panic("pool: no such index convention")
}

// reversed numbers a cell with the spatial axes in reverse order.
func (x *Index) reversed(cell int) int {
	d, h, w := x.Extent[0], x.Extent[1], x.Extent[2]
	z, y, col := cell/(h*w), cell/w%h, cell%w
	return (col*h+y)*d + z
}

// restored is the inverse of reversed.
func (x *Index) restored(i int) int {
	d, h, w := x.Extent[0], x.Extent[1], x.Extent[2]
	z, y, col := i%d, i/d%h, i/(d*h)
	return (z*h+y)*w + col
}
