// Package timing measures how long plans take, in turn and on random data in
// memory, and compares the times with the limits of the machine.
//
// It imports the standard library, ops, tensor and gonum. It prints
// nothing.
package timing
