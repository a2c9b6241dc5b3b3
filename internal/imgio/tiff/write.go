package tiff

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zlib"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// stripBytes is the size of a strip before compression.
const stripBytes = 1 << 18

// deflateLevel is the compression level of strips.
const deflateLevel = 3

// field is an entry of a directory, with values of type SHORT or LONG.
type field struct {
	tag    uint16
	long   bool
	values []uint32
}

// Write writes a little-endian TIFF: grey or RGB of 8 or 16 bits, with or without
// straight alpha. Strips are compressed by deflate with the horizontal predictor.
func Write(w io.Writer, r *raster.Raster) error {
	rowBytes := r.Width * r.Channels * r.Depth() / 8
	rows := max(1, stripBytes/rowBytes)
	strips := make([][]byte, (r.Height+rows-1)/rows)
	raster.Parallel(len(strips), func(i int) {
		strips[i] = compressedStrip(r, i*rows, min(r.Height, (i+1)*rows))
	})

	const first = 8 // strips follow the header, and the directory follows them
	at := uint32(first)
	var offsets, counts, bits []uint32
	for _, s := range strips {
		offsets, counts = append(offsets, at), append(counts, uint32(len(s)))
		at += uint32(len(s))
	}
	for range r.Channels {
		bits = append(bits, uint32(r.Depth()))
	}
	photometric, predictor := uint32(blackIsZero), uint32(2)
	if r.Channels > 2 {
		photometric = rgb
	}
	at += at % 2 // the directory begins on a word
	fields := []field{
		{tagWidth, true, []uint32{uint32(r.Width)}},
		{tagLength, true, []uint32{uint32(r.Height)}},
		{tagBitsPerSample, false, bits},
		{tagCompression, false, []uint32{deflate}},
		{tagPhotometric, false, []uint32{photometric}},
		{tagStripOffsets, true, offsets},
		{tagSamplesPerPixel, false, []uint32{uint32(r.Channels)}},
		{tagRowsPerStrip, true, []uint32{uint32(rows)}},
		{tagStripByteCounts, true, counts},
		{tagPlanar, false, []uint32{1}},
		{tagPredictor, false, []uint32{predictor}},
	}
	if r.Alpha() {
		fields = append(fields, field{tagExtraSamples, false, []uint32{straightAlpha}})
	}

	head := binary.LittleEndian.AppendUint32([]byte("II*\x00"), at)
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, s := range strips {
		if _, err := w.Write(s); err != nil {
			return err
		}
	}
	if last := offsets[len(offsets)-1] + counts[len(counts)-1]; last%2 == 1 {
		if _, err := w.Write([]byte{0}); err != nil {
			return err
		}
	}
	_, err := w.Write(encodeDirectory(fields, at))
	return err
}

// encodeDirectory returns the bytes of a directory at that offset, followed by the values
// that do not fit into its entries.
func encodeDirectory(fields []field, at uint32) []byte {
	order := binary.LittleEndian
	dir := order.AppendUint16(nil, uint16(len(fields)))
	extra := []byte{}
	after := at + 2 + 12*uint32(len(fields)) + 4
	for _, f := range fields {
		kind := uint16(typeShort)
		var values []byte
		for _, v := range f.values {
			if f.long {
				kind = typeLong
				values = order.AppendUint32(values, v)
			} else {
				values = order.AppendUint16(values, uint16(v))
			}
		}
		dir = order.AppendUint16(dir, f.tag)
		dir = order.AppendUint16(dir, kind)
		dir = order.AppendUint32(dir, uint32(len(f.values)))
		if len(values) > 4 {
			dir = order.AppendUint32(dir, after+uint32(len(extra)))
			extra = append(extra, values...)
		} else {
			dir = append(dir, append(values, make([]byte, 4-len(values))...)...)
		}
	}
	dir = order.AppendUint32(dir, 0) // no further directory
	return append(dir, extra...)
}

// compressedStrip compresses the rows lo <= y < hi as differences from the pixel on
// the left.
func compressedStrip(r *raster.Raster, lo, hi int) []byte {
	n := r.Width * r.Channels
	var raw []byte
	for y := lo; y < hi; y++ {
		if r.Pix16 != nil {
			row := r.Pix16[y*n : (y+1)*n]
			for i, v := range row {
				if i >= r.Channels {
					v -= row[i-r.Channels]
				}
				raw = binary.LittleEndian.AppendUint16(raw, v)
			}
			continue
		}
		row := r.Pix8[y*n : (y+1)*n]
		raw = append(raw, row[:r.Channels]...)
		for i := r.Channels; i < n; i++ {
			raw = append(raw, row[i]-row[i-r.Channels])
		}
	}
	var out bytes.Buffer
	z, err := zlib.NewWriterLevel(&out, deflateLevel)
	if err == nil {
		_, err = z.Write(raw)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil { // a buffer does not fail
		panic(err)
	}
	return out.Bytes()
}
