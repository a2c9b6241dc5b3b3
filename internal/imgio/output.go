package imgio

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/jpeg"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Normalize says how values become the levels of a picture.
type Normalize uint8

const (
	// NormalizeNone rounds values half to even and clips them.
	NormalizeNone Normalize = iota
	// NormalizeMinMax maps the smallest value to black and the largest to white.
	NormalizeMinMax
	// NormalizeSymmetric maps -m…m to black…white, where m is the largest
	// magnitude. Zero becomes mid-grey.
	NormalizeSymmetric
)

var normalizeNames = [...]string{"none", "minmax", "symmetric"}

// NormalizeNames lists the names that ParseNormalize accepts.
func NormalizeNames() []string { return normalizeNames[:] }

// ParseNormalize returns the Normalize with that name.
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

// Output is a tensor and the file to write it to. The extension of the name
// chooses the format. The name - writes .npy to standard output, FILE.npz#NAME a
// member of an archive, and FILE.npz its member arr_0. Layout and the fields after
// it apply to pictures.
type Output struct {
	Name      string
	Tensor    *tensor.Tensor
	Layout    tensor.Layout // empty: the usual one for the tensor's rank
	Depth     int           // bits per sample: 8 (also for 0) or 16
	Quality   int           // of a JPEG, 1 to 100; 0 means DefaultQuality
	Normalize Normalize
	Enlarge   int // pixels across and down for each value; 0: 1, and on a contact sheet as many as show it

	// Progress tells how much of the tensor is ready, nil if all of it is. Formats
	// that can (format.Encoder.Follows) encode rows as they become ready.
	Progress *tensor.Progress

	Drawing []byte // contents of an .svg file, in place of a tensor
}

// verbatim reports whether the tensor's values are the picture's samples.
func (o *Output) verbatim() bool {
	s := o.Tensor.Shape
	if len(s) != 4 || s[0] != 1 || s[3] > 4 || o.Layout != tensor.NHWC || o.Normalize != NormalizeNone || o.Enlarge > 1 {
		return false
	}
	return o.Tensor.DType == tensor.Uint8 && o.Depth != 16 || o.Tensor.DType == tensor.Uint16 && o.Depth == 16
}

// DefaultQuality is the default quality of a JPEG.
const DefaultQuality = jpeg.DefaultQuality

// Note reports a loss in writing an output.
type Note struct {
	Name    string // the output
	Clipped int    // values outside the depth's range, NaN among them
	Text    string // the note, without the name

	// Stretch is what would show more of a picture on which next to nothing is
	// seen; NormalizeNone for other notes.
	Stretch Normalize
}

// String returns the note as it is printed.
func (n Note) String() string { return n.Name + ": " + n.Text }

// WriteOptions says how outputs are written.
type WriteOptions struct {
	Stdout    io.Writer // what the name "-" writes to
	NoClobber bool      // do not replace existing files

	files fileSystem // nil: the operating system's
}

// file is a file to write and what goes into it.
type file struct {
	destination
	output Output
	arrays []format.Named // of an archive
}

// collectFiles groups the members of each archive.
func collectFiles(outputs []Output) ([]*file, error) {
	var files []*file
	archives := map[string]*file{}
	for _, o := range outputs {
		d, err := parseDestination(o.Name)
		if err != nil {
			return nil, err
		}
		if f := archives[d.path]; d.format.Archive != nil && f != nil {
			f.arrays = append(f.arrays, format.Named{Name: d.member, Tensor: o.Tensor})
			continue
		}
		f := &file{destination: d, output: o}
		if d.format.Archive != nil {
			f.arrays = []format.Named{{Name: d.member, Tensor: o.Tensor}}
			archives[d.path] = f
		}
		files = append(files, f)
	}
	return files, nil
}

// WriteAll writes the outputs. A file appears under its name complete or not at
// all. If any output cannot be encoded, no file appears. Standard output, devices
// and pipes are written before files get their names. The caller must have called
// CheckOutputs.
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

// commitAll gives the files their names, one after another. If one fails, those
// before it stay and the error lists them; those after it are dropped.
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

// encoder returns a function that writes the file's contents.
func (f *file) encoder() (func(io.Writer) error, []Note, error) {
	pictures := f.format.Encoder()
	if pictures == nil || !pictures.Follows || !f.output.verbatim() {
		if err := f.output.Progress.Ended(); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case pictures != nil:
		write, notes, err := f.encodePicture(pictures)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", f.format.Name, err)
		}
		return write, notes, nil
	case f.format.Array != nil:
		return func(w io.Writer) error { return f.format.Array.Write(w, f.output.Tensor) }, nil, nil
	case f.format.Archive != nil:
		return func(w io.Writer) error { return f.format.Archive.Write(w, f.arrays) }, nil, nil
	}
	if f.output.Drawing == nil {
		return nil, nil, &UsageError{f.path, f.format.Name + " holds drawings, want a format for tensors such as .npy or .png"}
	}
	return func(w io.Writer) error {
		_, err := w.Write(f.output.Drawing)
		return err
	}, nil, nil
}

// encodePicture renders the tensor as a picture that the format can hold.
func (f *file) encodePicture(e *format.Encoder) (func(io.Writer) error, []Note, error) {
	o := format.Options{Extension: extension(f.path), Quality: f.output.Quality}
	r, notes, err := render(f.output)
	if err != nil {
		return nil, nil, err
	}
	r, changes, err := fit(r, e, o)
	if err != nil {
		return nil, nil, err
	}
	for _, text := range changes {
		notes = append(notes, Note{Name: f.output.Name, Text: text})
	}
	return func(w io.Writer) error { return e.Write(w, r, o) }, notes, nil
}
