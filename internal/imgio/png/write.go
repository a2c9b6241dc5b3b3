package png

import (
	"encoding/binary"
	"hash/adler32"
	"hash/crc32"
	"io"
	"slices"
	"sync"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// bandBytes is the size of a band of rows that is compressed by itself. It is
// large enough to lose less than 0.1 % of compression, and small enough to keep all
// processors busy. It is a constant, so that files do not depend on the number of
// processors.
const bandBytes = 1 << 19

// Write writes a PNG with the raster's depth and channels. Each row gets the filter
// with the smallest sum of absolute differences. Bands of rows are compressed in
// parallel and joined into one stream.
func Write(w io.Writer, r *raster.Raster) error {
	rowBytes := r.Width * r.Channels * r.Depth() / 8
	rows := max(1, bandBytes/(rowBytes+1))
	parts := make([]part, (r.Height+rows-1)/rows)
	raster.Parallel(len(parts), func(i int) {
		lo, hi := i*rows, min(r.Height, (i+1)*rows)
		if _, err := r.Told.Wait(hi * r.Width * r.Channels); err == nil {
			parts[i] = compress(r, lo, hi, i == len(parts)-1)
		}
	})
	if err := r.Told.Ended(); err != nil {
		return err
	}

	ihdr := make([]byte, 0, 13)
	ihdr = binary.BigEndian.AppendUint32(ihdr, uint32(r.Width))
	ihdr = binary.BigEndian.AppendUint32(ihdr, uint32(r.Height))
	colour := [...]byte{1: colourGrey, 2: colourGreyAlpha, 3: colourRGB, 4: colourRGBA}[r.Channels]
	ihdr = append(ihdr, byte(r.Depth()), colour, 0, 0, 0)

	if _, err := io.WriteString(w, magic); err != nil {
		return err
	}
	if err := writeChunk(w, "IHDR", ihdr); err != nil {
		return err
	}
	sum := uint32(1)
	for i, p := range parts {
		sum = joinAdler(sum, p.sum, p.raw)
		data := p.data
		if i == 0 {
			data = append([]byte{0x78, 0x5e}, data...) // zlib: 32 KiB window, fast
		}
		if i == len(parts)-1 {
			data = binary.BigEndian.AppendUint32(data, sum)
		}
		if err := writeChunk(w, "IDAT", data); err != nil {
			return err
		}
	}
	return writeChunk(w, "IEND", nil)
}

func writeChunk(w io.Writer, kind string, data []byte) error {
	head := binary.BigEndian.AppendUint32(make([]byte, 0, 8), uint32(len(data)))
	head = append(head, kind...)
	crc := crc32.NewIEEE()
	crc.Write(head[4:])
	crc.Write(data)
	for _, b := range [][]byte{head, data, crc.Sum(nil)} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// part is a band of rows, filtered and compressed.
type part struct {
	data []byte
	sum  uint32 // Adler-32 of the filtered rows
	raw  int    // bytes of the filtered rows
}

// buffers hold filtered rows before they are compressed.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// compress filters and compresses the rows lo <= y < hi. The result ends on a byte
// boundary, so that the next band can follow; last closes the stream.
func compress(r *raster.Raster, lo, hi int, last bool) part {
	rowBytes := r.Width * r.Channels * r.Depth() / 8
	pixel := r.Channels * r.Depth() / 8
	memory := buffers.Get().(*[]byte)
	defer buffers.Put(memory)
	*memory = slices.Grow((*memory)[:0], (hi-lo)*(rowBytes+1)+3*rowBytes)
	buffer := (*memory)[:3*rowBytes]
	row, above, scratch, raw := buffer[:rowBytes], buffer[rowBytes:2*rowBytes], buffer[2*rowBytes:], buffer[3*rowBytes:]
	if lo > 0 {
		rowInto(r, above, lo-1)
	} else {
		clear(above)
	}
	for y := lo; y < hi; y++ {
		rowInto(r, row, y)
		raw = appendFiltered(raw, row, above, scratch, pixel)
		row, above = above, row
	}
	return part{deflate(raw, last), adler32.Checksum(raw), len(raw)}
}

// rowInto writes row y as PNG stores it, 16-bit samples in big-endian order.
func rowInto(r *raster.Raster, dst []byte, y int) {
	n := r.Width * r.Channels
	if r.Pix16 == nil {
		copy(dst, r.Pix8[y*n:(y+1)*n])
		return
	}
	for i, v := range r.Pix16[y*n : (y+1)*n] {
		binary.BigEndian.PutUint16(dst[2*i:], v)
	}
}

// appendFiltered appends the filter byte and the filtered row. It takes the filter
// whose bytes, as signed numbers, have the smallest sum of magnitudes. For long
// rows, samples of the row decide.
func appendFiltered(raw, row, above, scratch []byte, pixel int) []byte {
	n := len(row)
	probe, probeAbove, out := row, above, scratch
	if n >= 4*probeStep {
		probe, probeAbove, out = sampled(scratch[:0], row), sampled(scratch[n/4:n/4], above), scratch[n/2:]
		out = out[:len(probe)]
	}
	best, least := byte(filterNone), magnitude(probe, 1<<62)
	for filter := byte(filterSub); filter <= filterPaeth && least > 0; filter++ {
		applyFilter(filter, out, probe, probeAbove, pixel)
		if m := magnitude(out, least); m < least {
			best, least = filter, m
		}
	}
	raw = append(slices.Grow(raw, n+1), best)
	to := len(raw)
	raw = raw[:to+n]
	if best == filterNone {
		copy(raw[to:], row)
	} else {
		applyFilter(best, raw[to:], row, above, pixel)
	}
	return raw
}

// A long row is sampled by parts of probePart bytes, probeStep bytes apart. Both
// are multiples of every size of a pixel: 1, 2, 3, 4, 6 and 8 bytes.
const probeStep, probePart = 768, 168

// sampled appends the sampled parts of a row.
func sampled(to, row []byte) []byte {
	for ; len(row) >= probePart; row = row[min(len(row), probeStep):] {
		to = append(to, row[:probePart]...)
	}
	return to
}

// magnitude sums the magnitudes of bytes as signed numbers, eight at a time. It
// stops when the sum exceeds the limit.
func magnitude(data []byte, limit int) (sum int) {
	const ones, evens = 0x0101010101010101, 0x00ff00ff00ff00ff
	for len(data) >= 8 && sum < limit {
		part := data[:min(len(data)&^7, 8*128)] // as many as sums of 16 bits can hold
		data = data[len(part):]
		var lanes uint64 // four sums of 16 bits
		for ; len(part) >= 8; part = part[8:] {
			v := binary.LittleEndian.Uint64(part)
			negative := v >> 7 & ones
			v = v ^ negative*0xff + negative
			lanes += v&evens + v>>8&evens
		}
		sum += int(lanes&0xffff + lanes>>16&0xffff + lanes>>32&0xffff + lanes>>48)
	}
	if sum < limit {
		for _, v := range data {
			sum += abs(int(int8(v)))
		}
	}
	return sum
}

// applyFilter is the inverse of unfilter.
func applyFilter(filter byte, dst, row, above []byte, pixel int) {
	n := len(row)
	dst, above = dst[:n], above[:n]
	pixel = min(pixel, n)
	left, corner := row[:n-pixel], above[:n-pixel]
	switch filter {
	case filterSub:
		copy(dst, row[:pixel])
		for i, l := range left {
			dst[pixel+i] = row[pixel+i] - l
		}
	case filterUp:
		for i, v := range row {
			dst[i] = v - above[i]
		}
	case filterAverage:
		for i := range pixel {
			dst[i] = row[i] - above[i]/2
		}
		to, from, up := dst[pixel:][:len(left)], row[pixel:][:len(left)], above[pixel:][:len(left)]
		for i, l := range left {
			to[i] = from[i] - uint8((uint32(l)+uint32(up[i]))/2)
		}
	case filterPaeth:
		for i := range pixel {
			dst[i] = row[i] - above[i]
		}
		to, from, up := dst[pixel:][:len(left)], row[pixel:][:len(left)], above[pixel:][:len(left)]
		corner = corner[:len(left)]
		for i, l := range left {
			to[i] = from[i] - uint8(paeth(int32(l), int32(up[i]), int32(corner[i])))
		}
	}
}

// joinAdler combines the Adler-32 checksums of two pieces of data; n is the length
// of the second.
func joinAdler(first, second uint32, n int) uint32 {
	const mod = 65521
	a1, b1 := uint64(first&0xffff), uint64(first>>16)
	a2, b2 := uint64(second&0xffff), uint64(second>>16)
	a := (a1 + a2 + mod - 1) % mod
	b := (b1 + b2 + uint64(n%mod)*(a1+mod-1)) % mod
	return uint32(b<<16 | a)
}
