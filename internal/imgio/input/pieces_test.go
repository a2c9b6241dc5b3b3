package input

import (
	"bytes"
	"testing"
)

// TestPieces reads from any offset of a stream in pieces.
func TestPieces(t *testing.T) {
	for _, size := range []int{0, 1, pieceSize - 1, pieceSize, pieceSize + 1, 2*pieceSize + 7} {
		data := make([]byte, size)
		for i := range data {
			data[i] = byte(i * 31 >> 3)
		}
		var p pieces
		if err := p.fill(bytes.NewReader(data), int64(size)); err != nil || p.size != int64(size) {
			t.Fatalf("%d bytes: got %d, %v", size, p.size, err)
		}
		want := bytes.NewReader(data)
		for _, at := range []int64{0, 1, pieceSize - 3, pieceSize, int64(size) - 2, int64(size), int64(size) + 5} {
			if at < 0 {
				continue
			}
			a, b := make([]byte, 9), make([]byte, 9)
			n, err := p.ReadAt(a, at)
			m, errWant := want.ReadAt(b, at)
			if n != m || !bytes.Equal(a, b) || (err == nil) != (errWant == nil) {
				t.Errorf("%d bytes, at %d: got %d %v, want %d %v", size, at, n, err, m, errWant)
			}
		}
	}
}
