package imgio

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// TempPrefix begins the names of the temporary files that outputs are written
// to, so that files which a killed run left behind can be told from others.
const TempPrefix = ".poolctl-"

// temporaries are the temporary files that exist just now.
var temporaries = struct {
	sync.Mutex
	names map[string]bool
}{names: map[string]bool{}}

// RemoveTemporaries removes the temporary files of outputs that are being
// written, and keeps new ones from appearing. It is for a program that is about
// to end.
func RemoveTemporaries() {
	temporaries.Lock() // for good
	for name := range temporaries.names {
		_ = os.Remove(name)
	}
}

// forget says that a temporary file is gone.
func forget(name string) {
	temporaries.Lock()
	defer temporaries.Unlock()
	delete(temporaries.names, name)
}

// pending is an output that is complete but not yet under its name.
type pending struct {
	name   string // as given, for messages
	target string // what is replaced: the name, symbolic links followed
	temp   string // "" when the content went straight to a device or pipe
	fresh  bool   // the target must not exist
}

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
			return target{}, plain(err)
		}
		switch mode := info.Mode(); {
		case mode&fs.ModeSymlink != 0:
			if hop == 40 {
				return target{}, errors.New("too many symbolic links")
			}
			link, err := os.Readlink(path)
			if err != nil {
				return target{}, plain(err)
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

// stage writes the content to a temporary file in the target's folder and
// brings it to the disk.
func stage(name string, fresh bool, write func(io.Writer) error) (p *pending, err error) {
	to, err := resolveTarget(name)
	if err != nil {
		return nil, err
	}
	p = &pending{name: name, target: to.path, fresh: fresh}
	if to.special {
		f, err := os.OpenFile(to.path, os.O_WRONLY, 0)
		if err != nil {
			return nil, plain(err)
		}
		return p, plain(errors.Join(buffered(f, write), f.Close()))
	}
	f, err := createTemp(filepath.Dir(to.path))
	if err != nil {
		return nil, plain(err)
	}
	p.temp = f.Name()
	defer func() {
		if err != nil {
			p.discard()
		}
	}()
	err = buffered(f, write)
	if err == nil && to.info != nil {
		err = f.Chmod(to.info.Mode().Perm())
	}
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return p, plain(err)
}

func buffered(f *os.File, write func(io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	return w.Flush()
}

// createTemp makes a new file with the permissions that the umask gives.
func createTemp(dir string) (*os.File, error) {
	temporaries.Lock()
	defer temporaries.Unlock()
	for try := 0; ; try++ {
		var random [8]byte
		rand.Read(random[:])
		f, err := os.OpenFile(filepath.Join(dir, TempPrefix+hex.EncodeToString(random[:])), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			temporaries.names[f.Name()] = true
		}
		if err == nil || try == 100 || !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// commit gives the file its name. From here on there is no way back: what had
// the name before is gone.
func (p *pending) commit() error {
	if p.temp == "" {
		return nil
	}
	var err error
	if p.fresh {
		err = linkNew(p.temp, p.target)
	} else {
		err = os.Rename(p.temp, p.target)
	}
	if err != nil {
		p.discard()
		return linkError(err)
	}
	forget(p.temp)
	p.temp = ""
	return syncFolder(filepath.Dir(p.target))
}

// linkNew moves a file to a name that must be free. A hard link is refused when
// the name is taken, which a rename is not; file systems without hard links
// leave a moment between the look and the rename.
func linkNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil {
		return os.Remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, statErr := os.Lstat(to); statErr == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// linkError drops the two names from the error of a link or a rename.
func linkError(err error) error {
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return plain(err)
}

// discard removes the temporary file.
func (p *pending) discard() {
	if p != nil && p.temp != "" {
		_ = os.Remove(p.temp)
		forget(p.temp)
		p.temp = ""
	}
}

// syncFolder brings a new name to the disk. Windows has no such call.
func syncFolder(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("folder: %w", plain(err))
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil // some file systems do without
	}
	return plain(err)
}
