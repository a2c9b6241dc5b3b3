// Package conv holds the kernels of convolution: register tiles over packed
// filters, rows of few channels, planes of channels-first data, Winograd, depthwise
// convolution and morphology, and the gradient with respect to the filter. A
// transposed convolution is the same kernel over an axis that is walked backward
// (geom.Axis.Backward).
//
// Padding is a real zero: a NaN or infinite weight over padding gives NaN, unless
// Spec.SkipPadding says that padding adds nothing.
package conv
