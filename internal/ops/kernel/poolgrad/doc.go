// Package poolgrad holds the kernels that take the gradient of pooling back to the
// cells of the input, and those that place values by argmax. A maximum passes the
// upstream gradient to the cell that won, or by another policy of ties; an average
// spreads it evenly over the window. Most kernels gather: each cell of the input
// adds up what the windows that see it send, so that no two threads write the same
// cell.
package poolgrad
