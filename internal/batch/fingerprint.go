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

// fingerprint is the content of a file, and what tells that it was not touched
// since.
type fingerprint struct {
	content
	info fs.FileInfo
}

// buffers are for reading files: one for each goroutine that does.
var buffers = sync.Pool{New: func() any { return new([1 << 16]byte) }}

var errChanged = errors.New("changed while it was read")

// fingerprintOf reads a file. Of what is no regular file the SHA256 is "".
func fingerprintOf(name string) (fingerprint, error) {
	path, member, info, err := input.Split(name)
	if name == "-" || err != nil || !info.Mode().IsRegular() {
		return fingerprint{}, nil // what is wrong with it, opening it will tell
	}
	f, err := os.Open(path)
	if err != nil {
		return fingerprint{}, fmt.Errorf("%s: %w", name, input.Plain(err))
	}
	defer f.Close()
	sum := sha256.New()
	buffer := buffers.Get().(*[1 << 16]byte)
	defer buffers.Put(buffer)
	n, err := io.CopyBuffer(sum, struct{ io.Reader }{f}, buffer[:]) // without f's WriteTo, which takes a buffer of its own
	if err != nil {
		return fingerprint{}, fmt.Errorf("%s: %w", name, input.Plain(err))
	}
	if member != "" {
		sum.Write([]byte("#" + member)) // an array of an archive is another input than its neighbour
	}
	return fingerprint{content{n, hex.EncodeToString(sum.Sum(nil))}, info}, nil
}

// Hash returns the SHA-256 of a file, or of an array in an archive and the whole
// archive; "" for what is no regular file.
func Hash(name string) (string, error) {
	is, err := fingerprintOf(name)
	return is.SHA256, err
}

// unchanged returns an error if the file was touched since its fingerprint was
// taken: then what was decoded may not be what the fingerprint says.
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
