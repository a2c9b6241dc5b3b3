package input

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/poolctl/poolctl/internal/tensor"
)

// File is an opened file whose format is not known yet. It is either a stream of
// unknown size or has random access.
type File struct {
	Name    string // as given
	Path    string // of the file; empty for standard input
	Stream  *bufio.Reader
	Content io.ReaderAt // nil for a stream
	Size    int64
	Raw     tensor.DType // of arrays that NumPy stores as raw bytes; Invalid refuses them
	Close   func() error
}

// Open opens a file, and splits the archive member off a name of the form
// FILE#MEMBER. The name "-" stands for stdin.
func Open(name string, stdin io.Reader) (f *File, member string, err error) {
	if name == "-" {
		if stdin == nil {
			return nil, "", errors.New("-: there is no standard input")
		}
		return &File{Name: name, Stream: bufio.NewReaderSize(stdin, 1<<16), Close: func() error { return nil }}, "", nil
	}
	path, member, info, err := Split(name)
	if err != nil {
		return nil, "", Named(path, err)
	}
	f, err = openFile(path, info)
	if err != nil {
		return nil, "", Named(path, err)
	}
	f.Name, f.Path = name, path
	return f, member, nil
}

// Split splits FILE#MEMBER, and returns the file's information. If a file of the
// whole name exists, there is no member; else the longest FILE that exists counts.
func Split(name string) (path, member string, info fs.FileInfo, err error) {
	if info, err = os.Stat(name); err == nil {
		return name, "", info, nil
	}
	for i := len(name) - 1; i > 0; i-- {
		if name[i] != '#' {
			continue
		}
		if info, statErr := os.Stat(name[:i]); statErr == nil {
			return name[:i], name[i+1:], info, nil
		}
	}
	return name, "", nil, err
}

// openFile opens a regular file, or a pipe as a stream. It does not wait for a
// writer: a pipe that nobody writes to is empty.
func openFile(path string, info fs.FileInfo) (*File, error) {
	flags := os.O_RDONLY
	switch mode := info.Mode(); {
	case mode.IsRegular():
	case mode.IsDir():
		return nil, errors.New("is a directory")
	case mode&fs.ModeNamedPipe != 0:
		flags |= syscall.O_NONBLOCK
	default:
		return nil, fmt.Errorf("is a %s, want a file", Kind(mode))
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err != nil {
		_ = f.Close()
		return nil, err
	}
	if info.Mode().IsRegular() {
		return &File{Content: f, Size: info.Size(), Close: f.Close}, nil
	}
	return &File{Stream: bufio.NewReaderSize(f, 1<<16), Close: f.Close}, nil
}

// Kind names a type of file, such as a directory.
func Kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "directory"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	case mode&fs.ModeDevice != 0:
		return "device"
	default:
		return "special file"
	}
}

// Head returns up to n bytes from the front of the file, without consuming them.
func (f *File) Head(n int) ([]byte, error) {
	var head []byte
	var err error
	if f.Stream != nil {
		head, err = f.Stream.Peek(n)
	} else {
		head = make([]byte, n)
		n, err = f.Content.ReadAt(head, 0)
		head = head[:n]
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	return head, nil
}

// streamLimit is the most that is kept in memory of a stream.
const streamLimit = 2 << 30

// Slurp reads a stream into memory to give it random access, and returns its
// size; 0 for a file that had random access. A stream of more than most bytes is
// refused; 0 stands for the largest limit, 2 GiB.
func (f *File) Slurp(most int) (held int, err error) {
	if f.Stream == nil {
		return 0, nil
	}
	if most <= 0 || most > streamLimit {
		most = streamLimit
	}
	var all pieces
	if err := all.fill(f.Stream, int64(most)); err != nil {
		if errors.Is(err, errLong) {
			err = &LimitError{f.Name, fmt.Sprintf("got more than %d bytes through a pipe, want at most that: give the file by name (--max-memory)", most)}
		}
		return 0, err
	}
	f.Content, f.Size, f.Stream = &all, all.size, nil
	return int(all.size), nil
}

// Section returns a new reader of the whole file.
func (f *File) Section() *io.SectionReader { return io.NewSectionReader(f.Content, 0, f.Size) }
