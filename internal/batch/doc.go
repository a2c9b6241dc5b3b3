// Package batch works through many inputs. It finds them, names their outputs,
// reads the next input while the current one is computed, continues after a
// failure, records what is done, and keeps other runs out of the output folder.
//
// The work on an input is a Job, two functions. The package knows nothing about
// tensors and pipelines, and prints nothing.
//
// It promises: Memory and open files do not grow with the number of inputs, except
// for their names and some fifty bytes each. A panic of a job is the failure of one
// input. When the context ends, Run returns within Options.Grace. The journal lists
// an input only after its outputs have their names.
//
// batch imports imgio and its package input, doublestar for patterns, and flock for
// locks.
package batch
