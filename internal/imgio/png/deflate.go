package png

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflateLevel is the compression level: higher ones take twice the time and
// more for two parts in a hundred.
const deflateLevel = 3

// Filtered photographs have few repetitions: coding their bytes alone is several
// times as fast as looking for some, and often shorter, since the levels below 7
// give up on noise. Where the sample of a band, so many pieces of it, gets shorter
// by repetitions by one part in so many, the whole band is searched.
const (
	samplePieces = 4
	samplePiece  = 1 << 14
	sampleGain   = 64
)

// deflater compresses bands, one after another, in memory that it keeps.
type deflater struct {
	out          bytes.Buffer
	sample       []byte
	search, code *flate.Writer // with deflateLevel, by Huffman coding alone
}

var deflaters = sync.Pool{New: func() any {
	d := &deflater{}
	var err error
	if d.search, err = flate.NewWriter(&d.out, deflateLevel); err == nil {
		d.code, err = flate.NewWriter(&d.out, flate.HuffmanOnly)
	}
	if err != nil { // both levels exist
		panic(err)
	}
	return d
}}

// deflate compresses a band of filtered rows, the last of its stream or not. The
// result depends on nothing else.
func deflate(raw []byte, last bool) []byte {
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	z := d.code
	if d.repeats(raw) {
		z = d.search
	}
	return bytes.Clone(d.write(z, raw, last))
}

// repeats reports whether a band has repetitions worth looking for.
func (d *deflater) repeats(raw []byte) bool {
	sample := raw
	if len(raw) > 2*samplePieces*samplePiece {
		sample = d.sample[:0]
		for i := range samplePieces {
			at := i * (len(raw) - samplePiece) / (samplePieces - 1)
			sample = append(sample, raw[at:at+samplePiece]...)
		}
		d.sample = sample
	}
	coded := len(d.write(d.code, sample, true))
	return len(d.write(d.search, sample, true)) < coded-coded/sampleGain
}

// write returns what z makes of raw, which is valid until the next call.
func (d *deflater) write(z *flate.Writer, raw []byte, last bool) []byte {
	d.out.Reset()
	z.Reset(&d.out)
	_, err := z.Write(raw)
	if err == nil && last {
		err = z.Close()
	} else if err == nil {
		err = z.Flush()
	}
	if err != nil { // a buffer takes everything
		panic(err)
	}
	return d.out.Bytes()
}
