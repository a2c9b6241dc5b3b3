package kernel

// rowBand is some rows of windows at stride 1 along the width, whose windows are all
// inside the input. Their rows of cells overlap and are summed once.
type rowBand struct {
	run        // of its first row; taps of the first row of a window only
	rows   int // of outputs
	step   int // rows from one window to the next
	srcRow int // numbers from one row of the input to the next
	dstRow int // and of the output
	buffer []float64
}

// bandRows is how many rows of outputs a band has at most. More would share more
// of their rows, but a band of four reads six streams already.
const bandRows = 4

// bandBuffer returns the numbers of a buffer for bands of windows of so many rows.
func bandBuffer(ny, step int) int { return ((bandRows-1)*step + ny) * 4 * scratchLanes / 2 }

type averageBandFunc = func(dst, src *float32, taps *int, nx, n, stream, rows, rowStep, outputs, dstStep, ny, step int, divisor, reciprocal float64, buffer *float64)

// bandAverager makes the function for bands of at least so many numbers a row.
func bandAverager(lanes int, average averageBandFunc) func(b rowBand) {
	return func(b rowBand) {
		divisor, reciprocal := reciprocalOf(float64(b.divisor))
		n := b.n * b.outputs
		rows := (b.rows-1)*b.step + b.ny
		splitStream(b.stream && b.dstRow%lanes == 0, lanes, n, misaligned(b.dst, lanes), func(at, n, stream int) {
			average(&b.dst[at], &b.src[at], &b.taps[0], b.nx, n, stream, rows, 4*b.srcRow, b.rows, 4*b.dstRow, b.ny, b.step, divisor, reciprocal, &b.buffer[0])
		})
	}
}
