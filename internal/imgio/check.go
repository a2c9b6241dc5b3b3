package imgio

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// CheckOutputs refuses, before any work, outputs that could not be written or
// that would overwrite an input: an unknown extension, a missing or unwritable
// folder, a folder in the file's place, two outputs of one name, an output that
// is also an input by whatever name, and, with noClobber, an existing file.
// Faults of the names themselves are a *UsageError. A whole .npz archive is one
// file: outputs may name different members of it.
func CheckOutputs(inputs, outputs []string, noClobber bool) error {
	sources := inputFiles(inputs)
	type place struct{ path, member string }
	seen := map[place]string{}
	archives := map[string]bool{} // paths that were taken for an archive, or not
	for _, name := range outputs {
		d, err := parseDestination(name)
		if err != nil {
			return err
		}
		to := target{path: "-"}
		if d.path != "-" {
			if to, err = checkTarget(d.path, noClobber); err != nil {
				return input.Named(name, err)
			}
		}
		if to.info != nil && !to.special {
			for i, source := range sources {
				if source != nil && os.SameFile(source, to.info) {
					return &UsageError{name, fmt.Sprintf("is also the input %s, want another name", inputs[i])}
				}
			}
		}
		if to.special {
			continue
		}
		at := place{absolute(to.path), d.member}
		if other, taken := seen[at]; taken {
			return &UsageError{name, fmt.Sprintf("is the same output as %s, want two names", other)}
		}
		if archive, taken := archives[at.path]; taken && archive != (d.format.Archive != nil) {
			return &UsageError{name, "is named twice, want two names"}
		}
		seen[at], archives[at.path] = name, d.format.Archive != nil
	}
	return nil
}

// inputFiles returns what identifies each input's file, nil where there is
// none. The name "-" is the process's standard input.
func inputFiles(inputs []string) []fs.FileInfo {
	files := make([]fs.FileInfo, len(inputs))
	for i, name := range inputs {
		var err error
		if name == "-" {
			files[i], err = os.Stdin.Stat() //nolint:forbidigo // looked at, not read: is the output what the shell connected?
		} else {
			_, _, files[i], err = input.Split(name)
		}
		if err != nil {
			files[i] = nil
		}
	}
	return files
}

// checkTarget finds what a name would write to and whether it can.
func checkTarget(path string, noClobber bool) (target, error) {
	if noClobber {
		if _, err := os.Lstat(path); err == nil {
			return target{}, ErrExists
		}
	}
	to, err := resolveTarget(path)
	if err != nil {
		return to, err
	}
	if to.special {
		return to, nil
	}
	dir := filepath.Dir(to.path)
	if info, err := os.Stat(dir); err != nil {
		return to, fmt.Errorf("folder %s: %w", dir, input.Plain(err))
	} else if !info.IsDir() {
		return to, fmt.Errorf("folder %s: is no folder", dir)
	}
	if to.info != nil {
		f, err := os.OpenFile(to.path, os.O_WRONLY, 0)
		if err != nil {
			return to, input.Plain(err)
		}
		_ = f.Close()
	}
	f, err := createTemp(disk{}, dir)
	if err != nil {
		return to, fmt.Errorf("folder %s: %w", dir, input.Plain(err))
	}
	defer forget(f)
	_ = f.Close()
	return to, os.Remove(f.Name())
}

// absolute returns one path for all names of a file that does not exist yet.
func absolute(path string) string {
	if path == "-" {
		return path
	}
	path = filepath.Join(dirOf(path), filepath.Base(path))
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if os.PathSeparator == '\\' {
		path = strings.ToLower(path) // Windows does not tell case apart
	}
	return path
}
