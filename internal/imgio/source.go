package imgio

import (
	"fmt"
	"io"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Options says how files are opened.
type Options struct {
	Stdin     io.Reader // what the name "-" reads
	NoOrient  bool      // ignore EXIF orientations
	MaxPixels int       // largest picture; 0 means DefaultMaxPixels
	MaxSide   int       // largest width and height of a picture; 0 means DefaultMaxSide
	MaxMemory int       // bytes to keep of a file read through a pipe; 0 means 2 GiB

	// Raw is the element type of arrays that NumPy stores as raw bytes, such as
	// bfloat16. They are refused if it is another type.
	Raw tensor.DType
}

// Source is an opened file whose header has been read.
type Source struct {
	Name string
	Info Info

	read   func() (*tensor.Tensor, error)
	decode raster.Decoder // set for pictures, instead of read
	close  func() error
}

// Open opens a file and reads its header. The name is a path, ARCHIVE#ARRAY for
// an array of an archive, or "-" for standard input. The caller closes the
// Source.
func Open(name string, o Options) (*Source, error) {
	in, member, err := input.Open(name, o.Stdin)
	if err != nil {
		return nil, err
	}
	in.Raw = o.Raw
	s, err := open(in, member, o)
	if err != nil {
		_ = in.Close()
		return nil, input.Named(name, err)
	}
	return s, nil
}

func open(in *input.File, member string, o Options) (s *Source, err error) {
	defer input.Guard(&err)
	f, err := recognise(in)
	if err != nil {
		return nil, err
	}
	if member != "" && f.Archive == nil {
		return nil, fmt.Errorf("#%s names a member, but the file is %s, want %s", member, f.Name, format.List(namesOf(isArchive)))
	}
	held := 0
	if f.Array == nil { // arrays are read from a stream
		if held, err = in.Slurp(o.MaxMemory); err != nil {
			return nil, err
		}
	}
	s = &Source{Name: in.Name, close: in.Close}
	var array input.Array
	switch {
	case f.Picture != nil:
		s.Info, s.decode, err = openPicture(in, f, o)
	case f.Array != nil:
		array, err = f.Array.Open(in)
		s.setArray(array)
	case f.Archive != nil:
		array, err = openMember(in, f, member)
		s.setArray(array)
	}
	s.Info.Format = f.Name
	s.Info.Decoding += held
	return s, err
}

func (s *Source) setArray(a input.Array) {
	s.Info = Info{Spec: a.Spec, Data: a.Data, Decoding: a.Decoding}
	s.read = a.Read
}

// Read decodes the file. Call either Read or Decode, once.
func (s *Source) Read() (t *tensor.Tensor, err error) {
	if s.Info.Picture {
		t = tensor.New(s.Info.Spec)
		return t, s.Decode(t, nil)
	}
	defer func() { err = input.Named(s.Name, err) }()
	defer input.Guard(&err)
	read := s.read
	s.read = nil
	return read()
}

// Decode decodes a picture into t, which must have the spec in Info. It reports
// to told how far it is, and its end.
func (s *Source) Decode(t *tensor.Tensor, told *tensor.Progress) (err error) {
	defer func() { told.End(err) }()
	defer func() { err = input.Named(s.Name, err) }()
	defer input.Guard(&err)
	decode := s.decode
	s.decode = nil
	return decode(t, told)
}

// Close releases the file.
func (s *Source) Close() error { return s.close() }

// openPicture reads a picture's header.
func openPicture(in *input.File, f *format.Format, o Options) (Info, raster.Decoder, error) {
	h, decode, err := f.Picture.Open(in, raster.Options{MaxPixels: o.MaxPixels, MaxSide: o.MaxSide})
	if err != nil {
		return Info{}, nil, prefixed(f, err)
	}
	if !o.NoOrient {
		h, decode = raster.Upright(h, decode)
	}
	return Info{Spec: h.Spec(), Depth: h.Depth, Picture: true, Decoding: h.Decoding}, func(t *tensor.Tensor, told *tensor.Progress) error {
		if err := decode(t, told); err != nil {
			return prefixed(f, err)
		}
		return nil
	}, nil
}

// prefixed puts the format's name in front of a decoder's error, unless it is
// there, and says plainly that a file ends too early.
func prefixed(f *format.Format, err error) error {
	err = input.Unexpected(err)
	prefix := f.Name + ": "
	if strings.HasPrefix(err.Error(), prefix) {
		return err
	}
	return fmt.Errorf("%s%w", prefix, err)
}
