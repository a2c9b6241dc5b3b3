// Command pool writes the row functions of pooling in assembly: layer "rows"
// merges and converts contiguous rows, "fold" combines shifted rows; "direct",
// "locate", "average" and "code" reduce whole windows in registers. It is run by go generate in the parent
// package.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	layer := flag.String("layer", "", "rows, fold, direct, locate, average or code")
	flag.Parse()
	ConstraintExpr("amd64,!purego")
	switch *layer {
	case "rows":
		rows()
	case "direct":
		direct()
	case "locate":
		locate()
	case "fold":
		folds()
	case "average":
		averages()
	case "code":
		code()
	default:
		log.Fatalf("layer: got %q, want rows, fold, direct, locate, average or code", *layer)
	}
	Generate()
}
