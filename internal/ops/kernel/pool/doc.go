// Package pool holds the forward kernels of pooling. New chooses among them:
//
//   - direct kernels reduce small windows of float32 in vector registers (direct*);
//   - ints reduces rows of integers of 8 and 16 bits (ints*);
//   - strips reduces each row once for all windows that see it (strips*);
//   - separable reduces axis by axis and takes all windows (separable*);
//   - sliding order and selection take medians and ranks (rank*).
//
// Each is a candidate, which can run, or says why not, or why it should not unless
// it is asked for. What several kernels need to know of a reduction is a row in
// reduction.go; a kernel refuses reductions and element types that it does not name.
// Every kernel but the direct ones has a form in plain Go.
//
// What it promises:
//
//   - Padding never enters a reduction: it is skipped, not filled.
//   - Maxima, minima and ranks are exact. Of equal values the first in row-major
//     order counts, for values (-0 and +0) as for positions.
//   - NaN: a window that holds one gives NaN, and its position is that of the
//     first NaN. With IgnoreNaN it is skipped unless the window holds nothing
//     else. TensorFlow's own kernels depend on SIMD lanes here (SpatialMaxPool
//     seeds with the lowest number); this rule does not.
//   - Averages and sums are accumulated in float64, those of float64 in twice
//     that precision, and rounded once: the mean of a constant is that constant,
//     whatever the window.
//   - Lp norms and means of two middle cells do not overflow where the result does
//     not.
//
// It imports tensor, geom and the common room kernel.
package pool
