package imgio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// target is the file that a name refers to.
type target struct {
	path    string      // with symbolic links resolved
	info    fs.FileInfo // nil if it does not exist
	special bool        // a device or pipe: written to, not replaced
}

// resolveTarget follows symbolic links, whose target need not exist, and refuses
// directories and sockets.
func resolveTarget(name string) (target, error) {
	path := name
	for hop := 0; ; hop++ {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return target{path: path}, nil
		}
		if err != nil {
			return target{}, input.Plain(err)
		}
		switch mode := info.Mode(); {
		case mode&fs.ModeSymlink != 0:
			if hop == 40 {
				return target{}, errors.New("too many symbolic links")
			}
			link, err := os.Readlink(path)
			if err != nil {
				return target{}, input.Plain(err)
			}
			if !filepath.IsAbs(link) {
				link = filepath.Join(dirOf(path), link)
			}
			path = link
			continue
		case mode.IsDir():
			return target{}, errors.New("is a directory")
		case mode&fs.ModeSocket != 0:
			return target{}, errors.New("is a socket")
		default:
			return target{path, info, !mode.IsRegular()}, nil
		}
	}
}

// dirOf returns the folder of path with its symbolic links resolved, so that ..
// in a link's target means what it means to the system.
func dirOf(path string) string {
	dir := filepath.Dir(path)
	if followed, err := filepath.EvalSymlinks(dir); err == nil {
		return followed
	}
	return dir
}
