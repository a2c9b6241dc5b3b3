package tiff

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/poolctl/poolctl/internal/imgio/input"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Meanings of a pixel's samples.
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgb         = 2
	palette     = 3
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
	extra         int // the meaning of the last sample, if it is none of the colour's
	compression   int
	predicted     bool       // samples are differences from the pixel on the left
	reversed      bool       // the first bit of a byte is its least significant one
	colours       [][3]uint8 // of a palette

	tiled                   bool
	blockWidth, blockHeight int
	across, down            int      // numbers of blocks
	offsets, counts         []uint32 // bytes of each block in the file
}

// Open reads the header of the first picture in a TIFF: grey of 1, 2, 4, 8 and 16 bits,
// palettes of up to 8, RGB of 8 and 16; grey and RGB may have one sample more. Associated
// alpha is divided out.
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
	info := raster.Header{Width: p.width, Height: p.height, Channels: p.samples, Depth: max(8, p.bits)}
	if p.photometric == palette {
		info.Channels = 3
	}
	// A decoder holds a row, and of fax a byte for each pixel of two rows; then
	// what decompression needs.
	decoder := p.rowBytes() + 2*p.blockWidth + 1<<17
	info.Decoding = 3*4*len(p.offsets) + min(p.down, runtime.GOMAXPROCS(0))*decoder
	return info, p.decode, nil
}

// readSamples reads and checks what a pixel consists of.
func (p *picture) readSamples(d *directory) error {
	p.photometric = d.number(tagPhotometric, whiteIsZero)
	p.bits, p.samples = d.number(tagBitsPerSample, 1), d.number(tagSamplesPerPixel, 1)
	colour, allowed, named := 1, []int{1, 2, 4, 8, 16}, "1, 2, 4, 8 or 16"
	switch p.photometric {
	case whiteIsZero, blackIsZero:
	case palette:
		allowed, named = []int{1, 2, 4, 8}, "1, 2, 4 or 8"
	case rgb:
		colour, allowed, named = 3, []int{8, 16}, "8 or 16"
	default:
		names := map[int]string{4: " (a mask)", 5: " (CMYK)", 6: " (YCbCr)", 8: " (CIE L*a*b*)", 9: " (ICC L*a*b*)", 10: " (ITU L*a*b*)"}
		return fmt.Errorf("got photometric interpretation %d%s, want grey, RGB or a palette", p.photometric, names[p.photometric])
	}
	most := colour + 1
	if p.photometric == palette {
		most = colour
	}
	if n := max(1, d.count(tagBitsPerSample)); n != p.samples {
		return fmt.Errorf("got %d samples per pixel and the bits of %d, want as many", p.samples, n)
	}
	if p.samples < colour || p.samples > most {
		return fmt.Errorf("got %d samples per pixel, want %d to %d with photometric interpretation %d", p.samples, colour, most, p.photometric)
	}
	for _, bits := range d.values(tagBitsPerSample, p.samples) {
		if int(bits) != p.bits {
			return fmt.Errorf("got samples of %d and of %d bits, want as many bits for each", p.bits, bits)
		}
	}
	if !slices.Contains(allowed, p.bits) || p.samples > 1 && p.bits < 8 {
		if p.samples > 1 {
			named = "8 or 16"
		}
		return fmt.Errorf("got %d bits per sample, want %s", p.bits, named)
	}
	for _, format := range d.values(tagSampleFormat, p.samples) {
		if format != 1 {
			names := map[uint32]string{2: " (signed integers)", 3: " (floating point)", 4: " (undefined)"}
			return fmt.Errorf("got sample format %d%s, want 1: unsigned integers", format, names[format])
		}
	}
	if planar := d.number(tagPlanar, 1); planar != 1 && p.samples > 1 {
		return fmt.Errorf("got planar configuration %d, want 1: one plane for each sample is not supported", planar)
	}
	if p.samples > colour {
		if p.extra = d.number(tagExtraSamples, unspecified); p.extra > straightAlpha {
			return fmt.Errorf("got extra sample %d, want 0 to 2", p.extra)
		}
	}
	if p.photometric == palette {
		return p.readPalette(d)
	}
	return nil
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
	n := p.across * p.down
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
			least = int64(min(p.blockHeight, p.height-i/p.across*p.blockHeight)) * int64(p.rowBytes())
		}
		if at := int64(p.offsets[i]); min(int64(p.counts[i]), d.in.Size-at) < least {
			return fmt.Errorf("strip or tile %d: got %d bytes at %d in a file of %d, want %d or more: %w",
				i, p.counts[i], at, d.in.Size, least, input.ErrCut)
		}
	}
	return nil
}

// rowBytes returns the bytes of one row of a block.
func (p *picture) rowBytes() int { return (p.blockWidth*p.samples*p.bits + 7) / 8 }

// decode reads the blocks, a row of them on each goroutine. Of several errors it
// returns that of the first block.
func (p *picture) decode(t *tensor.Tensor, told *tensor.Progress) error {
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
			err := p.readBlock(t, lo, i)
			mu.Lock()
			if err != nil && lo < good {
				fault, good = err, lo
			}
			mu.Unlock()
		}
	}
	raster.Bands(p.down, 1, raster.InOrder(work, func(hi int) {
		if intact(hi - 1) {
			told.Reach(min(p.height, hi*p.blockHeight) * p.width * t.Shape[3])
		}
	}))
	return fault
}
