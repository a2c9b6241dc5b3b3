// Command stream writes the fence that kernels need after stores past the caches.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/poolctl/poolctl/internal/ops/kernel/_gen/vec"
)

func main() {
	vec.Main("stream", func() {
		vec.Func{
			Name:      "StoreFence",
			Signature: "func()",
			Does:      "orders stores past the caches before what follows: without it another core may see a later store first. In Go there is nothing that it equals.",
		}.Begin()
		vec.Note("Stores before it are seen before those after it.")
		SFENCE()
		RET()
	})
}
