package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/jpeg"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Meanings of a pixel's samples.
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgb         = 2
	palette     = 3
	cmyk        = 5
	luma        = 6 // YCbCr
	cieLab      = 8
	iccLab      = 9
	ituLab      = 10
)

// Meanings of the sample after a pixel's colour.
const (
	unspecified     = 0
	associatedAlpha = 1 // the colour is multiplied by it
	straightAlpha   = 2
)

// picture is what a directory says about its picture. The picture is divided into
// blocks, which are strips or tiles.
type picture struct {
	in            *input.File
	order         binary.ByteOrder
	width, height int
	bits, samples int // bits per sample, samples per pixel
	photometric   int
	dtype         tensor.DType // of the samples
	colour        int          // how many samples are the colour's
	associated    bool         // the sample after the colour multiplied it
	planes        int          // 1, or samples where each has a plane of its own
	compression   int
	predictor     int          // 2: differences from the pixel on the left, 3: their bytes, apart
	faxOptions    int          // the field T4Options
	tables        *jpeg.Tables // of JPEG streams; nil for none
	conversion    *ycbcr       // of YCbCr
	reversed      bool         // the first bit of a byte is its least significant one
	colours       [][3]uint8   // of a palette

	tiled                   bool
	blockWidth, blockHeight int
	across, down            int      // numbers of blocks
	offsets, counts         []uint64 // bytes of each block in the file
}

// Open reads the header of the first picture in a TIFF: grey, RGB and Lab of integers
// and floats, palettes, and CMYK, which becomes RGB. Associated alpha of unsigned
// integers of up to 16 bits is divided out.
func Open(in *input.File, o raster.Options) (raster.Header, raster.Decoder, error) {
	d, err := readDirectory(in)
	if err != nil {
		return raster.Header{}, nil, err
	}
	p := &picture{in: in, order: d.order, width: d.number(tagWidth, 0), height: d.number(tagLength, 0)}
	for _, check := range []func() error{
		func() error { return o.Check(p.width, p.height) },
		func() error { return p.readSamples(d) },
		func() error { return p.readCompression(d) },
		func() error { return p.readBlocks(d) },
	} {
		err := check()
		if d.err != nil { // the value that was checked could not be read
			err = d.err
		}
		if err != nil {
			return raster.Header{}, nil, err
		}
	}
	info := raster.Header{
		Width: p.width, Height: p.height, Channels: p.channels(), Depth: 8 * p.dtype.Size(), DType: p.dtype,
		Orientation: d.orientation(),
	}
	// A decoder holds a row, and of fax a byte for each pixel of two rows; then
	// what decompression needs.
	decoder := p.planes*(p.rowBytes()+1<<17) + p.blockWidth*p.samples*p.dtype.Size()
	if p.compression == faxRows || p.compression == group3 || p.compression == group4 {
		decoder += 4 * 8 * p.blockWidth // changes of colour in two rows, as slices grow
	}
	decoder += p.planes * p.wholeBytes()
	info.Decoding = 3*8*len(p.offsets) + min(p.down, runtime.GOMAXPROCS(0))*decoder
	return info, p.decode, nil
}

// readPalette reads the colours, of which 8 of 16 bits count.
func (p *picture) readPalette(d *directory) error {
	n := d.count(tagColorMap) / 3
	if n == 0 || n > 256 || n*3 != d.count(tagColorMap) {
		return fmt.Errorf("got a colour map of %d values, want 3 for each of 1 to 256 colours", d.count(tagColorMap))
	}
	values := d.values(tagColorMap, 3*n)
	if d.err != nil {
		return d.err
	}
	p.colours = make([][3]uint8, n)
	for i := range p.colours {
		for c := range 3 {
			p.colours[i][c] = uint8(values[c*n+i] >> 8)
		}
	}
	return nil
}

