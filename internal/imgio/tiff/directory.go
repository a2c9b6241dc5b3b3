package tiff

import (
	"encoding/binary"
	"fmt"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// The tags that are read or written here.
const (
	tagWidth           = 256
	tagLength          = 257
	tagBitsPerSample   = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagStripOffsets    = 273
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripByteCounts = 279
	tagPlanar          = 284
	tagT4Options       = 292
	tagPredictor       = 317
	tagColorMap        = 320
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileByteCounts  = 325
	tagExtraSamples    = 338
	tagSampleFormat    = 339
)

// The types of a field's values.
const (
	typeByte  = 1
	typeShort = 3
	typeLong  = 4
)

// directory is the first directory of a file. Reading a field may fail; err keeps the
// first failure.
type directory struct {
	in     *input.File
	order  binary.ByteOrder
	fields map[uint16][]byte // type, count, and value or offset, 10 bytes, by tag
	err    error
}

// readDirectory reads a file's first directory. Where a tag occurs twice, the first
// one counts, as in libtiff.
func readDirectory(in *input.File) (*directory, error) {
	d := &directory{in: in, order: binary.LittleEndian, fields: map[uint16][]byte{}}
	head, err := d.bytes(0, 8)
	if err != nil {
		return nil, err
	}
	if head[0] == 'M' {
		d.order = binary.BigEndian
	}
	at := int64(d.order.Uint32(head[4:]))
	number, err := d.bytes(at, 2)
	if err != nil {
		return nil, err
	}
	entries, err := d.bytes(at+2, 12*int64(d.order.Uint16(number)))
	if err != nil {
		return nil, err
	}
	for ; len(entries) > 0; entries = entries[12:] {
		if tag := d.order.Uint16(entries); d.fields[tag] == nil {
			d.fields[tag] = entries[2:12]
		}
	}
	return d, nil
}

// bytes returns n bytes of the file. It allocates nothing where the file is shorter.
func (d *directory) bytes(at, n int64) ([]byte, error) {
	if at+n > d.in.Size {
		return nil, input.ErrCut
	}
	b := make([]byte, n)
	_, err := d.in.Section().ReadAt(b, at)
	if n == 0 {
		err = nil // a reader may report the end of the file
	}
	return b, input.Unexpected(err)
}

// count returns how many values a field has, 0 for one that is missing.
func (d *directory) count(tag uint16) int {
	if f := d.fields[tag]; f != nil {
		return int(d.order.Uint32(f[2:]))
	}
	return 0
}

// values returns the first values of a field, at most so many.
func (d *directory) values(tag uint16, most int) []uint32 {
	n := min(d.count(tag), most)
	if n == 0 || d.err != nil {
		return nil
	}
	f := d.fields[tag]
	sizes := map[uint16]int{typeByte: 1, typeShort: 2, typeLong: 4}
	size := sizes[d.order.Uint16(f)]
	if size == 0 {
		d.err = fmt.Errorf("tag %d: got type %d, want BYTE, SHORT or LONG", tag, d.order.Uint16(f))
		return nil
	}
	raw := f[6:]
	if size*d.count(tag) > len(raw) {
		if raw, d.err = d.bytes(int64(d.order.Uint32(raw)), int64(size*n)); d.err != nil {
			d.err = fmt.Errorf("tag %d: %w", tag, d.err)
			return nil
		}
	}
	values := make([]uint32, n)
	for i := range values {
		switch size {
		case 1:
			values[i] = uint32(raw[i])
		case 2:
			values[i] = uint32(d.order.Uint16(raw[2*i:]))
		case 4:
			values[i] = d.order.Uint32(raw[4*i:])
		}
	}
	return values
}

// number returns the first value of a field, or the other value where it is missing.
func (d *directory) number(tag uint16, otherwise int) int {
	if v := d.values(tag, 1); len(v) > 0 {
		return int(v[0])
	}
	return otherwise
}
