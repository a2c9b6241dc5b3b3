package tiff

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// The tags that are read or written here.
const (
	tagWidth               = 256
	tagLength              = 257
	tagBitsPerSample       = 258
	tagCompression         = 259
	tagPhotometric         = 262
	tagFillOrder           = 266
	tagStripOffsets        = 273
	tagOrientation         = 274
	tagSamplesPerPixel     = 277
	tagRowsPerStrip        = 278
	tagStripByteCounts     = 279
	tagPlanar              = 284
	tagT4Options           = 292
	tagPredictor           = 317
	tagColorMap            = 320
	tagTileWidth           = 322
	tagTileLength          = 323
	tagTileOffsets         = 324
	tagTileByteCounts      = 325
	tagInkSet              = 332
	tagJPEGTables          = 347
	tagYCbCrCoefficients   = 529
	tagYCbCrSubsampling    = 530
	tagReferenceBlackWhite = 532
	tagExtraSamples        = 338
	tagSampleFormat        = 339
)

// The types of a field's values.
const (
	typeByte      = 1
	typeShort     = 3
	typeLong      = 4
	typeRational  = 5  // two LONGs
	typeUndefined = 7  // bytes
	typeLong8     = 16 // of BigTIFF
)

// directory is the first directory of a file. Reading a field may fail; err keeps the
// first failure.
type directory struct {
	in     *input.File
	order  binary.ByteOrder
	fields map[uint16]stored // by tag
	err    error
}

// stored is a field of a directory. The value holds the field's values if they fit
// into it, else their offset.
type stored struct {
	kind  uint16
	count uint64
	value []byte
}

// readDirectory reads a file's first directory. Where a tag occurs twice, the first
// one counts, as in libtiff.
func readDirectory(in *input.File) (*directory, error) {
	d := &directory{in: in, order: binary.LittleEndian, fields: map[uint16]stored{}}
	head, err := d.bytes(0, 8)
	if err != nil {
		return nil, err
	}
	if head[0] == 'M' {
		d.order = binary.BigEndian
	}
	if d.order.Uint16(head[2:]) == bigTIFF {
		return d, d.readBig()
	}
	at := uint64(d.order.Uint32(head[4:]))
	number, err := d.bytes(at, 2)
	if err != nil {
		return nil, err
	}
	entries, err := d.bytes(at+2, 12*uint64(d.order.Uint16(number)))
	if err != nil {
		return nil, err
	}
	for ; len(entries) > 0; entries = entries[12:] {
		d.add(entries, uint64(d.order.Uint32(entries[4:])), entries[8:12])
	}
	return d, nil
}

// bigTIFF is the version of files whose offsets have 64 bits.
const bigTIFF = 43

// readBig reads the first directory of a BigTIFF.
func (d *directory) readBig() error {
	head, err := d.bytes(4, 12)
	if err != nil {
		return err
	}
	if size := d.order.Uint16(head); size != 8 {
		return fmt.Errorf("got offsets of %d bytes in a BigTIFF, want 8", size)
	}
	at := d.order.Uint64(head[4:])
	number, err := d.bytes(at, 8)
	if err != nil {
		return err
	}
	n := d.order.Uint64(number)
	if n > 1<<16 {
		return fmt.Errorf("got a directory of %d fields, want at most 65536", n)
	}
	entries, err := d.bytes(at+8, 20*n)
	if err != nil {
		return err
	}
	for ; len(entries) > 0; entries = entries[20:] {
		d.add(entries, d.order.Uint64(entries[4:]), entries[12:20])
	}
	return nil
}

// add keeps a field, unless its tag occurred before.
func (d *directory) add(e []byte, count uint64, value []byte) {
	tag := d.order.Uint16(e)
	if _, has := d.fields[tag]; !has {
		d.fields[tag] = stored{d.order.Uint16(e[2:]), count, value}
	}
}

// offset returns the offset that a field's value is.
func (d *directory) offset(value []byte) uint64 {
	if len(value) == 8 {
		return d.order.Uint64(value)
	}
	return uint64(d.order.Uint32(value))
}

// bytes returns n bytes of the file. It allocates nothing where the file is shorter.
func (d *directory) bytes(at, n uint64) ([]byte, error) {
	if size := uint64(d.in.Size); at > size || n > size-at {
		return nil, input.ErrCut
	}
	b := make([]byte, n)
	_, err := d.in.Section().ReadAt(b, int64(at))
	if n == 0 {
		err = nil // a reader may report the end of the file
	}
	return b, input.Unexpected(err)
}

// count returns how many values a field has, 0 for one that is missing.
func (d *directory) count(tag uint16) int {
	return int(min(d.fields[tag].count, math.MaxInt32))
}

// values returns the first values of a field, at most so many.
func (d *directory) values(tag uint16, most int) []uint64 {
	n := min(d.count(tag), most)
	if n == 0 || d.err != nil {
		return nil
	}
	f := d.fields[tag]
	sizes := map[uint16]int{typeByte: 1, typeUndefined: 1, typeShort: 2, typeLong: 4, typeLong8: 8}
	size := sizes[f.kind]
	if size == 0 {
		d.err = fmt.Errorf("tag %d: got type %d, want BYTE, SHORT, LONG or LONG8", tag, f.kind)
		return nil
	}
	raw := f.value
	if f.count > uint64(len(raw)/size) {
		if raw, d.err = d.bytes(d.offset(raw), uint64(size)*uint64(n)); d.err != nil {
			d.err = fmt.Errorf("tag %d: %w", tag, d.err)
			return nil
		}
	}
	values := make([]uint64, n)
	for i := range values {
		switch size {
		case 1:
			values[i] = uint64(raw[i])
		case 2:
			values[i] = uint64(d.order.Uint16(raw[2*i:]))
		case 4:
			values[i] = uint64(d.order.Uint32(raw[4*i:]))
		case 8:
			values[i] = d.order.Uint64(raw[8*i:])
		}
	}
	return values
}

// floats returns as many values of a field as the other ones have, or those where
// the field is missing or shorter.
func (d *directory) floats(tag uint16, otherwise []float32) []float32 {
	n := len(otherwise)
	if d.count(tag) < n || d.err != nil {
		return otherwise
	}
	values := make([]float32, n)
	f := d.fields[tag]
	if f.kind != typeRational {
		whole := d.values(tag, n)
		if d.err != nil {
			return otherwise
		}
		for i, v := range whole {
			values[i] = float32(v)
		}
		return values
	}
	raw, err := d.bytes(d.offset(f.value), 8*uint64(n))
	if err != nil {
		d.err = fmt.Errorf("tag %d: %w", tag, err)
		return otherwise
	}
	for i := range values {
		if divisor := d.order.Uint32(raw[8*i+4:]); divisor != 0 {
			values[i] = float32(float64(d.order.Uint32(raw[8*i:])) / float64(divisor))
		}
	}
	return values
}

// number returns the first value of a field, or the other value where it is missing.
func (d *directory) number(tag uint16, otherwise int) int {
	if v := d.values(tag, 1); len(v) > 0 {
		return int(min(v[0], math.MaxInt32))
	}
	return otherwise
}
