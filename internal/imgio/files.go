package imgio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// Files are the files that a command reads and those that it writes. They hold
// the rule that keeps a command from destroying files: nothing that it writes is
// something that it reads, under any name, and no two files that it writes are
// one. The cost is linear in the number of files.
type Files struct {
	noClobber bool
	read      map[identity][]readFile
	written   map[place]string  // the name that each was given
	archives  map[string]bool   // by path: whether the first output takes it for an archive
	folders   map[string]string // by name: absolute, with symbolic links resolved
}

// readFile is a file that the command reads. role is what it is to the user,
// such as "input".
type readFile struct {
	info       fs.FileInfo
	role, name string
}

// place is where an output goes: a file, or a member of an archive.
type place struct{ path, member string }

// NewFiles returns an empty list. With noClobber, files to write must not exist.
func NewFiles(noClobber bool) *Files {
	return &Files{noClobber, map[identity][]readFile{}, map[place]string{}, map[string]bool{}, map[string]string{}}
}

// Read adds files that the command reads. role is the word for them in messages,
// such as "input". A name is a file, an array of an archive (FILE#NAME), - for
// standard input, or "" for none. A file that does not exist is left out.
func (f *Files) Read(role string, names ...string) {
	for _, name := range names {
		var info fs.FileInfo
		var err error
		if name == "-" {
			info, err = os.Stdin.Stat() //nolint:forbidigo // looked at, not read: is the output what the shell connected?
		} else {
			_, _, info, err = input.Split(name)
		}
		if err == nil && info.Mode().IsRegular() {
			id := identityOf(info)
			f.read[id] = append(f.read[id], readFile{info, role, name})
		}
	}
}

// ExternalData returns the name of the file beside a model that holds its data; ""
// if there is none. It reads the header of a regular file only.
func ExternalData(name string) string {
	_, _, info, err := input.Split(name)
	if name == "-" || err != nil || !info.Mode().IsRegular() {
		return ""
	}
	source, err := Open(name, Options{})
	if err != nil {
		return "" // reading it reports the error
	}
	defer source.Close()
	return source.Info.Data
}

// Write adds a file that the command replaces or creates. It refuses a file that
// is read or was added before (a *UsageError), a folder, and, with noClobber, a
// file that exists. The folder of the file need not exist.
func (f *Files) Write(name string) error { return f.write(name, f.noClobber) }

// Append adds a file that the command creates or changes in place, such as a
// journal. It is Write without noClobber.
func (f *Files) Append(name string) error { return f.write(name, false) }

func (f *Files) write(name string, noClobber bool) error {
	if noClobber {
		if _, err := os.Lstat(name); err == nil {
			return input.Named(name, ErrExists)
		}
	}
	to, err := resolveTarget(name)
	if err != nil {
		return input.Named(name, err)
	}
	return f.take(name, to, "", false)
}

// take adds the target of an output.
func (f *Files) take(name string, to target, member string, archive bool) error {
	if to.special {
		return nil
	}
	if to.info != nil {
		for _, r := range f.read[identityOf(to.info)] {
			if os.SameFile(r.info, to.info) {
				return &UsageError{name, fmt.Sprintf("is also the %s %s, want another name", r.role, r.name)}
			}
		}
	}
	at := place{to.path, member}
	if to.path != "-" || to.info != nil {
		at.path = f.absolute(to.path)
	}
	if other, taken := f.written[at]; taken {
		return &UsageError{name, fmt.Sprintf("is the same output as %s, want two names", other)}
	}
	if was, taken := f.archives[at.path]; taken && was != archive {
		return &UsageError{name, "is named twice, want two names"}
	}
	f.written[at], f.archives[at.path] = name, archive
	return nil
}

// absolute returns the same path for every name of a file that may not exist yet.
func (f *Files) absolute(path string) string {
	path = filepath.Join(f.folder(filepath.Dir(path)), filepath.Base(path))
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		path = strings.ToLower(path) // they ignore case
	}
	return path
}

// folder returns the absolute path of a folder that may not exist yet, with
// symbolic links resolved as far as it exists.
func (f *Files) folder(name string) string {
	if known, ok := f.folders[name]; ok {
		return known
	}
	path, err := filepath.EvalSymlinks(name)
	if err != nil {
		path = name
		if above := filepath.Dir(name); errors.Is(err, fs.ErrNotExist) && above != name {
			path = filepath.Join(f.folder(above), filepath.Base(name))
		}
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	f.folders[name] = path
	return path
}
