// Package pipeline turns a pipeline file into a computation: it gives every step
// its shapes and its plan, lays all tensors out in one arena, and runs the plans
// one after the other on one team of threads.
//
// A graph is compiled for inputs of one type and shape. Compiling finds every
// error and determines exactly how much memory a run takes. A runner of a graph
// may run again and again without allocating.
//
// It imports config, ops, imgio (for weights), geom and tensor, and prints
// nothing.
package pipeline
