package webp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Flags of a VP8X chunk.
const (
	flagAnimation = 1 << 1
	flagEXIF      = 1 << 3
	flagAlpha     = 1 << 4
)

// container is what the chunks of a file say, as the WebP Container Specification
// describes them.
type container struct {
	in          *input.File
	flags       byte        // of VP8X
	canvas      image.Point // of VP8X: the size
	animated    bool
	alpha       bool // of the picture, or of an animation's first frame
	orientation int

	// Of an animation's first frame: where it lies on the canvas, and where its
	// chunks are in the file.
	frame      image.Rectangle
	start, end int64
}

// readContainer reads all chunks but the compressed pixels.
func readContainer(in *input.File) (*container, error) {
	s := input.NewSkipper(in)
	var riff [12]byte
	if _, err := io.ReadFull(s, riff[:]); err != nil {
		return nil, input.Unexpected(err)
	}
	if stated := int64(binary.LittleEndian.Uint32(riff[4:])) + 8; stated > in.Size {
		return nil, fmt.Errorf("got %d of %d bytes, the file is cut", in.Size, stated)
	}
	f := &container{in: in}
	at := int64(len(riff))
	for first := true; ; first = false {
		kind, n, err := nextChunk(s)
		if err != nil {
			break // the decoder reports a picture that is missing
		}
		at += 8
		used, err := f.chunk(s, kind, n, at, first)
		if err != nil {
			return nil, err
		}
		next := at + n + n&1
		if err := s.Skip(next - at - used); err != nil {
			return nil, err
		}
		at = next
	}
	if f.animated && f.end == 0 {
		return nil, errors.New("the animation has no frame")
	}
	return f, nil
}

// nextChunk reads the head of a chunk.
func nextChunk(s *input.Skipper) (kind string, n int64, err error) {
	var head [8]byte
	_, err = io.ReadFull(s, head[:])
	return string(head[:4]), int64(binary.LittleEndian.Uint32(head[4:])), err
}

// chunk reads what matters of a chunk, and returns how many bytes that were.
func (f *container) chunk(s *input.Skipper, kind string, n, at int64, first bool) (used int64, err error) {
	var b [16]byte
	read := func(size int64) []byte {
		if err == nil && n >= size {
			used = size
			_, err = io.ReadFull(s, b[:size])
			err = input.Unexpected(err)
		}
		return b[:]
	}
	switch {
	case kind == "VP8X" && first:
		b := read(10)
		f.flags, f.canvas = b[0], image.Pt(1+uint24(b[4:]), 1+uint24(b[7:]))
		f.animated = f.flags&flagAnimation != 0
		f.alpha = !f.animated && f.flags&flagAlpha != 0
	case kind == "VP8L" && first:
		f.alpha = read(5)[4]&0x10 != 0
	case kind == "ANMF" && f.animated && f.end == 0:
		b := read(16)
		x, y := 2*uint24(b[0:]), 2*uint24(b[3:])
		f.frame = image.Rect(x, y, x+1+uint24(b[6:]), y+1+uint24(b[9:]))
		f.start, f.end = at+16, at+n
		if err == nil && (n < 16 || f.end > f.in.Size) {
			return 0, input.ErrCut
		}
		if err == nil {
			err = f.frameAlpha()
		}
	case kind == "EXIF" && f.flags&flagEXIF != 0 && f.orientation == 0:
		data := make([]byte, min(n, 1<<16, max(0, f.in.Size-at)))
		used = int64(len(data))
		if _, err := io.ReadFull(s, data); err != nil {
			return 0, input.Unexpected(err)
		}
		f.orientation = raster.Orientation(data)
	}
	return used, err
}

// frameAlpha finds out whether the first frame has alpha: in a chunk of its own, or
// in its lossless picture.
func (f *container) frameAlpha() error {
	s := input.NewSkipper(f.in)
	if err := s.Skip(f.start); err != nil {
		return err
	}
	kind, _, err := nextChunk(s)
	if err != nil {
		return input.Unexpected(err)
	}
	switch kind {
	case "ALPH":
		f.alpha = true
	case "VP8L":
		var head [5]byte
		if _, err := io.ReadFull(s, head[:]); err != nil {
			return input.Unexpected(err)
		}
		f.alpha = head[4]&0x10 != 0
	}
	return nil
}

// picture returns a file of one picture: the whole file, or one made of an
// animation's first frame.
func (f *container) picture() io.Reader {
	if !f.animated {
		return f.in.Section()
	}
	flags := byte(0)
	if f.alpha {
		flags = flagAlpha
	}
	n := f.end - f.start
	head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(4+8+10+n))
	head = append(head, "WEBPVP8X\x0a\x00\x00\x00"...)
	head = append(head, flags, 0, 0, 0)
	head = append24(head, f.frame.Dx()-1)
	head = append24(head, f.frame.Dy()-1)
	return io.MultiReader(bytes.NewReader(head), io.NewSectionReader(f.in.Content, f.start, n))
}

// compressed returns how many bytes the picture has at most.
func (f *container) compressed() int {
	if f.animated {
		return int(f.end - f.start)
	}
	return int(f.in.Size)
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func append24(b []byte, v int) []byte { return append(b, byte(v), byte(v>>8), byte(v>>16)) }
