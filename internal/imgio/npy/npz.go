package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/tensor"
)

// maxMembers is the most members of an archive.
const maxMembers = 1024

// inflateRatio is the largest compression ratio of deflate.
const inflateRatio = 1032

// Members lists the arrays of an .npz archive. Their headers are read by
// Member.Open.
func Members(in *input.File) ([]input.Member, error) {
	files, err := zipFiles(in)
	if err != nil {
		return nil, err
	}
	members := make([]input.Member, len(files))
	for i, f := range files {
		members[i] = input.Member{Name: memberName(f), File: f.Name, Open: func() (input.Array, error) {
			if fault := memberFault(f, in.Size); fault != "" {
				return input.Array{}, errors.New(fault)
			}
			return openMember(f, in.Raw)
		}}
	}
	return members, nil
}

// openMember opens one array of an archive.
func openMember(f *zip.File, raw tensor.DType) (input.Array, error) {
	h, r, err := openZipped(f, raw)
	if err != nil {
		return input.Array{}, err
	}
	_ = r.Close()
	return input.Array{Spec: h.spec, Decoding: h.decoding(true), Read: func() (*tensor.Tensor, error) {
		h, r, err := openZipped(f, raw)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return h.read(r, true)
	}}, nil
}

// zipFiles reads the directory of an archive and returns the members that are
// arrays. Names are never used as paths. Names that lead out of a folder are
// refused nevertheless: an archive with such a name is an attack.
func zipFiles(in *input.File) ([]*zip.File, error) {
	archive, err := zip.NewReader(in.Content, in.Size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, err
	}
	archive.RegisterDecompressor(zip.Deflate, flate.NewReader)
	if len(archive.File) > maxMembers {
		return nil, input.TooMuch("got %d members, want <= %d", len(archive.File), maxMembers)
	}
	var arrays []*zip.File
	seen := map[string]bool{}
	for _, f := range archive.File {
		name := memberName(f)
		fault := nameFault(name)
		if fault == "" && !isArray(f, in.Size) {
			continue
		}
		if seen[name] {
			fault = "the name occurs twice"
		}
		if fault != "" {
			return nil, fmt.Errorf("member %q: %s", input.Shorten(f.Name), fault)
		}
		seen[name] = true
		arrays = append(arrays, f)
	}
	if len(arrays) == 0 {
		return nil, errors.New("the archive holds no arrays")
	}
	return arrays, nil
}

// isArray reports whether a member is an array: one whose name ends in .npy, or
// whose content begins as an .npy file does. People also put a readme beside their
// arrays. A member that cannot be opened counts by its name. One whose content
// turns out to be damaged counts as an array, so that the damage is reported.
func isArray(f *zip.File, size int64) bool {
	if strings.HasSuffix(f.Name, "/") { // a folder
		return false
	}
	if strings.HasSuffix(f.Name, ".npy") {
		return true
	}
	if memberFault(f, size) != "" {
		return false
	}
	head := make([]byte, len(magic))
	r, err := f.Open()
	if err == nil {
		_, err = io.ReadFull(r, head)
		_ = r.Close()
	}
	short := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	return string(head) == magic || err != nil && !short
}

// memberFault says why a member of an archive of so many bytes cannot be read, or
// returns "".
func memberFault(f *zip.File, size int64) string {
	switch {
	case f.Mode()&fs.ModeType != 0:
		return "want an ordinary member"
	case f.Flags&1 != 0:
		return "encrypted members are not supported"
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Sprintf("got compression method %d, want stored or deflated", f.Method)
	case f.UncompressedSize64/inflateRatio > f.CompressedSize64 || f.CompressedSize64 > uint64(size):
		return fmt.Sprintf("got %d bytes from %d in the archive, want what deflate can hold", f.UncompressedSize64, f.CompressedSize64)
	}
	return ""
}

func memberName(f *zip.File) string { return strings.TrimSuffix(f.Name, ".npy") }

// nameFault says what is wrong with the name of an array, or returns "".
func nameFault(name string) string {
	switch {
	case name == "":
		return "want a name"
	case strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\\x00") ||
		strings.Contains("/"+name+"/", "/../") || len(name) > 1 && name[1] == ':':
		return "want a name that is no path out of the archive"
	}
	return ""
}

// openZipped reads the header of a member and checks its shape against the size
// that the archive states. The reader is left at the data.
func openZipped(f *zip.File, raw tensor.DType) (header, io.ReadCloser, error) {
	r, err := f.Open()
	if err != nil {
		return header{}, nil, err
	}
	counted := &countingReader{r: r}
	h, err := readHeader(counted, raw)
	if err == nil {
		err = h.checkSize(int64(f.UncompressedSize64) - counted.n)
	}
	if err != nil {
		_ = r.Close()
		return header{}, nil, err
	}
	return h, r, nil
}

type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// WriteArchive writes arrays as numpy.savez does: not compressed, each as NAME.npy.
// All members have the earliest date that zip allows, so that equal arrays make
// equal files.
func WriteArchive(w io.Writer, arrays []format.Named) error {
	archive := zip.NewWriter(w)
	for _, a := range arrays {
		entry, err := archive.CreateHeader(&zip.FileHeader{
			Name:     a.Name + ".npy",
			Method:   zip.Store,
			Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			return err
		}
		if err := Write(entry, a.Tensor); err != nil {
			return err
		}
	}
	return archive.Close()
}
