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

// tempPrefix and 16 hexadecimal digits are the name of a temporary file that an
// output is written to, so that what a killed run left can be told from files
// of others.
const tempPrefix = ".poolctl-"

const tempDigits = 16

// fileSystem is what writing outputs asks of the operating system. Tests have
// one whose calls fail.
type fileSystem interface {
	create(name string) (temporary, error) // a file that did not exist
	rename(from, to string) error
	link(from, to string) error
	remove(name string) error
	syncFolder(name string) error // brings new names to the disk
}

// temporary is a file that is being written. It is locked until release, so that
// a sweep by another process leaves it alone, also when it is closed and waits
// for its name.
type temporary interface {
	io.Writer
	Name() string
	Chmod(mode fs.FileMode) error
	Sync() error
	Close() error
	release()
}

// disk is the operating system's own file system.
type disk struct{}

type diskFile struct {
	*os.File
	unlock func()
}

func (f diskFile) release() { f.unlock() }

var errTaken = errors.New("the temporary file was taken away by another process")

func (disk) create(name string) (temporary, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	unlock, locked := lock(f)
	if !locked { // a sweep came between the two calls and removes the file
		_ = f.Close()
		return nil, errTaken
	}
	return diskFile{f, unlock}, nil
}

func (disk) rename(from, to string) error { return os.Rename(from, to) }
func (disk) link(from, to string) error   { return os.Link(from, to) }
func (disk) remove(name string) error     { return os.Remove(name) }

// syncFolder does nothing on Windows, which has no such call, and where the
// file system does without.
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

// temporaries are the temporary files that exist just now, and the folders in
// which those of killed runs were looked for.
var temporaries = struct {
	sync.Mutex
	names map[string]bool
	swept map[string]bool
}{names: map[string]bool{}, swept: map[string]bool{}}

// RemoveTemporaries removes the temporary files of outputs that are being
// written, and keeps new ones from appearing. It is for a program that is about
// to end.
func RemoveTemporaries() {
	temporaries.Lock() // for good
	for name := range temporaries.names {
		_ = os.Remove(name)
	}
}

// forget says that a temporary file is gone, and lets its lock go.
func forget(f temporary) {
	f.release()
	temporaries.Lock()
	defer temporaries.Unlock()
	delete(temporaries.names, f.Name())
}

// createTemp makes a new file with the permissions that the umask gives.
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

// sweep removes from a folder the temporary files that killed runs left: those
// that no process holds locked. It does so once for each folder; what it cannot
// read or remove it leaves.
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
