package input

import "github.com/poolctl/poolctl/internal/tensor"

// MaxRank is the largest rank of an array that is read, NumPy's own limit.
const MaxRank = 64

// Array is an array of a file whose header was read.
type Array struct {
	Spec     tensor.Spec
	Data     string // the file that holds the data, where that is another one
	Decoding int    // bytes that Read needs beside the tensor

	Read func() (*tensor.Tensor, error) // called at most once
}

// Member is an array of an archive. Its own header is read by Open.
type Member struct {
	Name string
	File string // another name that it may be asked for by
	Use  Use
	Open func() (Array, error)
}

// Use says what a network does with an array: the operator that takes it, such
// as "Conv W", and for a filter the order of its axes. Both may be empty.
type Use struct{ Operator, Layout string }
