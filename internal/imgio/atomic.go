package imgio

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// pending is an output that is complete but does not have its name yet.
type pending struct {
	files  fileSystem
	name   string    // as given, for messages
	target string    // the file to replace: the name with symbolic links resolved
	temp   temporary // nil for a device or pipe, and after commit
	fresh  bool      // the target must not exist
}

// stage writes the contents to a temporary file in the target's folder and syncs
// it. It first removes temporary files that killed runs left in the folder.
func stage(files fileSystem, name string, fresh bool, write func(io.Writer) error) (p *pending, err error) {
	to, err := resolveTarget(name)
	if err != nil {
		return nil, err
	}
	p = &pending{files: files, name: name, target: to.path, fresh: fresh}
	if to.special {
		f, err := os.OpenFile(to.path, os.O_WRONLY, 0)
		if err != nil {
			return nil, input.Plain(err)
		}
		return p, input.Plain(errors.Join(buffered(f, write), f.Close()))
	}
	dir := filepath.Dir(to.path)
	sweep(dir)
	if p.temp, err = createTemp(files, dir); err != nil {
		return nil, input.Plain(err)
	}
	complete := false
	defer func() {
		if !complete { // an error or a panic
			p.discard()
		}
	}()
	err = buffered(p.temp, write)
	if err == nil && to.info != nil {
		err = p.temp.Chmod(to.info.Mode().Perm())
	}
	if err == nil {
		err = p.temp.Sync()
	}
	if closeErr := p.temp.Close(); err == nil {
		err = closeErr
	}
	complete = err == nil
	return p, input.Plain(err)
}

func buffered(f io.Writer, write func(io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	return w.Flush()
}

// commit gives the file its name. This cannot be undone: a file that had the name
// is gone.
func (p *pending) commit() error {
	if p.temp == nil {
		return nil
	}
	var err error
	if p.fresh {
		err = linkNew(p.files, p.temp.Name(), p.target)
	} else {
		err = p.files.rename(p.temp.Name(), p.target)
	}
	if err != nil {
		p.discard()
		return linkError(err)
	}
	forget(p.temp)
	p.temp = nil
	if err := p.files.syncFolder(filepath.Dir(p.target)); err != nil {
		return fmt.Errorf("folder: %w", input.Plain(err))
	}
	return nil
}

// linkNew renames a file to a name that must not exist. It uses a hard link,
// which fails if the name exists; a rename would replace the file. On file systems
// without hard links, a file made between the check and the rename is replaced.
func linkNew(files fileSystem, from, to string) error {
	err := files.link(from, to)
	if err == nil {
		return files.remove(from)
	}
	if errors.Is(err, fs.ErrExist) {
		return ErrExists
	}
	if _, statErr := os.Lstat(to); statErr == nil {
		return ErrExists
	}
	return files.rename(from, to)
}

// linkError drops the names from the error of a link or a rename.
func linkError(err error) error {
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return input.Plain(err)
}

// discard removes the temporary file.
func (p *pending) discard() {
	if p != nil && p.temp != nil {
		_ = p.files.remove(p.temp.Name()) // the next run's sweep removes what this leaves
		forget(p.temp)
		p.temp = nil
	}
}
