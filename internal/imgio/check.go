package imgio

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// CheckOutputs adds the outputs of a command to its files. It refuses what Write
// refuses and outputs that cannot be written: an unknown extension, a missing or
// unwritable folder. It is called before any work. An error in a name is a
// *UsageError. Outputs may be different members of one archive, and one may be -
// for standard output.
func (f *Files) CheckOutputs(outputs ...string) error {
	for _, name := range outputs {
		d, err := parseDestination(name)
		if err != nil {
			return err
		}
		to := target{path: "-"}
		if d.path != "-" {
			if to, err = checkTarget(d.path, f.noClobber); err != nil {
				return input.Named(name, err)
			}
		}
		if err := f.take(name, to, d.member, d.format.Archive != nil); err != nil {
			return err
		}
	}
	return nil
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
