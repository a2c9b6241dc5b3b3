package imgio

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/jpeg"
	"github.com/poolctl/poolctl/internal/imgio/npy"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Normalize says how a tensor's values become a picture's levels.
type Normalize uint8

const (
	// NormalizeNone writes values as they are, rounded half to even and clipped.
	NormalizeNone Normalize = iota
	// NormalizeMinMax stretches the least value to black, the greatest to white.
	NormalizeMinMax
	// NormalizeSymmetric maps -m…m to black…white, m being the greatest
	// magnitude: zero is mid-grey.
	NormalizeSymmetric
)

var normalizeNames = [...]string{"none", "minmax", "symmetric"}

// NormalizeNames lists the names that ParseNormalize accepts.
func NormalizeNames() []string { return normalizeNames[:] }

// ParseNormalize returns the way of that name.
func ParseNormalize(name string) (Normalize, error) {
	for i, n := range normalizeNames {
		if n == name {
			return Normalize(i), nil
		}
	}
	return 0, fmt.Errorf("got %q, want one of %s", name, strings.Join(normalizeNames[:], ", "))
}

// String returns the name that ParseNormalize accepts.
func (n Normalize) String() string { return normalizeNames[n] }

// Output is a tensor and the file to write it to. The name's extension chooses
// the format; - writes .npy to standard output; FILE.npz#NAME is a member of an
// archive, FILE.npz its member arr_0. The other fields matter to pictures.
type Output struct {
	Name      string
	Tensor    *tensor.Tensor
	Layout    tensor.Layout // default: the one of the tensor's rank
	Depth     int           // bits per sample: 8 (also for 0) or 16
	Quality   int           // of a JPEG, 1 to 100; 0 means DefaultQuality
	Normalize Normalize

	// Progress of a tensor that is still being written; nil when it is complete. A
	// PNG whose samples the tensor holds as they are is encoded behind the writer.
	Progress *tensor.Progress

	Drawing []byte // the content of an .svg file, instead of a tensor
}

// verbatim reports whether the tensor is a picture's samples as they are.
func (o *Output) verbatim() bool {
	s := o.Tensor.Shape
	if len(s) != 4 || s[0] != 1 || s[3] > 4 || o.Layout != tensor.NHWC || o.Normalize != NormalizeNone {
		return false
	}
	return o.Tensor.DType == tensor.Uint8 && o.Depth != 16 || o.Tensor.DType == tensor.Uint16 && o.Depth == 16
}

// DefaultQuality is the quality of a JPEG when none is asked for.
const DefaultQuality = jpeg.DefaultQuality

// Note tells of a loss in writing an output.
type Note struct {
	Name    string // the output
	Clipped int    // values outside the depth's range, NaN among them
	Text    string // the whole note, without the name
}

// String returns the note as it is printed.
func (n Note) String() string { return n.Name + ": " + n.Text }

// WriteOptions says how outputs are written.
type WriteOptions struct {
	Stdout    io.Writer // what the name "-" writes to
	NoClobber bool      // refuse a name that exists

	files fileSystem // nil: the operating system's
}

// extensions are the formats by file name extension.
var extensions = []struct {
	ext    string
	format Format
}{
	{".npy", NPY}, {".npz", NPZ}, {".png", PNG}, {".jpg", JPEG}, {".jpeg", JPEG},
	{".tif", TIFF}, {".tiff", TIFF}, {".bmp", BMP}, {".gif", GIF},
}

// destination is what an output's name means.
type destination struct {
	format Format
	path   string // "-" is standard output
	member string // of an archive
}

// IsPicture reports whether an output of that name is a picture.
func IsPicture(name string) bool {
	d, err := parseDestination(name)
	return err == nil && d.format >= PNG && d.format != SVG
}

// IsDrawing reports whether an output of that name is an SVG drawing, which
// takes no tensor.
func IsDrawing(name string) bool { return strings.EqualFold(filepath.Ext(name), ".svg") }

