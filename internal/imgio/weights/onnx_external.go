package weights

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// outside locates data in a file beside the model. It refuses a location outside
// the model's folder.
func (a *onnxTensor) outside(in *input.File, s stored) (piece, error) {
	location := a.external["location"]
	if in.Path == "" {
		return piece{}, fmt.Errorf("the data is in %q beside the model: give the model by name", input.Shorten(location))
	}
	if !filepath.IsLocal(location) {
		return piece{}, fmt.Errorf("external data: got location %q, want a name inside the model's folder", input.Shorten(location))
	}
	size, err := s.spec.Bytes()
	at := int64(0)
	if text := a.external["offset"]; err == nil && text != "" {
		at, err = strconv.ParseInt(text, 10, 64)
	}
	if text := a.external["length"]; err == nil && text != "" {
		var length int64
		if length, err = strconv.ParseInt(text, 10, 64); err == nil && length != int64(size) {
			err = fmt.Errorf("got length %d for %s, want %d", length, s.spec, size)
		}
	}
	if err == nil && at < 0 {
		err = errors.New("want an offset >= 0")
	}
	if err != nil {
		return piece{}, fmt.Errorf("external data %q: offset %q, length %q: %w", input.Shorten(location), a.external["offset"], a.external["length"], err)
	}
	file := &besideModel{folder: filepath.Dir(in.Path), name: location}
	have, err := file.size()
	if err != nil {
		return piece{}, fmt.Errorf("external data: %s: %w", input.Shown(location), input.Plain(err))
	}
	if have-at < int64(size) {
		return piece{}, fmt.Errorf("external data: %s: got %d bytes from %d on, want %d for %s", input.Shown(location), max(0, have-at), at, size, s.spec)
	}
	return piece{file, at, int64(size)}, nil
}

// besideModel is a file in the model's folder. It is opened for each read, since a
// network has many arrays and few of them are read.
type besideModel struct{ folder, name string }

func (b *besideModel) open() (*os.File, error) {
	root, err := os.OpenRoot(b.folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Stat(b.name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("is a %s, want a file", input.Kind(info.Mode()))
	}
	return root.Open(b.name)
}

func (b *besideModel) size() (int64, error) {
	f, err := b.open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// ReadAt implements io.ReaderAt.
func (b *besideModel) ReadAt(p []byte, at int64) (int, error) {
	f, err := b.open()
	if err != nil {
		return 0, err
	}
	defer f.Close()
	return f.ReadAt(p, at)
}

var _ io.ReaderAt = (*besideModel)(nil)
