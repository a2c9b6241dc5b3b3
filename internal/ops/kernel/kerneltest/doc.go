// Package kerneltest is what the tests of all kernel families share: reference
// results written from the definitions alone, drawn geometries and numbers, and
// memory between guards. Only tests import it.
package kerneltest
