package format

import (
	"io"
	"slices"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Format is a file format. It holds a picture, one array, an archive of arrays or
// a drawing: one of Picture, Array, Archive and Drawing is set.
type Format struct {
	Name  string   // in lower case, as messages have it
	Magic []string // beginnings of its files; ? stands for any byte

	// Looks reports whether a file that begins with head is of the format. It is for
	// formats without a Magic. head is shorter than HeadLength if the file is.
	Looks func(head []byte) bool

	// Extensions of its files' names, in lower case with the dot. Aliases are
	// other spellings of the first.
	Extensions, Aliases []string

	Picture *Picture
	Array   *Array
	Archive *Archive
	Drawing bool // made elsewhere, written as it is, never read
}

// Picture reads pictures, and writes them where Encoder is set.
type Picture struct {
	Open    func(*input.File, raster.Options) (raster.Header, raster.Decoder, error)
	Encoder *Encoder
}

// Encoder writes pictures of 1 to 4 channels: grey, grey with alpha, RGB, RGBA.
type Encoder struct {
	MaxSide  int    // the largest width and height that a file can state
	MaxBytes uint64 // the most bytes of samples; 0 for any number
	Deep     bool   // 16-bit samples, too

	// Channels returns how many channels a picture of n is written with: n, or two
	// more, with grey tripled. An error says why it cannot be written. Nil stands
	// for n.
	Channels func(n int, o Options) (int, error)

	// Check refuses a picture that the format cannot hold, and returns notes on
	// what writing it will change. Nil for a format that holds every picture.
	Check func(r *raster.Raster, o Options) ([]string, error)

	Write func(w io.Writer, r *raster.Raster, o Options) error

	// Follows says that Write waits for the rows of a picture that is still being
	// made, where it needs them; and that there is no Check.
	Follows bool

	// Memory returns the bytes that Write needs for a picture of so many pixels and
	// channels, of samples of so many bytes. Nil stands for a few rows.
	Memory func(pixels, channels, sample int) int
}

// WithoutGreyAlpha is Encoder.Channels of a format that has alpha for RGB alone.
func WithoutGreyAlpha(n int, _ Options) (int, error) {
	if n == 2 {
		return 4, nil
	}
	return n, nil
}

// Options says how a picture is written.
type Options struct {
	Extension string // of the file's name, in lower case
	Quality   int    // of lossy compression, 1 to 100; 0 for the format's own default
}

// Array reads and writes files of one array. Open reads a stream from the front.
type Array struct {
	Open  func(*input.File) (input.Array, error)
	Write func(io.Writer, *tensor.Tensor) error
}

// Archive reads archives of arrays, and writes them where Write is set.
type Archive struct {
	Members func(*input.File) ([]input.Member, error)
	Weights bool // of networks: they are no inputs

	Write  func(io.Writer, []Named) error
	Member string                   // the member that an output without a name becomes
	Fault  func(name string) string // what is wrong with a member's name, "" if nothing is
}

// Named is an array to be written into an archive.
type Named struct {
	Name   string
	Tensor *tensor.Tensor
}

// Written reports whether files of the format can be written.
func (f *Format) Written() bool {
	return f.Array != nil || f.Drawing || f.Encoder() != nil || f.Archive != nil && f.Archive.Write != nil
}

// Encoder returns what writes pictures in this format, nil if nothing does.
func (f *Format) Encoder() *Encoder {
	if f.Picture == nil {
		return nil
	}
	return f.Picture.Encoder
}

// IsInput reports whether files of the format are inputs of operations.
func (f *Format) IsInput() bool {
	return f.Picture != nil || f.Array != nil || f.Archive != nil && !f.Archive.Weights
}

// Has reports whether an extension, in lower case with the dot, is the format's.
func (f *Format) Has(extension string) bool {
	return slices.Contains(f.Extensions, extension) || slices.Contains(f.Aliases, extension)
}

// Read reports whether files of the format can be read.
func (f *Format) Read() bool { return len(f.Magic) > 0 || f.Looks != nil }

// HeadLength is how much of a file's beginning is looked at to recognise its
// format.
const HeadLength = 512

// Begins reports whether a file that begins with head is of the format.
func (f *Format) Begins(head []byte) bool {
	if f.Looks != nil && f.Looks(head) {
		return true
	}
	return slices.ContainsFunc(f.Magic, func(magic string) bool {
		if len(head) < len(magic) {
			return false
		}
		for i := range len(magic) {
			if magic[i] != '?' && magic[i] != head[i] {
				return false
			}
		}
		return true
	})
}

// List joins words: "a, b or c".
func List(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
