package imgio

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/zlib"
)

// tiffStrip is how much raw data makes one strip, in bytes.
const tiffStrip = 1 << 18

// tiffField is an entry of a TIFF's directory. Its values are SHORT or LONG.
type tiffField struct {
	tag    uint16
	long   bool
	values []uint32
}

// writeTIFF writes the raster as a little-endian TIFF: grey, RGB or RGBA
// (unassociated alpha) of 8 or 16 bits, strips compressed by deflate after
// horizontal differencing.
func writeTIFF(w io.Writer, r *raster) error {
	rowBytes := r.width * r.channels * r.depth() / 8
	rows := max(1, tiffStrip/rowBytes)
	strips := make([][]byte, (r.height+rows-1)/rows)
	parallel(len(strips), func(i int) {
		strips[i] = r.tiffStrip(i*rows, min(r.height, (i+1)*rows))
	})

	const first = 8 // the strips follow the file's header, the directory follows the strips
	at := uint32(first)
	var offsets, counts, bits []uint32
	for _, s := range strips {
		offsets, counts = append(offsets, at), append(counts, uint32(len(s)))
		at += uint32(len(s))
	}
	for range r.channels {
		bits = append(bits, uint32(r.depth()))
	}
	photometric, deflate, predictor := uint32(1), uint32(8), uint32(2)
	if r.channels > 2 {
		photometric = 2
	}
	at += at % 2 // the directory begins on a word
	fields := []tiffField{
		{tiffWidth, true, []uint32{uint32(r.width)}},
		{tiffLength, true, []uint32{uint32(r.height)}},
		{tiffBitsPerSample, false, bits},
		{tiffCompression, false, []uint32{deflate}},
		{tiffPhotometric, false, []uint32{photometric}},
		{tiffStripOffsets, true, offsets},
		{tiffSamplesPerPixel, false, []uint32{uint32(r.channels)}},
		{tiffRowsPerStrip, true, []uint32{uint32(rows)}},
		{tiffStripByteCounts, true, counts},
		{tiffPlanar, false, []uint32{1}},
		{tiffPredictor, false, []uint32{predictor}},
	}
	if r.alpha() {
		fields = append(fields, tiffField{tiffExtraSamples, false, []uint32{2}})
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
	_, err := w.Write(tiffDirectory(fields, at))
	return err
}

// tiffDirectory returns the directory that stands at the given offset, with
// the values that do not fit their entries after it.
func tiffDirectory(fields []tiffField, at uint32) []byte {
	const short, long = 3, 4
	order := binary.LittleEndian
	dir := order.AppendUint16(nil, uint16(len(fields)))
	extra := []byte{}
	after := at + 2 + 12*uint32(len(fields)) + 4
	for _, f := range fields {
		kind := uint16(short)
		var values []byte
		for _, v := range f.values {
			if f.long {
				kind = long
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

// tiffStrip returns the rows lo <= y < hi, each sample less the one of the
// pixel before, compressed.
func (r *raster) tiffStrip(lo, hi int) []byte {
	n := r.width * r.channels
	var raw []byte
	for y := lo; y < hi; y++ {
		if r.pix16 != nil {
			row := r.pix16[y*n : (y+1)*n]
			for i, v := range row {
				if i >= r.channels {
					v -= row[i-r.channels]
				}
				raw = binary.LittleEndian.AppendUint16(raw, v)
			}
			continue
		}
		row := r.pix8[y*n : (y+1)*n]
		raw = append(raw, row[:r.channels]...)
		for i := r.channels; i < n; i++ {
			raw = append(raw, row[i]-row[i-r.channels])
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
	if err != nil { // a buffer takes everything
		panic(err)
	}
	return out.Bytes()
}
