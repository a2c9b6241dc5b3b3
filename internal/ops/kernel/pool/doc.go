// Package pool holds the kernels of pooling. New plans one of four ways to reduce
// windows: direct kernels hold whole windows of float32 in vector registers; ints
// are rows of integers of 8 and 16 bits; strips share what the windows of several
// output rows have in common; the separable kernel goes axis by axis and does
// everything.
//
// What it promises:
//
//   - Padding never enters a reduction: it is skipped, not filled.
//   - Maxima and minima are exact. Of equal values the first in row-major order
//     wins, for values (-0 and +0) as for positions.
//   - NaN: a window that holds one gives NaN, and its position is that of the
//     first NaN. With IgnoreNaN it is skipped unless the window holds nothing
//     else. TensorFlow's own kernels depend on SIMD lanes here (SpatialMaxPool
//     seeds with the lowest number); this rule does not.
//   - Averages and sums are accumulated in float64, those of float64 in twice
//     that precision, and rounded once: the mean of a constant is that constant,
//     whatever the window.
package pool
