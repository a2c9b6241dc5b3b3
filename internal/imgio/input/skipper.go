package input

import (
	"bufio"
	"io"
)

// Skipper reads a file from the front and jumps over parts of it without reading
// them.
type Skipper struct {
	*bufio.Reader
	section *io.SectionReader
}

// NewSkipper returns a Skipper at the beginning of a file that has random access.
func NewSkipper(f *File) *Skipper {
	s := f.Section()
	return &Skipper{bufio.NewReaderSize(s, 512), s}
}

// Skip jumps over n bytes. Past the end of the file, the next read returns io.EOF.
func (s *Skipper) Skip(n int64) error {
	if n <= int64(s.Buffered()) {
		_, err := s.Discard(int(n))
		return err
	}
	if _, err := s.section.Seek(n-int64(s.Buffered()), io.SeekCurrent); err != nil {
		return err
	}
	s.Reset(s.section)
	return nil
}
