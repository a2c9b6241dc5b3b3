// Package report turns results into the text, JSON, CSV and Markdown that people
// and scripts read: shape reports of operations and networks, statistics of
// tensors and gradients, and comparisons.
//
// It imports the standard library, tensor, gonum and go-pretty. It never prints
// and never opens a file: text goes to the io.Writer it is given. The result
// depends on the arguments alone: no time, no locale, no terminal.
package report