func parseDestination(name string) (destination, error) {
	if name == "-" {
		return destination{format: NPY, path: "-"}, nil
	}
	if i := strings.LastIndex(strings.ToLower(name), ".npz#"); i >= 0 {
		d := destination{NPZ, name[:i+len(".npz")], strings.TrimSuffix(name[i+len(".npz#"):], ".npy")}
		if fault := npy.NameFault(d.member); fault != "" {
			return destination{}, &UsageError{name, fmt.Sprintf("member %q: %s", d.member, fault)}
		}
		return d, nil
	}
	if IsDrawing(name) {
		return destination{format: SVG, path: name}, nil
	}
	ext := strings.ToLower(filepath.Ext(name))
	known := make([]string, len(extensions))
	for i, e := range extensions {
		if e.ext == ext {
			d := destination{format: e.format, path: name}
			if e.format == NPZ {
				d.member = "arr_0"
			}
			return d, nil
		}
		known[i] = e.ext
	}
	return destination{}, &UsageError{name, fmt.Sprintf("got extension %q, want one of %s, or - for standard output", ext, strings.Join(known, ", "))}
}

// file is one file to be written, with what goes into it.
type file struct {
	destination
	output Output
	arrays []npy.Named // of an archive
}

// collectFiles gathers the members of each archive.
func collectFiles(outputs []Output) ([]*file, error) {
	var files []*file
	archives := map[string]*file{}
	for _, o := range outputs {
		d, err := parseDestination(o.Name)
		if err != nil {
			return nil, err
		}
		if f := archives[d.path]; d.format == NPZ && f != nil {
			f.arrays = append(f.arrays, npy.Named{Name: d.member, Tensor: o.Tensor})
			continue
		}
		f := &file{destination: d, output: o}
		if d.format == NPZ {
			f.arrays = []npy.Named{{Name: d.member, Tensor: o.Tensor}}
			archives[d.path] = f
		}
		files = append(files, f)
	}
	return files, nil
}

// WriteAll writes the outputs. Each appears under its name complete or not at
// all, and when one cannot be encoded none appears. Standard output, devices
// and pipes are written before the files get their names. The caller has
// called CheckOutputs.
func WriteAll(outputs []Output, w WriteOptions) (notes []Note, err error) {
	if w.files == nil {
		w.files = disk{}
	}
	files, err := collectFiles(outputs)
	if err != nil {
		return nil, err
	}
	var done []*pending
	defer func() {
		for _, p := range done { // after a commit there is nothing to discard
			p.discard()
		}
	}()
	for _, f := range files {
		write, n, err := f.encoder()
		if err != nil {
			return nil, input.Named(f.path, err)
		}
		notes = append(notes, n...)
		if f.path == "-" {
			if w.Stdout == nil {
				return nil, errors.New("-: there is no standard output")
			}
			if err := write(w.Stdout); err != nil {
				return nil, input.Named("standard output", err)
			}
			continue
		}
		p, err := stage(w.files, f.path, w.NoClobber, write)
		if err != nil {
			return nil, input.Named(f.path, err)
		}
		done = append(done, p)
	}
	return notes, commitAll(done)
}

// commitAll gives the files their names, one after another. When that fails for
// one, those before it stay, complete, and the error tells them; those after it
// are given up.
func commitAll(files []*pending) error {
	var written []string
	for _, p := range files {
		if err := p.commit(); err != nil {
			if len(written) > 0 {
				err = fmt.Errorf("%w (written already: %s)", err, strings.Join(written, ", "))
			}
			return input.Named(p.name, err)
		}
		written = append(written, p.name)
	}
	return nil
}

// encoder returns the function that writes the file's content.
func (f *file) encoder() (func(io.Writer) error, []Note, error) {
	if f.format != PNG || !f.output.verbatim() {
		if err := f.output.Progress.Ended(); err != nil {
			return nil, nil, err
		}
	}
	switch f.format {
	case NPY:
		return func(w io.Writer) error { return npy.Write(w, f.output.Tensor) }, nil, nil
	case NPZ:
		return func(w io.Writer) error { return npy.WriteArchive(w, f.arrays) }, nil, nil
	case SVG:
		if f.output.Drawing == nil {
			return nil, nil, &UsageError{f.path, "svg holds drawings, want a format for tensors such as .npy or .png"}
		}
		return func(w io.Writer) error {
			_, err := w.Write(f.output.Drawing)
			return err
		}, nil, nil
	}
	r, notes, err := render(f.output, f.format)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.format, err)
	}
	return func(w io.Writer) error { return writePicture(w, f.format, r, f.output.Quality) }, notes, nil
}
