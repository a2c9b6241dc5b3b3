// Package kernel holds what all families of CPU kernels share: CPU levels,
// scratch memory, the choice among implementations, stores past the caches,
// maxima and minima of rows, reordered axes, and the loops that measure what a
// machine can do. The families are packages below it:
//
//   - pool reduces windows, forward;
//   - poolgrad computes the gradient of pooling;
//   - conv has convolutions, their transposes and filter gradients, depthwise
//     convolution and morphology;
//   - layer has what networks put between them: activations, norms, padding.
//
// A kernel is a value made when planning. It knows its geometry, how its work
// splits into units, and how much scratch memory a worker needs. Running a unit
// neither allocates nor fails. Units may run in any order and at the same time:
// each writes its own part of the output, so the result does not depend on the
// number of threads.
//
// Kernels import geom, tensor and CPU detection only. poolgrad imports pool; no
// other family imports another.
//
// A file's suffix tells its role. NAME_table_amd64.go lists the functions that
// each CPU level has, NAME_table_other.go those of other machines and of the tag
// purego. NAME_asm_amd64.s and NAME_asm_amd64.go are written by the program
// _gen/NAME; docs/kernels.md tells how to read them.
package kernel
