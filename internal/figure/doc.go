// Package figure draws tensors and what operations do to them: where the maxima
// of pooling were found (Winners), gradients as heatmaps and over their input,
// small cases with an arrow for every share of the gradient (ArrowsSVG,
// ArrowsPNG), and previews in a terminal (Preview).
//
// It imports the standard library, tensor, geom, report (for the range of a
// tensor and the form of numbers), scene and golang.org/x/image. It never prints
// and never opens a file: a picture is a uint8 tensor of layout HWC with 3
// channels, a drawing is that or an SVG document, and a preview goes to the
// io.Writer it is given. The result depends on the arguments alone: no time, no
// locale, no terminal.
package figure
