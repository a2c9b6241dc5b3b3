package imgio

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// CheckOutputs refuses outputs that cannot be written or would overwrite an
// input: an unknown extension, a missing or unwritable folder, a folder in the
// file's place, two outputs with one name, an output that is also an input under
// any name, and, with noClobber, an existing file. It is called before any work.
// An error in a name is a *UsageError. Outputs may be different members of one
// archive.
func CheckOutputs(inputs, outputs []string, noClobber bool) error {
	sources := inputFiles(inputs)
	type place struct{ path, member string }
	seen := map[place]string{}
	archives := map[string]bool{} // by path: whether an output takes it for an archive
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

// inputFiles returns the file information of each input, nil for one that does
// not exist. The name "-" is the standard input of the process.
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

// checkTarget resolves a name and checks that it can be written.
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
		return to, fmt.Errorf("folder %s: is not a folder", dir)
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

// absolute returns the same path for every name of a file that does not exist yet.
func absolute(path string) string {
	if path == "-" {
		return path
	}
	path = filepath.Join(dirOf(path), filepath.Base(path))
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	if os.PathSeparator == '\\' {
		path = strings.ToLower(path) // Windows ignores case
	}
	return path
}
