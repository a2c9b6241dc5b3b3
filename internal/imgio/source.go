package imgio

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

// Options says how files are opened.
type Options struct {
	Stdin     io.Reader // what the name "-" reads
	NoOrient  bool      // leave a JPEG as it is stored, whatever its EXIF orientation
	MaxPixels int       // largest picture; 0 means DefaultMaxPixels
	MaxSide   int       // largest width and height of a picture; 0 means DefaultMaxSide
	MaxMemory int       // bytes that may be kept of a file that comes through a pipe; 0 means streamLimit
}

// Source is an opened file: its header is read, its data is not.
type Source struct {
	Name string
	Info Info

	read   func() (*tensor.Tensor, error)
	decode decoder // of a picture, instead of read
	close  func() error
}

// input is an opened file before its format is known. A stream is read from
// the front and its size is not known; anything else has random access.
type input struct {
	name   string // as given
	path   string // of the file; empty for standard input
	stream *bufio.Reader
	file   io.ReaderAt
	size   int64
	close  func() error
}

// streamLimit bounds what is kept in memory of a picture or an .npz archive
// that comes through a pipe.
const streamLimit = 2 << 30

// Open reads the header of a file. The name is a path, a path of an archive
// (.npz, safetensors, ONNX) followed by # and the name of one of its arrays, or
// "-" for standard input. The caller closes the Source.
func Open(name string, o Options) (*Source, error) {
	in, member, err := openInput(name, o)
	if err != nil {
		return nil, err
	}
	s, err := open(in, member, o)
	if err != nil {
		_ = in.close()
		return nil, named(name, err)
	}
	return s, nil
}

func open(in *input, member string, o Options) (s *Source, err error) {
	defer guard(&err)
	format, err := in.sniff()
	if err != nil {
		return nil, err
	}
	if member != "" && !format.isArchive() {
		return nil, fmt.Errorf("#%s names a member, but the file is %s, want npz, safetensors or onnx", member, format)
	}
	held := 0
	if format != NPY {
		if held, err = in.slurp(o.MaxMemory); err != nil {
			return nil, err
		}
	}
	s = &Source{Name: in.name, close: in.close}
	switch format {
	case NPY:
		s.Info, s.read, err = openNPY(in)
	case NPZ, Safetensors, ONNX:
		s.Info, s.read, err = openMember(in, format, member)
	default:
		s.Info, s.decode, err = openPicture(in, format, o)
	}
	s.Info.Decoding += held
	return s, err
}

// Read decodes the file. It or Decode is called at most once; what they needed is let go.
func (s *Source) Read() (t *tensor.Tensor, err error) {
	if s.Info.Picture {
		t = tensor.New(s.Info.Spec)
		return t, s.Decode(t, nil)
	}
	defer func() { err = named(s.Name, err) }()
	defer guard(&err)
	read := s.read
	s.read = nil
	return read()
}

// Decode decodes a picture into t, which has the type and shape of its Info, and
// keeps told up to date until it ends.
func (s *Source) Decode(t *tensor.Tensor, told *tensor.Progress) (err error) {
	defer func() { told.End(err) }()
	defer func() { err = named(s.Name, err) }()
	defer guard(&err)
	decode := s.decode
	s.decode = nil
	return decode(t, told)
}

// Close releases the file.
func (s *Source) Close() error { return s.close() }

// guard turns a panic of a decoder into an error. Decoders meet hostile files;
// a fault in one must not end the program.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("internal error, please report it with the file: %v", p)
	}
}

// named puts the file's name in front of an error that lacks it.
func named(name string, err error) error {
	var limit *LimitError
	if err == nil || errors.As(err, &limit) && limit.Name != "" {
		return err
	}
	return fmt.Errorf("%s: %w", name, plain(err))
}

// plain drops what the operating system's errors repeat: the name, which every
// message has in front, and the call.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// openInput opens the file and splits off the archive member that the name may
// end in.
func openInput(name string, o Options) (in *input, member string, err error) {
	if name == "-" {
		if o.Stdin == nil {
			return nil, "", errors.New("-: there is no standard input")
		}
		return &input{name: name, stream: bufio.NewReaderSize(o.Stdin, 1<<16), close: func() error { return nil }}, "", nil
	}
	path, member, info, err := splitInput(name)
	if err != nil {
		return nil, "", named(path, err)
	}
	in, err = openFile(path, info)
	if err != nil {
		return nil, "", named(path, err)
	}
	in.name, in.path = name, path
	return in, member, nil
}

