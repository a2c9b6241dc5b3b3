package imgio

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// tempPrefix and 16 hexadecimal digits make the name of a temporary file. By the
// name, a later run recognises the files that a killed run left.
const tempPrefix = ".poolctl-"

const tempDigits = 16

// fileSystem is the part of the operating system that writing needs. Tests use
// one whose calls fail.
type fileSystem interface {
	create(name string) (temporary, error) // fails if the file exists
	rename(from, to string) error
	link(from, to string) error
	remove(name string) error
	syncFolder(name string) error // makes renames durable
}

// temporary is a file that is being written. It stays locked until release, even
// while it is closed, so that another process's sweep does not remove it.
type temporary interface {
	io.Writer
	Name() string
	Chmod(mode fs.FileMode) error
	Sync() error
	Close() error
	release()
}

// disk is the real file system.
type disk struct{}

type diskFile struct {
	*os.File
	unlock func()
}

func (f diskFile) release() { f.unlock() }

var errTaken = errors.New("another process removed the temporary file")

func (disk) create(name string) (temporary, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	unlock, locked := lock(f)
	if !locked { // a sweep between the two calls removes the file
		_ = f.Close()
		return nil, errTaken
	}
	return diskFile{f, unlock}, nil
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }
func (disk) link(from, to string) error   { return os.Link(from, to) }
func (disk) remove(name string) error     { return os.Remove(name) }

// syncFolder does nothing on Windows, which has no such call, and on file systems
// that do not support it.
func (disk) syncFolder(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// temporaries holds the temporary files of this process, and the folders that it
// has swept.
var temporaries = struct {
	sync.Mutex
	names map[string]bool
	swept map[string]bool
}{names: map[string]bool{}, swept: map[string]bool{}}

// RemoveTemporaries removes the temporary files of this process and blocks the
// creation of new ones. Call it before the program exits.
func RemoveTemporaries() {
	temporaries.Lock() // never unlocked
	for name := range temporaries.names {
		_ = os.Remove(name)
	}
}

// forget releases a temporary file that was renamed or removed.
func forget(f temporary) {
	f.release()
	temporaries.Lock()
	defer temporaries.Unlock()
	delete(temporaries.names, f.Name())
}

// createTemp creates a temporary file with the permissions of the umask.
func createTemp(files fileSystem, dir string) (temporary, error) {
	temporaries.Lock()
	defer temporaries.Unlock()
	for try := 0; ; try++ {
		var random [tempDigits / 2]byte
		rand.Read(random[:])
		f, err := files.create(filepath.Join(dir, tempPrefix+hex.EncodeToString(random[:])))
		if err == nil {
			temporaries.names[f.Name()] = true
		}
		if err == nil || try == 100 || !errors.Is(err, fs.ErrExist) && !errors.Is(err, errTaken) {
			return f, err
		}
	}
}

// sweep removes temporary files that killed runs left in a folder: those that no
// process has locked. Each folder is swept once. Errors are ignored.
func sweep(dir string) {
	temporaries.Lock()
	defer temporaries.Unlock()
	if temporaries.swept[dir] {
		return
	}
	temporaries.swept[dir] = true
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer d.Close()
	for {
		names, err := d.Readdirnames(1024)
		for _, name := range names {
			if path := filepath.Join(dir, name); isTemporary(name) && !temporaries.names[path] {
				removeAbandoned(path)
			}
		}
		if err != nil {
			return
		}
	}
}

// isTemporary reports whether a file has the name of a temporary file.
func isTemporary(name string) bool {
	digits, ok := strings.CutPrefix(name, tempPrefix)
	_, err := hex.DecodeString(digits)
	return ok && len(digits) == tempDigits && err == nil
}
