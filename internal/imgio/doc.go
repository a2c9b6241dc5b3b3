// Package imgio reads and writes the files that poolctl works on: arrays,
// network weights and pictures. The table in formats.go lists the formats.
//
// Reading takes two steps. Open reads the header and returns the tensor's type
// and shape, so that limits are checked before anything large is allocated. Read
// decodes. Files are recognised by content. A picture is an NHWC tensor with
// N = 1 that holds the file's own samples: straight alpha, no colour management,
// levels of 1, 2 and 4 bits scaled to 0…255, 16-bit samples kept as 0…65535.
//
// Writing is all or nothing: WriteAll encodes every output into a temporary file
// beside its target, and renames the files when all are complete.
//
// Each format is a package below this one and declares itself as a format.Format.
// All of them share package input; picture formats also share package raster.
//
// imgio imports tensor, its formats and what they share, golang.org/x/image for
// the letters of contact sheets, and golang.org/x/sys for file locks.
package imgio
