// Package vec is what the generators of kernels share: instruction sets and their
// registers, element types, loops over rows, stores, constants in memory, and the
// comments that make the generated assembly readable.
//
// A generator is a program in a folder named after the file that it writes:
// _gen/direct writes pool/direct_asm_amd64.s and the Go declarations beside it. Its
// main function calls [Main], which also writes what avo alone does not: comments
// with the names of the registers that were allocated ([Note]), and a first line
// whose command runs as it stands.
package vec
