package batch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// content identifies what is in a file.
type content struct {
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// fingerprint identifies the content of a file, and tells whether the file has
// changed since.
type fingerprint struct {
	content
	info fs.FileInfo
}

// buffers are for reading files.
var buffers = sync.Pool{New: func() any { return new([1 << 16]byte) }}

var errChanged = errors.New("changed while it was read")

// fingerprintOf reads a file. The SHA256 is "" for anything but a regular file.
func fingerprintOf(name string) (fingerprint, error) {
	path, member, info, err := input.Split(name)
	if name == "-" || err != nil || !info.Mode().IsRegular() {
		return fingerprint{}, nil // opening it will report what is wrong
	}
	f, err := os.Open(path)
	if err != nil {
		return fingerprint{}, fmt.Errorf("%s: %w", name, input.Plain(err))
	}
	defer f.Close()
	sum := sha256.New()
	buffer := buffers.Get().(*[1 << 16]byte)
	defer buffers.Put(buffer)
	n, err := io.CopyBuffer(sum, struct{ io.Reader }{f}, buffer[:]) // hides f.WriteTo, which allocates a buffer
	if err != nil {
		return fingerprint{}, fmt.Errorf("%s: %w", name, input.Plain(err))
	}
	if member != "" {
		sum.Write([]byte("#" + member)) // two arrays of an archive are two inputs
	}
	return fingerprint{content{n, hex.EncodeToString(sum.Sum(nil))}, info}, nil
}

// Hash returns the SHA-256 of a file. For an array of an archive, it covers the
// archive and the array's name. It is "" for anything but a regular file.
func Hash(name string) (string, error) {
	is, err := fingerprintOf(name)
	return is.SHA256, err
}

// unchanged returns an error if the file has changed since its fingerprint was
// taken. What was decoded may then differ from what was fingerprinted.
func (f fingerprint) unchanged(name string) error {
	if f.info == nil {
		return nil
	}
	_, _, info, err := input.Split(name)
	if err != nil || !os.SameFile(info, f.info) || info.Size() != f.info.Size() || !info.ModTime().Equal(f.info.ModTime()) {
		return fmt.Errorf("%s: %w", name, errChanged)
	}
	return nil
}
