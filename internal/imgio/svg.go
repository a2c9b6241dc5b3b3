package imgio

import "github.com/poolctl/poolctl/internal/imgio/format"

// svg holds drawings, which take no tensor.
var svg = &format.Format{
	Name:       "svg",
	Extensions: []string{".svg"},
	Drawing:    true,
}
