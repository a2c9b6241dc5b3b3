package input

import (
	"errors"
	"io"
)

// pieceSize is the size of a piece in bytes.
const pieceSize = 1 << 16

var errLong = errors.New("the stream is longer than the limit")

// pieces holds a stream in memory, in pieces of equal size except the last. One
// growing slice would need more than twice the memory.
type pieces struct {
	list [][]byte
	size int64
}

// fill reads a stream to its end. It returns errLong for more than most bytes.
func (p *pieces) fill(r io.Reader, most int64) error {
	for {
		piece := make([]byte, pieceSize)
		n, err := io.ReadFull(r, piece)
		p.list = append(p.list, piece[:n])
		p.size += int64(n)
		switch {
		case p.size > most:
			return errLong
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// ReadAt implements io.ReaderAt.
func (p *pieces) ReadAt(dst []byte, at int64) (n int, err error) {
	if at < 0 {
		return 0, errors.New("negative offset")
	}
	for n < len(dst) {
		if at >= p.size {
			return n, io.EOF
		}
		k := copy(dst[n:], p.list[at/pieceSize][at%pieceSize:])
		n, at = n+k, at+int64(k)
	}
	return n, nil
}
