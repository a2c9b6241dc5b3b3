package imgio

import (
	"errors"
	"fmt"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/npy"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Options says how files are opened.
type Options struct {
	Stdin     io.Reader // what the name "-" reads
	NoOrient  bool      // leave a JPEG as it is stored, whatever its EXIF orientation
	MaxPixels int       // largest picture; 0 means DefaultMaxPixels
	MaxSide   int       // largest width and height of a picture; 0 means DefaultMaxSide
	MaxMemory int       // bytes that may be kept of a file that comes through a pipe; 0 means 2 GiB
}

// Source is an opened file: its header is read, its data is not.
type Source struct {
	Name string
	Info Info

	read   func() (*tensor.Tensor, error)
	decode raster.Decoder // of a picture, instead of read
	close  func() error
}

// Open reads the header of a file. The name is a path, a path of an archive
// (.npz, safetensors, ONNX) followed by # and the name of one of its arrays, or
// "-" for standard input. The caller closes the Source.
func Open(name string, o Options) (*Source, error) {
	in, member, err := input.Open(name, o.Stdin)
	if err != nil {
		return nil, err
	}
	s, err := open(in, member, o)
	if err != nil {
		_ = in.Close()
		return nil, input.Named(name, err)
	}
	return s, nil
}

func open(in *input.File, member string, o Options) (s *Source, err error) {
	defer input.Guard(&err)
	format, err := sniff(in)
	if err != nil {
		return nil, err
	}
	if member != "" && !format.isArchive() {
		return nil, fmt.Errorf("#%s names a member, but the file is %s, want npz, safetensors or onnx", member, format)
	}
	held := 0
	if format != NPY {
		if held, err = in.Slurp(o.MaxMemory); err != nil {
			return nil, err
		}
	}
	s = &Source{Name: in.Name, close: in.Close}
	switch format {
	case NPY:
		var array input.Array
		array, err = npy.Open(in)
		s.setArray(array)
	case NPZ, Safetensors, ONNX:
		var array input.Array
		array, err = openMember(in, format, member)
		s.setArray(array)
	default:
		s.Info, s.decode, err = openPicture(in, format, o)
	}
	s.Info.Format = format
	s.Info.Decoding += held
	return s, err
}

func (s *Source) setArray(a input.Array) {
	s.Info = Info{Spec: a.Spec, Data: a.Data, Decoding: a.Decoding}
	s.read = a.Read
}

// Read decodes the file. It or Decode is called at most once; what they needed is let go.
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

// Decode decodes a picture into t, which has the type and shape of its Info, and
// keeps told up to date until it ends.
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
func sniff(in *input.File) (Format, error) {
	head, err := in.Head(16)
	if err != nil {
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
