// Command stream writes the fence that kernels need after stores past the
// caches. It is run by go generate in the parent package.
package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("amd64,!purego")
	TEXT("StoreFence", attr.NOSPLIT, "func()")
	Doc("StoreFence orders stores past the caches before what follows.")
	SFENCE()
	RET()
	Generate()
}
