// Command pool writes the row functions of pooling in assembly: layer "rows"
// merges and converts contiguous rows for the separable kernel; "direct",
// "locate" and "average" reduce whole windows in registers. It is run by go generate in the parent
// package.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	layer := flag.String("layer", "", "rows, direct, locate or average")
	flag.Parse()
	ConstraintExpr("amd64,!purego")
	switch *layer {
	case "rows":
		rows()
	case "direct":
		direct()
	case "locate":
		locate()
	case "average":
		averages()
	default:
		log.Fatalf("layer: got %q, want rows, direct, locate or average", *layer)
	}
	Generate()
}
