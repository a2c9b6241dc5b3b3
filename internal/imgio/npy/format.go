package npy

import "github.com/poolctl/poolctl/internal/imgio/format"

// Format is .npy, one array.
var Format = &format.Format{
	Name:       "npy",
	Magic:      []string{magic},
	Extensions: []string{".npy"},
	Array:      &format.Array{Open: Open, Write: Write},
}

// Archive is .npz, several arrays.
var Archive = &format.Format{
	Name:       "npz",
	Magic:      []string{"PK\x03\x04", "PK\x05\x06"}, // the second has no members
	Extensions: []string{".npz"},
	Archive:    &format.Archive{Members: Members, Write: WriteArchive, Member: "arr_0", Fault: nameFault},
}
