package imgio

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestOrientation reads pictures of every format with an EXIF orientation. They are
// turned as Pillow turns them, or stay as they are stored with NoOrient.
func TestOrientation(t *testing.T) {
	const archive = "testdata/orientation.npz" // tools/fixtures/orientation.py made it
	members, err := List(archive, tensor.Invalid)
	if err != nil {
		t.Fatal(err)
	}
	folder, files := t.TempDir(), 0
	for _, m := range members {
		_, name, isFile := strings.Cut(m.Name, "@")
		if !isFile {
			continue
		}
		files++
		t.Run(m.Name, func(t *testing.T) {
			member := func(name string) *tensor.Tensor {
				array, _ := mustRead(t, archive+"#"+name, Options{})
				return array
			}
			path := filepath.Join(folder, m.Name)
			writeTo(t, path, tensor.Of[uint8](member(m.Name)))
			key := strings.TrimSuffix(name, filepath.Ext(name))
			upright, info := mustRead(t, path, Options{})
			imgiotest.SameBits(t, upright, member(key))
			stored, plain := mustRead(t, path, Options{NoOrient: true})
			imgiotest.SameBits(t, stored, member(key[:len(key)-1]+"1"))
			if n := key[len(key)-1]; ('2' <= n && n <= '8') != (info.Decoding > plain.Decoding) {
				t.Errorf("got %d bytes for decoding, and %d without turning", info.Decoding, plain.Decoding)
			}
		})
	}
	if files < 440 {
		t.Errorf("got %d files, want 440 or more", files)
	}
}
