package cli

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
)

// bomb is a stream that panics after a number of bytes.
type bomb struct {
	data  []byte
	after int
}

func (b *bomb) Read(p []byte) (int, error) {
	if b.after <= 0 {
		panic(errors.New("boom\nboom"))
	}
	n := copy(p[:min(len(p), b.after)], b.data)
	b.data, b.after = b.data[n:], b.after-n
	return n, nil
}

func (b *bomb) Write(p []byte) (int, error) {
	if b.after -= len(p); b.after < 0 {
		panic(errors.New("boom\nboom"))
	}
	return len(p), nil
}

// TestPanicsAreErrors lets a decoder, an encoder and a report panic: there is one
// line that says what to do about it, exit code 1, and no file.
func TestPanicsAreErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	big := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: tensor.Shape{1, 600, 600, 1}})
	if _, err := imgio.WriteAll([]imgio.Output{{Name: "x.npy", Tensor: big}, {Name: "x.png", Tensor: big}}, imgio.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	array, err := os.ReadFile("x.npy")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile("x.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, args string
		in         []byte
		reads      int // bytes until standard input panics
		writes     int // bytes until standard output panics
	}{
		{"header", "pool - --type max --window 2 -o y.npy", array, 40, 1 << 20},
		{"data", "pool - --type max --window 2 -o y.npy", array, 100_000, 1 << 20},
		{"picture", "pool - --type max --window 2 -o y.png", picture, len(picture) / 2, 1 << 20},
		{"output", "pool x.npy --type max --window 1 -o -", nil, 0, 1000},
		{"report", "inspect x.npy", nil, 0, 10},
	} {
		var notes bytes.Buffer
		code := Main(strings.Fields(c.args), Streams{In: &bomb{c.in, c.reads}, Out: &bomb{nil, c.writes}, Err: &notes})
		text := notes.String()
		if code != exitData || strings.Count(text, "\n") != 1 || !strings.Contains(text, "internal error, please report it") || strings.Contains(text, "goroutine") {
			t.Errorf("%s: exit code %d, %q, want 1 and one line that says what to send", c.name, code, text)
		}
		files, _ := os.ReadDir(".")
		if len(files) != 2 {
			t.Errorf("%s: left %v", c.name, files)
		}
	}
}

// TestBackgroundPanics: a panic in the background continues in the command.
func TestBackgroundPanics(t *testing.T) {
	wait := inBackground(func() error { panic("boom") })
	defer func() {
		if cause := recover(); cause != "boom" {
			t.Errorf("got %v, want the panic of the other goroutine", cause)
		}
	}()
	_ = wait() // panics
}
