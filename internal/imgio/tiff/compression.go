package tiff

import (
	"bufio"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/zlib"
	"golang.org/x/image/tiff/lzw"
)

// Compressions.
const (
	uncompressed = 1
	faxRows      = 2 // rows of CCITT group 3 without end-of-line codes
	group3       = 3
	group4       = 4
	lzwCodes     = 5
	deflate      = 8
	oldDeflate   = 32946
	packBits     = 32773
)

func isDeflate(compression int) bool { return compression == deflate || compression == oldDeflate }

// readCompression reads and checks how blocks are compressed.
func (p *picture) readCompression(d *directory) error {
	p.compression = d.number(tagCompression, uncompressed)
	switch p.compression {
	case 0: // some programs write it for none
		p.compression = uncompressed
	case uncompressed, packBits:
	case lzwCodes, deflate, oldDeflate: // other compressions have no predictor
		switch predictor := d.number(tagPredictor, 1); {
		case predictor == 2 && p.bits != 8*p.dtype.Size():
			return fmt.Errorf("got predictor 2 with %d bits per sample, want 8, 16, 32 or 64", p.bits)
		case predictor == 3 && !p.dtype.IsFloat():
			return fmt.Errorf("got predictor 3 with samples of %s, want floating point", p.dtype)
		case predictor < 1 || predictor > 3:
			return fmt.Errorf("got predictor %d, want 1 to 3", predictor)
		default:
			p.predictor = predictor
		}
	case faxRows, group3, group4:
		if p.bits != 1 || p.samples != 1 || p.photometric == palette {
			return fmt.Errorf("got %d bits per sample and photometric interpretation %d, want 1 bit of grey for CCITT compression", p.bits, p.photometric)
		}
		if p.faxOptions = d.number(tagT4Options, 0); p.compression == group3 && p.faxOptions&^(twoDimensional|uncompressedMode|fillBits) != 0 {
			return fmt.Errorf("got T4Options %d, want bits 0 to 2 alone", p.faxOptions)
		}
	default:
		names := map[int]string{6: " (old-style JPEG)", 7: " (JPEG)", 32771: " (CCITT by words)", 34712: " (JPEG 2000)", 34887: " (LERC)", 34925: " (LZMA)", 50000: " (Zstandard)", 50001: " (WebP)"}
		return fmt.Errorf("got compression %d%s, want none, CCITT, LZW, deflate or PackBits", p.compression, names[p.compression])
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
