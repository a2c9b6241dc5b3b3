package tiff

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zlib"
	"github.com/poolctl/poolctl/internal/imgio/jpeg"
	"github.com/poolctl/poolctl/internal/tensor"
	"golang.org/x/image/tiff/lzw"
)

// Compressions.
const (
	uncompressed = 1
	faxRows      = 2 // rows of CCITT group 3 without end-of-line codes
	group3       = 3
	group4       = 4
	lzwCodes     = 5
	jpegStream   = 7
	deflate      = 8
	oldDeflate   = 32946
	packBits     = 32773
	zstandard    = 50000
)

func isDeflate(compression int) bool { return compression == deflate || compression == oldDeflate }

// readCompression reads and checks how blocks are compressed.
func (p *picture) readCompression(d *directory) error {
	p.compression = d.number(tagCompression, uncompressed)
	switch p.compression {
	case 0: // some programs write it for none
		p.compression = uncompressed
	case uncompressed, packBits:
	case lzwCodes, deflate, oldDeflate, zstandard: // other compressions have no predictor
		switch predictor := d.number(tagPredictor, 1); {
		case predictor == 2 && p.bits != 8*p.dtype.Size():
			return fmt.Errorf("got predictor 2 with %d bits per sample, want 8, 16, 32 or 64", p.bits)
		case predictor == 3 && !p.dtype.IsFloat():
			return fmt.Errorf("got predictor 3 with samples of %s, want floating point", p.dtype)
		case predictor != 1 && p.subsampled():
			return fmt.Errorf("got predictor %d with subsampled YCbCr, want 1", predictor)
		case predictor < 1 || predictor > 3:
			return fmt.Errorf("got predictor %d, want 1 to 3", predictor)
		default:
			p.predictor = predictor
		}
	case jpegStream:
		if p.bits != 8 || p.dtype != tensor.Uint8 || p.photometric == palette {
			return fmt.Errorf("got JPEG compression of %s and %d bits with photometric interpretation %d, want unsigned integers of 8 bits and no palette", p.dtype, p.bits, p.photometric)
		}
		if n := d.count(tagJPEGTables); n > 0 {
			if n > 1<<16 {
				return fmt.Errorf("got JPEG tables of %d bytes, want at most 65536", n)
			}
			stream := make([]byte, 0, n)
			for _, v := range d.values(tagJPEGTables, n) {
				stream = append(stream, byte(v))
			}
			if d.err != nil {
				return d.err
			}
			var err error
			if p.tables, err = jpeg.ReadTables(stream); err != nil {
				return fmt.Errorf("JPEG tables: %w", err)
			}
		}
	case faxRows, group3, group4:
		if p.bits != 1 || p.samples != 1 || p.photometric == palette {
			return fmt.Errorf("got %d bits per sample and photometric interpretation %d, want 1 bit of grey for CCITT compression", p.bits, p.photometric)
		}
		if p.faxOptions = d.number(tagT4Options, 0); p.compression == group3 && p.faxOptions&^(twoDimensional|uncompressedMode|fillBits) != 0 {
			return fmt.Errorf("got T4Options %d, want bits 0 to 2 alone", p.faxOptions)
		}
	default:
		names := map[int]string{6: " (old-style JPEG)", 32771: " (CCITT by words)", 34712: " (JPEG 2000)", 34887: " (LERC)", 34925: " (LZMA)", 50001: " (WebP)"}
		return fmt.Errorf("got compression %d%s, want none, CCITT, LZW, JPEG, deflate, PackBits or Zstandard", p.compression, names[p.compression])
	}
	switch order := d.number(tagFillOrder, 1); order {
	case 1, 2:
		p.reversed = order == 2
	default:
		return fmt.Errorf("got fill order %d, want 1 or 2", order)
	}
	return nil
}

// decompress returns a reader of a block's rows, each a whole number of bytes.
func (p *picture) decompress(offset, count int64) (io.Reader, error) {
	if p.compression == jpegStream {
		return p.decompressJPEG(offset, count)
	}
	r, err := p.unpressed(offset, count)
	if err == nil && p.subsampled() {
		unit := p.conversion.unitBytes(p.blockWidth)
		r = &spread{r: r, c: p.conversion, width: p.blockWidth, units: make([]byte, unit), rows: make([]byte, 3*p.blockWidth*p.conversion.down)}
	}
	return r, err
}

// unpressed returns a reader of a block's bytes as they were before compression.
func (p *picture) unpressed(offset, count int64) (io.Reader, error) {
	if p.compression == zstandard {
		return p.decompressZstandard(offset, count)
	}
	r := p.section(offset, count)
	switch p.compression {
	case uncompressed:
		return r, nil
	case faxRows, group3, group4:
		return newFax(r, p.compression, p.faxOptions, p.blockWidth), nil
	case lzwCodes:
		return lzw.NewReader(r, lzw.MSB, 8), nil
	case deflate, oldDeflate:
		return zlib.NewReader(r)
	case packBits:
		return &packedBits{r: r}, nil
	}
	return nil, fmt.Errorf("got compression %d, want one that readCompression admits", p.compression)
}

// reversed exchanges the first and the last bits of each byte.
type reversed struct{ io.Reader }

func (r reversed) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	for i, v := range b[:n] {
		b[i] = bits.Reverse8(v)
	}
	return n, err
}

// packedBits decompresses PackBits: TIFF 6.0, section 9.
type packedBits struct {
	r      *bufio.Reader
	copied int  // bytes to come from r
	filled int  // bytes to come that are value
	value  byte // repeated
}

func (p *packedBits) Read(b []byte) (int, error) {
	for p.copied == 0 && p.filled == 0 {
		code, err := p.r.ReadByte()
		if err != nil {
			return 0, err
		}
		switch n := int(int8(code)); {
		case n >= 0:
			p.copied = n + 1
		case n > -128: // -128 stands for nothing
			p.filled = 1 - n
			if p.value, err = p.r.ReadByte(); err != nil {
				return 0, err
			}
		}
	}
	if p.copied > 0 {
		n, err := p.r.Read(b[:min(len(b), p.copied)])
		p.copied -= n
		return n, err
	}
	n := min(len(b), p.filled)
	for i := range n {
		b[i] = p.value
	}
	p.filled -= n
	return n, nil
}
