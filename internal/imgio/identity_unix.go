//go:build unix

package imgio

import (
	"io/fs"
	"syscall"
)

// identity is equal for two names of one file.
type identity struct{ device, inode uint64 }

func identityOf(info fs.FileInfo) identity {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return identity{uint64(s.Dev), uint64(s.Ino)} //nolint:gosec,unconvert // their types differ between systems
	}
	return identity{}
}