// readBlocks reads and checks where the strips or tiles are.
func (p *picture) readBlocks(d *directory) error {
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripByteCounts)
	p.blockWidth, p.blockHeight = p.width, d.number(tagRowsPerStrip, math.MaxInt32)
	if p.blockHeight == 0 {
		return errors.New("got 0 rows per strip, want >= 1")
	}
	p.blockHeight = min(p.blockHeight, p.height)
	if width := d.number(tagTileWidth, 0); width != 0 {
		p.tiled, offsets, counts = true, tagTileOffsets, tagTileByteCounts
		p.blockWidth, p.blockHeight = width, d.number(tagTileLength, 0)
		// Tiles may be larger than a small picture. The bounds are there for what
		// one row of a tile needs, and for the number of tiles.
		if p.blockWidth < 8 || p.blockHeight < 8 || p.blockWidth > max(1024, p.width+16) || p.blockHeight > max(1024, p.height+16) {
			return fmt.Errorf("got tiles of %dx%d in a picture of %dx%d, want 8 to 1024 or the picture's size",
				p.blockWidth, p.blockHeight, p.width, p.height)
		}
	}
	p.across, p.down = (p.width+p.blockWidth-1)/p.blockWidth, (p.height+p.blockHeight-1)/p.blockHeight
	n := p.across * p.down * p.planes
	if got := min(d.count(offsets), d.count(counts)); got < n {
		return fmt.Errorf("got the offsets and sizes of %d strips or tiles, want %d", got, n)
	}
	p.offsets, p.counts = d.values(offsets, n), d.values(counts, n)
	if d.err != nil {
		return d.err
	}
	for i := range n {
		least := int64(1)
		if p.compression == uncompressed {
			least = int64(p.blockBytes(min(p.blockHeight, p.height-i/p.across%p.down*p.blockHeight)))
		}
		if at := int64(min(p.offsets[i], math.MaxInt64)); min(int64(min(p.counts[i], math.MaxInt64)), d.in.Size-at) < least {
			return fmt.Errorf("strip or tile %d: got %d bytes at %d in a file of %d, want %d or more: %w",
				i, p.counts[i], at, d.in.Size, least, input.ErrCut)
		}
	}
	return nil
}

// rowBytes returns the bytes of one row of a block, of one plane.
func (p *picture) rowBytes() int { return (p.blockWidth*(p.samples/p.planes)*p.bits + 7) / 8 }

// blockBytes returns the bytes of so many rows of a block, of one plane.
func (p *picture) blockBytes(rows int) int {
	if p.subsampled() {
		return (rows + p.conversion.down - 1) / p.conversion.down * p.conversion.unitBytes(p.blockWidth)
	}
	return rows * p.rowBytes()
}

// subsampled reports whether blocks consist of data units of YCbCr.
func (p *picture) subsampled() bool {
	return p.conversion != nil && p.compression != jpegStream && p.conversion.across*p.conversion.down > 1
}

// decode reads the blocks into a tensor of the samples' type.
func (p *picture) decode(t *tensor.Tensor, told *tensor.Progress) error {
	switch size := p.dtype.Size(); size {
	case 1:
		return decodeBlocks(p, tensor.BitsOf[uint8](t), p.finish8, told)
	case 2:
		return decodeBlocks(p, tensor.BitsOf[uint16](t), p.finish16, told)
	case 4:
		return decodeBlocks(p, tensor.BitsOf[uint32](t), finishWide[uint32](p), told)
	case 8:
		return decodeBlocks(p, tensor.BitsOf[uint64](t), finishWide[uint64](p), told)
	default:
		return fmt.Errorf("got samples of %d bytes, want 1, 2, 4 or 8", size)
	}
}

// decodeBlocks reads the blocks, a row of them on each goroutine. Of several errors it
// returns that of the first block.
func decodeBlocks[U word](p *picture, out []U, finish finisher[U], told *tensor.Progress) error {
	var mu sync.Mutex
	var fault error
	good := p.down // rows of blocks before the first bad one
	intact := func(row int) bool {
		mu.Lock()
		defer mu.Unlock()
		return row < good
	}
	work := func(lo, _ int) {
		for i := 0; i < p.across && intact(lo); i++ {
			err := readBlock(p, out, finish, lo, i)
			mu.Lock()
			if err != nil && lo < good {
				fault, good = err, lo
			}
			mu.Unlock()
		}
	}
	raster.Bands(p.down, 1, raster.InOrder(work, func(hi int) {
		if intact(hi - 1) {
			told.Reach(min(p.height, hi*p.blockHeight) * p.width * p.channels())
		}
	}))
	return fault
}
