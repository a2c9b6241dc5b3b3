package imgio

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// target says what writing to a name means.
type target struct {
	path    string      // symbolic links followed
	info    fs.FileInfo // nil when nothing is there
	special bool        // a device or pipe, which is written and not replaced
}

// resolveTarget follows symbolic links, also to where nothing is yet, and
// refuses what cannot be written.
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

// dirOf returns the folder that holds path; symbolic links in it are followed
// first, so that .. in a link's target means what the system takes it to mean.
func dirOf(path string) string {
	dir := filepath.Dir(path)
	if followed, err := filepath.EvalSymlinks(dir); err == nil {
		return followed
	}
	return dir
}
