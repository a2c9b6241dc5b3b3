// Command poolctl runs pooling and convolution experiments on images and
// arrays, with TensorFlow's semantics.
package main

import (
	"os"

	"github.com/poolctl/poolctl/internal/cli"
)

//go:generate go run . docs ../../docs/ops

func main() { os.Exit(cli.Main(os.Args[1:], cli.StandardStreams())) }
