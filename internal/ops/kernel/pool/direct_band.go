package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

// rowBand is some rows of windows at stride 1 along the width, whose windows are all
// inside the input. Their rows of cells overlap and are summed once.
type rowBand struct {
	Run        // of its first row; taps of the first row of a window only
	rows   int // of outputs
	step   int // rows from one window to the next
	srcRow int // numbers from one row of the input to the next
	dstRow int // and of the output
	buffer []float64
}

// The most rows of outputs in a band. More rows would share more of their input, but
// read more streams: a band of four reads six. The functions for 3x3 compute less
// and are fastest with three.
const (
	bandRows    = 4
	bandRows3x3 = 3
)

// bandBuffer returns the numbers of a buffer for bands of windows of so many rows.
func bandBuffer(ny, step int) int { return ((bandRows-1)*step + ny) * 4 * scratchLanes / 2 }

type averageBandFunc = func(dst, src *float32, taps *int, nx, n, stream, rows, rowStep, outputs, dstStep, ny, step int, reciprocal float64, buffer *float64)

// bandFunc computes a band of windows of at least 16 numbers a row. It reports
// whether it has to be computed again, by the exact rule for NaN.
type bandFunc func(b rowBand) (again bool)

// bandAverager makes the function for windows of any size.
func bandAverager(lanes int, average averageBandFunc) bandFunc {
	return func(b rowBand) bool {
		reciprocal := 1 / float64(b.divisor)
		n := b.N * b.Outputs
		rows := (b.rows-1)*b.step + b.ny
		kernel.SplitStream(b.stream && b.dstRow%lanes == 0, lanes, n, kernel.Misaligned(b.dst, lanes), func(at, n, stream int) {
			average(&b.dst[at], &b.src[at], &b.taps[0], b.nx, n, stream, rows, 4*b.srcRow, b.rows, 4*b.dstRow, b.ny, b.step, reciprocal, &b.buffer[0])
		})
		return false
	}
}

// delay returns how many bytes of a row of results are held back. Results of cells
// smaller than two cache lines would go to addresses that differ by a multiple of
// 4 KiB from those that the next cells are loaded from.
func (b *rowBand) delay() int {
	if b.taps[1] < 2*kernel.LineBytes {
		return 3 * kernel.LineBytes
	}
	return 0
}

// averager3x3 makes the function for windows of 3x3 at stride 1.
func averager3x3(lanes int, average func(dst, src *float32, second, third, n, stream, rowStep, outputs, dstStep int, buffer *float64, delay int, reciprocal float64)) bandFunc {
	return func(b rowBand) bool {
		reciprocal := 1 / float64(b.divisor)
		kernel.SplitStream(b.stream && b.dstRow%lanes == 0, lanes, b.N*b.Outputs, kernel.Misaligned(b.dst, lanes), func(at, n, stream int) {
			average(&b.dst[at], &b.src[at], b.taps[1], b.taps[2], n, stream, 4*b.srcRow, b.rows, 4*b.dstRow, &b.buffer[0], b.delay(), reciprocal)
		})
		return false
	}
}

// extremum3x3 makes the function for maxima or minima of windows of 3x3 at stride 1.
func extremum3x3(lanes int, reduce func(dst, src *float32, second, third, n, stream, rowStep, outputs, dstStep int, buffer *float64, delay int) (nan int)) bandFunc {
	return func(b rowBand) bool {
		odd := 0
		kernel.SplitStream(b.stream && b.dstRow%lanes == 0, lanes, b.N*b.Outputs, kernel.Misaligned(b.dst, lanes), func(at, n, stream int) {
			odd |= reduce(&b.dst[at], &b.src[at], b.taps[1], b.taps[2], n, stream, 4*b.srcRow, b.rows, 4*b.dstRow, &b.buffer[0], b.delay())
		})
		return odd != 0
	}
}
