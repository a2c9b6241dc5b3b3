// Package scene holds drawings made of a few kinds of marks and turns them into
// SVG documents and raster pictures.
//
// It imports the standard library and golang.org/x/image. It knows nothing of
// tensors or operations, and the result depends on the scene alone.
package scene
