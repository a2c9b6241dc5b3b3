package tiff

import (
	"bytes"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/poolctl/poolctl/internal/imgio/input"
)

// whole reports whether blocks are decompressed as a whole, not row by row.
func (p *picture) whole() bool { return p.compression == jpegStream || p.compression == zstandard }

// wholeBytes returns roughly the memory that decompressing such a block takes.
func (p *picture) wholeBytes() int {
	if !p.whole() {
		return 0
	}
	most := uint64(0)
	for _, n := range p.counts {
		most = max(most, min(n, uint64(p.in.Size)))
	}
	samples := p.blockHeight * p.rowBytes()
	if p.compression == jpegStream {
		samples *= 4 // coefficients and planes
	}
	return int(most) + samples
}

// stored reads the compressed bytes of a block.
func (p *picture) stored(r io.Reader, offset, count int64) ([]byte, error) {
	data := make([]byte, min(count, p.in.Size-offset))
	_, err := io.ReadFull(r, data)
	return data, err
}

// decompressJPEG decodes a block that is a stream of JPEG, whose tables may stand
// in a field of the directory. The fill order does not concern it.
func (p *picture) decompressJPEG(offset, count int64) (io.Reader, error) {
	data, err := p.stored(io.NewSectionReader(p.in.Section(), offset, count), offset, count)
	if err != nil {
		return nil, err
	}
	r, err := p.tables.Decode(data, p.blockWidth, p.blockHeight, p.photometric == luma && p.planes == 1)
	if err != nil {
		return nil, fmt.Errorf("jpeg: %w", err)
	}
	if r.Width != p.blockWidth || r.Channels != p.samples/p.planes {
		return nil, fmt.Errorf("got a JPEG of %d columns and %d components, want %d and %d", r.Width, r.Channels, p.blockWidth, p.samples/p.planes)
	}
	return bytes.NewReader(r.Pix8), nil
}

// zstdSlack is what may follow the rows of a block that Zstandard compresses.
const zstdSlack = 1 << 17

// decompressZstandard decompresses a block. It is hardly larger than its rows.
func (p *picture) decompressZstandard(offset, count int64) (io.Reader, error) {
	data, err := p.stored(p.section(offset, count), offset, count)
	if err != nil {
		return nil, err
	}
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(uint64(p.blockBytes(p.blockHeight))+zstdSlack))
	if err != nil {
		return nil, err
	}
	defer z.Close()
	rows, err := z.DecodeAll(data, nil)
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", input.Unexpected(err))
	}
	return bytes.NewReader(rows), nil
}
