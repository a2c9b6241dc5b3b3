package imgio

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/bmp"
	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/gif"
	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/jpeg"
	"github.com/poolctl/poolctl/internal/imgio/npy"
	"github.com/poolctl/poolctl/internal/imgio/png"
	"github.com/poolctl/poolctl/internal/imgio/pnm"
	"github.com/poolctl/poolctl/internal/imgio/tiff"
	"github.com/poolctl/poolctl/internal/imgio/webp"
	"github.com/poolctl/poolctl/internal/imgio/weights"
)

// formats are all file formats, in the order in which messages and help texts
// list them.
var formats = []*format.Format{
	npy.Format,
	npy.Archive,
	png.Format,
	jpeg.Format,
	gif.Format,
	bmp.Format,
	tiff.Format,
	pnm.Format,
	webp.Format,
	svg,
	weights.Safetensors,
	weights.ONNX,
	weights.TensorProto,
}

// streamed is the format of standard output.
var streamed = npy.Format

// namesOf returns the names of the formats that a condition holds for.
func namesOf(holds func(*format.Format) bool) (list []string) {
	for _, f := range formats {
		if holds(f) {
			list = append(list, f.Name)
		}
	}
	return list
}

// extensionsOf returns the extensions of the formats that a condition holds for,
// without aliases.
func extensionsOf(holds func(*format.Format) bool) (list []string) {
	for _, f := range formats {
		if holds(f) {
			list = append(list, f.Extensions...)
		}
	}
	return list
}

func isArchive(f *format.Format) bool { return f.Archive != nil }
func takesTensors(f *format.Format) bool {
	return f.Written() && !f.Drawing
}

// InputExtensions lists the extensions of files that operations read, one for
// each format: ".npy, .npz, .png, …".
func InputExtensions() string {
	return strings.Join(extensionsOf((*format.Format).IsInput), ", ")
}

// OutputExtensions lists the extensions of files that tensors are written to.
func OutputExtensions() string { return strings.Join(extensionsOf(takesTensors), ", ") }

// IsInput reports whether a file is one that operations read, by its name.
func IsInput(name string) bool {
	f := byExtension(name)
	return f != nil && f.IsInput()
}

// IsPicture reports whether an output of that name is a picture.
func IsPicture(name string) bool {
	d, err := parseDestination(name)
	return err == nil && d.format.Encoder() != nil
}

// IsDrawing reports whether an output of that name is a drawing, which takes no
// tensor.
func IsDrawing(name string) bool {
	f := byExtension(name)
	return f != nil && f.Drawing
}

// extension returns a file name's extension in lower case.
func extension(name string) string { return strings.ToLower(filepath.Ext(name)) }

// byExtension returns the format that a file's name tells, or nil.
func byExtension(name string) *format.Format {
	for _, f := range formats {
		if f.Has(extension(name)) {
			return f
		}
	}
	return nil
}

// recognise returns the format that a file's first bytes tell.
func recognise(in *input.File) (*format.Format, error) {
	head, err := in.Head(format.HeadLength)
	if err != nil {
		return nil, err
	}
	if len(head) == 0 {
		return nil, errors.New("the file is empty")
	}
	for _, f := range formats {
		if f.Begins(head) {
			return f, nil
		}
	}
	return nil, fmt.Errorf("begins with %q, want a file of %s", head[:min(8, len(head))], format.List(namesOf((*format.Format).Read)))
}

// destination is what an output's name means.
type destination struct {
	format *format.Format
	path   string // "-" is standard output
	member string // of an archive
}

// parseDestination reads an output's name: a file, the member of an archive as
// FILE.npz#NAME, or - for standard output.
func parseDestination(name string) (destination, error) {
	if name == "-" {
		return destination{format: streamed, path: "-"}, nil
	}
	for _, f := range formats {
		if f.Archive == nil || !f.Written() {
			continue
		}
		for _, ext := range f.Extensions {
			i := strings.LastIndex(strings.ToLower(name), ext+"#")
			if i < 0 {
				continue
			}
			d := destination{f, name[:i+len(ext)], strings.TrimSuffix(name[i+len(ext)+1:], ".npy")}
			if fault := f.Archive.Fault(d.member); fault != "" {
				return destination{}, &UsageError{name, fmt.Sprintf("member %q: %s", d.member, fault)}
			}
			return d, nil
		}
	}
	f := byExtension(name)
	if f == nil || !f.Written() {
		return destination{}, &UsageError{name, fmt.Sprintf("got extension %q, want one of %s, or - for standard output", extension(name), OutputExtensions())}
	}
	d := destination{format: f, path: name}
	if f.Archive != nil {
		d.member = f.Archive.Member
	}
	return d, nil
}
