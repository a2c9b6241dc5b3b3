// Command stale finds names in comments and pages that no longer exist:
//
//	go run ./tools/stale [FOLDER]
//
// In Go comments and Markdown pages it looks at names that can only be the
// project's: package.Name and Type.Member where the project has a package or a
// type of the first name, words with a capital inside such as newRootCommand,
// names of source files and paths, and the packages that go commands name. It
// prints FILE:LINE: NAME: what is missing, and exits with 1 if there are any.
// Names of other projects (a type of TensorFlow) are known if other sources of
// the project use them, or if known.go lists them.
package main

import (
	"fmt"
	"os"
)

func main() {
	folder := "."
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	x, err := read(os.DirFS(folder))
	if err != nil {
		fmt.Fprintln(os.Stderr, "stale:", err)
		os.Exit(2)
	}
	x.known = known
	list := x.stale()
	for _, line := range list {
		fmt.Println(line)
	}
	if len(list) > 0 {
		os.Exit(1)
	}
}