// splitInput splits FILE#MEMBER and tells what kind of file it is. A file whose
// own name has a # goes first, then the longest name that exists.
func splitInput(name string) (path, member string, info fs.FileInfo, err error) {
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
// pipe's writer: a pipe that nobody has open for writing is empty.
func openFile(path string, info fs.FileInfo) (*input, error) {
	flags := os.O_RDONLY
	switch mode := info.Mode(); {
	case mode.IsRegular():
	case mode.IsDir():
		return nil, errors.New("is a directory")
	case mode&fs.ModeNamedPipe != 0:
		flags |= syscall.O_NONBLOCK
	default:
		return nil, fmt.Errorf("is a %s, want a file", kindOf(mode))
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
		return &input{file: f, size: info.Size(), close: f.Close}, nil
	}
	return &input{stream: bufio.NewReaderSize(f, 1<<16), close: f.Close}, nil
}

func kindOf(mode fs.FileMode) string {
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

// slurp gives a stream random access by reading all of it, and returns how many
// bytes that keeps in memory.
func (in *input) slurp(most int) (held int, err error) {
	if in.stream == nil {
		return 0, nil
	}
	if most <= 0 || most > streamLimit {
		most = streamLimit
	}
	var all pieces
	if err := all.fill(in.stream, int64(most)); err != nil {
		if errors.Is(err, errLong) {
			err = &LimitError{in.name, fmt.Sprintf("got more than %d bytes through a pipe, want at most that: give the file by name (--max-memory)", most)}
		}
		return 0, err
	}
	in.file, in.size, in.stream = &all, all.size, nil
	return int(all.size), nil
}

// section returns a reader of the whole file.
func (in *input) section() *io.SectionReader { return io.NewSectionReader(in.file, 0, in.size) }

var magics = []struct {
	format Format
	magic  string // ? stands for any byte
}{
	{NPY, "\x93NUMPY"},
	{NPZ, "PK\x03\x04"},
	{NPZ, "PK\x05\x06"}, // an archive without members
	{PNG, "\x89PNG\r\n\x1a\n"},
	{JPEG, "\xff\xd8\xff"},
	{GIF, "GIF87a"},
	{GIF, "GIF89a"},
	{TIFF, "II*\x00"},
	{TIFF, "MM\x00*"},
	{WebP, "RIFF????WEBP"},
	{BMP, "BM"},
	{Safetensors, "?????\x00\x00\x00{"}, // the header's length, the header
	// ONNX has no magic. A model begins with its version, field 1, and what may
	// follow is the producer's name, version, domain, the model's version, a
	// text, the graph or the operator sets.
	{ONNX, "\x08?\x12"}, {ONNX, "\x08?\x1a"}, {ONNX, "\x08?\x22"}, {ONNX, "\x08?\x28"},
	{ONNX, "\x08?\x32"}, {ONNX, "\x08?\x3a"}, {ONNX, "\x08?\x42"},
}

// sniff recognises the format by the file's first bytes.
func (in *input) sniff() (Format, error) {
	var head []byte
	var err error
	if in.stream != nil {
		head, err = in.stream.Peek(16)
	} else {
		head = make([]byte, 16)
		var n int
		n, err = in.file.ReadAt(head, 0)
		head = head[:n]
	}
	if err != nil && err != io.EOF {
		return Unknown, err
	}
	if len(head) == 0 {
		return Unknown, errors.New("the file is empty")
	}
	for _, m := range magics {
		if hasMagic(head, m.magic) {
			return m.format, nil
		}
	}
	return Unknown, fmt.Errorf("begins with %q, want a file of npy, npz, png, jpeg, gif, bmp, tiff, webp, safetensors or onnx", head[:min(8, len(head))])
}

func hasMagic(head []byte, magic string) bool {
	if len(head) < len(magic) {
		return false
	}
	for i := range magic {
		if magic[i] != '?' && magic[i] != head[i] {
			return false
		}
	}
	return true
}
