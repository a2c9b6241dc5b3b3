package imgio

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/input"
)

// trap is a file whose reading panics at some call.
type trap struct {
	io.ReaderAt
	calls, at int
}

func (f *trap) ReadAt(p []byte, off int64) (int, error) {
	if f.calls++; f.calls == f.at {
		panic(errors.New("boom"))
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestDecoderPanics makes every decoder panic at every read of its file, on whatever
// goroutine that is. The panic becomes an error of that file.
func TestDecoderPanics(t *testing.T) {
	for _, name := range append(pictures(t), arraysNPZ) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		member := ""
		if name == arraysNPZ {
			member = "i4-be-f-v1"
		}
		for at := 1; ; at++ {
			file := &trap{ReaderAt: bytes.NewReader(data), at: at}
			s, err := open(&input.File{Name: name, Content: file, Size: int64(len(data)), Close: func() error { return nil }}, member, Options{})
			if err == nil {
				_, err = s.Read()
			}
			if file.calls < at {
				if err != nil {
					t.Errorf("%s: without a panic: %v", name, err)
				}
				break
			}
			if err == nil || !strings.Contains(err.Error(), "internal error, please report it") {
				t.Errorf("%s: panic at reading %d: got %v", name, at, err)
			}
		}
	}
}

// TestEncoderPanics: a panic of one of the encoder's goroutines reaches the
// caller, and no file is left.
func TestEncoderPanics(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("got no panic")
			}
		}()
		torn := imgiotest.RandomPicture(1, 8, 600, 600, 3)
		torn.Data = torn.Data.([]uint8)[: 600*300*3 : 600*300*3] // less than its shape says
		_, _ = WriteAll([]Output{{Name: filepath.Join(dir, "a.npy"), Tensor: small}, {Name: filepath.Join(dir, "a.png"), Tensor: torn}}, WriteOptions{})
	}()
	if got := listing(t, dir); got != "" {
		t.Errorf("got files %q, want none", got)
	}
}
