package png

import (
	"bytes"
	"sync"

	"github.com/klauspost/compress/flate"
)

// deflateLevel is the compression level. Higher levels take at least twice the
// time to save 2 %.
const deflateLevel = 3

// Filtered photographs rarely repeat themselves. Huffman coding alone is several
// times as fast as a search for repetitions and often compresses better, since
// levels below 7 give up on noise. A band is searched only if the search shortens
// a sample of it, samplePieces pieces of samplePiece bytes, by 1 in sampleGain.
const (
	samplePieces = 4
	samplePiece  = 1 << 14
	sampleGain   = 64
)

// deflater compresses one band after another and reuses its memory.
type deflater struct {
	out          bytes.Buffer
	sample       []byte
	search, code *flate.Writer // at deflateLevel; with Huffman coding alone
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

// deflate compresses a band of filtered rows. last closes the stream. The result
// depends on the arguments alone.
func deflate(raw []byte, last bool) []byte {
	d := deflaters.Get().(*deflater)
	defer deflaters.Put(d)
	z := d.code
	if d.repeats(raw) {
		z = d.search
	}
	return bytes.Clone(d.write(z, raw, last))
}

// repeats reports whether a search for repetitions is worth its time.
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

// write compresses raw by z. The result is valid until the next call.
func (d *deflater) write(z *flate.Writer, raw []byte, last bool) []byte {
	d.out.Reset()
	z.Reset(&d.out)
	_, err := z.Write(raw)
	if err == nil && last {
		err = z.Close()
	} else if err == nil {
		err = z.Flush()
	}
	if err != nil { // a buffer does not fail
		panic(err)
	}
	return d.out.Bytes()
}
