package webp

import "github.com/poolctl/poolctl/internal/imgio/format"

// Format is WebP, which is only read.
var Format = &format.Format{
	Name:       "webp",
	Magic:      []string{"RIFF????WEBP"},
	Extensions: []string{".webp"},
	Picture:    &format.Picture{Open: Open},
}
