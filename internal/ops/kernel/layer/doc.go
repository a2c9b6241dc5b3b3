// Package layer holds the kernels of what networks put between convolution and
// pooling: activations, scaling by channel, softmax and local response
// normalisation, padding, resizing, sums and concatenation.
package layer
