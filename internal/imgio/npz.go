package imgio

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/poolctl/poolctl/internal/tensor"
)

// npzMaxMembers bounds how many arrays an archive may hold.
const npzMaxMembers = 1024

// inflateRatio is the most that deflate can shrink data.
const inflateRatio = 1032

// Member is one array of an .npz archive.
type Member struct {
	Name string // without .npy
	Spec tensor.Spec
}

// List names the arrays of an .npz archive in the order of the file. Names
// that say more than the file's (#member, -) are not accepted.
func List(name string) (members []Member, err error) {
	in, member, err := openInput(name, Options{})
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.close() }()
	defer func() { err = named(name, err) }()
	defer guard(&err)
	if member != "" {
		return nil, errors.New("names a member, want the archive")
	}
	format, err := in.sniff()
	if err != nil {
		return nil, err
	}
	if format != NPZ {
		return nil, fmt.Errorf("is %s, want npz", format)
	}
	if err := in.slurp(); err != nil {
		return nil, err
	}
	files, err := npzFiles(in)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		h, r, err := openMember(f)
		if err != nil {
			return nil, err
		}
		_ = r.Close()
		members = append(members, Member{memberName(f), h.spec})
	}
	return members, nil
}

// openNPZ opens one array of an archive: the one named, or the only one.
func openNPZ(in *input, member string) (Info, func() (*tensor.Tensor, error), error) {
	files, err := npzFiles(in)
	if err != nil {
		return Info{}, nil, err
	}
	f, err := pickMember(files, member)
	if err != nil {
		return Info{}, nil, err
	}
	h, r, err := openMember(f)
	if err != nil {
		return Info{}, nil, err
	}
	_ = r.Close()
	return Info{Spec: h.spec, Format: NPZ}, func() (*tensor.Tensor, error) {
		h, r, err := openMember(f)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		t, err := h.read(r, true)
		if err != nil {
			return nil, fmt.Errorf("npz: member %q: %w", memberName(f), err)
		}
		return t, nil
	}, nil
}

// npzFiles reads the archive's directory. Names are never used as paths; names
// that could be meant as a way out of a folder are refused all the same, since
// an archive that has one was made to do harm.
func npzFiles(in *input) ([]*zip.File, error) {
	archive, err := zip.NewReader(in.file, in.size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("npz: %w", err)
	}
	archive.RegisterDecompressor(zip.Deflate, flate.NewReader)
	if len(archive.File) > npzMaxMembers {
		return nil, fmt.Errorf("npz: got %d members, want <= %d", len(archive.File), npzMaxMembers)
	}
	if len(archive.File) == 0 {
		return nil, errors.New("npz: the archive holds no arrays")
	}
	seen := map[string]bool{}
	for _, f := range archive.File {
		name := memberName(f)
		fault := ""
		switch {
		case memberFault(name) != "":
			fault = memberFault(name)
		case f.Mode()&fs.ModeType != 0 || strings.HasSuffix(f.Name, "/"):
			fault = "want an ordinary member"
		case f.Flags&1 != 0:
			fault = "encrypted members are not supported"
		case f.Method != zip.Store && f.Method != zip.Deflate:
			fault = fmt.Sprintf("got compression method %d, want stored or deflated", f.Method)
		case seen[name]:
			fault = "the name occurs twice"
		case f.UncompressedSize64/inflateRatio > f.CompressedSize64 || f.CompressedSize64 > uint64(in.size):
			fault = fmt.Sprintf("got %d bytes from %d in the archive, want what deflate can hold", f.UncompressedSize64, f.CompressedSize64)
		}
		if fault != "" {
			return nil, fmt.Errorf("npz: member %q: %s", shorten(f.Name), fault)
		}
		seen[name] = true
	}
	return archive.File, nil
}

func memberName(f *zip.File) string { return strings.TrimSuffix(f.Name, ".npy") }

// memberFault tells what is wrong with an array's name, "" if nothing is.
func memberFault(name string) string {
	switch {
	case name == "":
		return "want a name"
	case strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\\x00") ||
		strings.Contains("/"+name+"/", "/../") || len(name) > 1 && name[1] == ':':
		return "want a name that is no path out of the archive"
	}
	return ""
}

func shorten(name string) string {
	if len(name) > 60 {
		return name[:57] + "..."
	}
	return name
}

func pickMember(files []*zip.File, member string) (*zip.File, error) {
	if member == "" && len(files) == 1 {
		return files[0], nil
	}
	var names []string
	for _, f := range files {
		if name := memberName(f); member == name || member == f.Name {
			return f, nil
		} else if len(names) < 10 {
			names = append(names, shorten(name))
		}
	}
	list := strings.Join(names, ", ")
	if len(files) > len(names) {
		list += fmt.Sprintf(" and %d more", len(files)-len(names))
	}
	if member == "" {
		return nil, fmt.Errorf("npz: holds %d arrays, want one of them by name, as in FILE#%s: %s", len(files), names[0], list)
	}
	return nil, fmt.Errorf("npz: got member %q, want one of %s", shorten(member), list)
}

// openMember reads a member's header and compares the size that the archive
// states with the header's shape. The reader stands at the data.
func openMember(f *zip.File) (npyHeader, io.ReadCloser, error) {
	fail := func(err error) (npyHeader, io.ReadCloser, error) {
		return npyHeader{}, nil, fmt.Errorf("npz: member %q: %w", shorten(f.Name), err)
	}
	r, err := f.Open()
	if err != nil {
		return fail(err)
	}
	counted := &countingReader{r: r}
	h, err := readNPYHeader(counted)
	if err == nil {
		err = h.checkSize(int64(f.UncompressedSize64) - counted.n)
	}
	if err != nil {
		_ = r.Close()
		return fail(err)
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

// namedTensor is an array to be written into an archive.
type namedTensor struct {
	name   string
	tensor *tensor.Tensor
}

// writeNPZ writes arrays as NumPy's savez does: stored, each as NAME.npy. The
// members' date is the earliest that an archive can hold, so that equal arrays
// make equal files.
func writeNPZ(w io.Writer, arrays []namedTensor) error {
	archive := zip.NewWriter(w)
	for _, a := range arrays {
		entry, err := archive.CreateHeader(&zip.FileHeader{
			Name:     a.name + ".npy",
			Method:   zip.Store,
			Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		})
		if err != nil {
			return err
		}
		if err := writeNPY(entry, a.tensor); err != nil {
			return err
		}
	}
	return archive.Close()
}
