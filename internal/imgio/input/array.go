package input

import "github.com/poolctl/poolctl/internal/tensor"

// MaxRank is the largest rank of an array, as in NumPy.
const MaxRank = 64

// Array is an array whose header has been read.
type Array struct {
	Spec     tensor.Spec
	Data     string // the file that holds the data, if it is another one
	Decoding int    // bytes that Read needs beside the tensor, at its peak

	Read func() (*tensor.Tensor, error) // call it at most once
}

// Member is an array of an archive. Open reads its header.
type Member struct {
	Name string
	File string // another name for it
	Use  Use
	Open func() (Array, error)
}

// Use says how a network uses an array: the operator and its input, such as
// "Conv W", and the order of a filter's axes, such as "OIHW". Both may be empty.
type Use struct{ Operator, Layout string }
