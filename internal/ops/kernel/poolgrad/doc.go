// Package poolgrad holds the kernels that take the gradient of pooling back to the
// cells of the input, and those that place values by argmax.
//
//   - Winners notes in a byte which tap of each window won; CellGradient brings
//     upstream gradients to winners, to all equal cells, or evenly to all cells.
//   - LastWinner and TieShares are the other rules for equal cells.
//   - SpreadPasses and Adjoint spread the gradient of large windows axis by axis, or
//     as sums of windows.
//   - LPNorm is the gradient of Lp norms, Moments that of variances and standard
//     deviations.
//   - Unpool places values at indices and gathers them from there.
//
// Most kernels gather: each cell of the input adds up what arrives from the windows
// that see it, so no two threads write the same cell, and the result does not depend
// on their number.
//
// It imports pool, whose Spec describes the windows.
package poolgrad
