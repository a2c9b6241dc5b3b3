// Package npy reads and writes NumPy arrays: .npy files, and .npz archives of them.
// Headers are parsed, never evaluated.
//
// It imports tensor, input and a library for deflate.
package npy
