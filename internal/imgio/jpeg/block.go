package jpeg

import (
	"encoding/binary"

	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// zigzag gives the index, in a block of eight rows, of each coded coefficient.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// peekBits is the length of the codes that one table lookup decodes. Few codes of
// a photograph are longer.
const peekBits = 10

// huffman is a Huffman code. The next peekBits bits index short, which holds the
// symbol and the length of the code, or 0 if the code is longer or invalid.
type huffman struct {
	short   [1 << peekBits]uint16 // symbol<<8 | length
	last    [17]int32             // by length: the last code, or -1
	first   [17]int32             // by length: the index of the first code's symbol, minus that code
	symbols []byte
}

// newHuffman makes a code with counts[i] symbols of length i+1, or nil if the
// counts are impossible.
func newHuffman(counts, symbols []byte) *huffman {
	c := &huffman{symbols: symbols}
	code, index := int32(0), int32(0)
	for i, count := range counts {
		length := i + 1
		c.first[length], c.last[length] = index-code, -1
		for range count {
			if length <= peekBits {
				for fill := range int32(1) << (peekBits - length) {
					if at := code<<(peekBits-length) | fill; at < 1<<peekBits {
						c.short[at] = uint16(symbols[index])<<8 | uint16(length)
					}
				}
			}
			c.last[length] = code
			code++
			index++
		}
		if code > 1<<length { // more codes than the length allows
			return nil
		}
		code <<= 1
	}
	return c
}

// bitReader reads coded data bit by bit and drops the zero byte stuffed after each
// 0xff. After the end of the data it reads zeros and counts them.
type bitReader struct {
	data  []byte
	at    int
	acc   uint64 // the next bits, from the top
	n     int    // number of bits in acc
	added int    // bits read after the end
}

// fill makes at least 32 bits available.
func (b *bitReader) fill() {
	if b.n >= 32 {
		return
	}
	if b.at+8 <= len(b.data) {
		next := binary.BigEndian.Uint64(b.data[b.at:])
		const ones, tops = 0x0101010101010101, 0x8080808080808080
		if (^next-ones)&next&tops == 0 { // no byte is 0xff
			b.acc |= next >> b.n
			taken := (63 - b.n) >> 3
			b.at += taken
			b.n += 8 * taken
			b.acc &^= 1<<(64-b.n) - 1
			return
		}
	}
	for b.n <= 56 {
		next := uint64(0)
		if b.at < len(b.data) {
			next = uint64(b.data[b.at])
			b.at++
			if next == 0xff {
				b.at++
			}
		} else {
			b.added += 8
		}
		b.acc |= next << (56 - b.n)
		b.n += 8
	}
}

// beyond reports whether bits after the end were used.
func (b *bitReader) beyond() bool { return b.added > b.n }

// symbol decodes the next symbol without consuming its code. fill must have been
// called. length is 0 for an invalid code.
func (b *bitReader) symbol(c *huffman) (symbol byte, length int) {
	if e := c.short[b.acc>>(64-peekBits)]; e != 0 {
		return byte(e >> 8), int(e & 0xff)
	}
	for length := peekBits + 1; length <= 16; length++ {
		if code := int32(b.acc >> (64 - length)); code <= c.last[length] {
			return c.symbols[c.first[length]+code], length
		}
	}
	return 0, 0
}

// value consumes a code of length bits and the coefficient of size bits after it.
// A coefficient that begins with 0 is negative.
func (b *bitReader) value(length, size int) int32 {
	rest := b.acc << length
	v := int32(rest >> 1 >> (63 - size))
	if rest>>63 == 0 && size > 0 {
		v -= 1<<size - 1
	}
	b.acc = rest << size
	b.n -= length + size
	return v
}

// block holds the coefficients of 8x8 samples.
type block struct {
	coefficients [64]int16
	columns      uint8 // bit x: column x has a coefficient below the first row
	used         bool  // there is a coefficient other than the first
}

// read decodes a block. It returns false for an invalid code.
func (k *block) read(b *bitReader, dc, ac *huffman, before *int32) bool {
	*k = block{}
	b.fill()
	size, length := b.symbol(dc)
	if length == 0 {
		return false
	}
	*before += b.value(length, int(size))
	k.coefficients[0] = int16(*before)
	for i := 1; i < 64; i++ {
		b.fill()
		symbol, length := b.symbol(ac)
		if length == 0 {
			return false
		}
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			b.acc <<= length
			b.n -= length
			if run != 15 {
				break // the rest is zero
			}
			i += 15
			continue
		}
		if i += run; i > 63 { // damaged; image/jpeg ignores it, too
			b.acc <<= length
			b.n -= length
			break
		}
		at := zigzag[i&63]
		k.coefficients[at&63] = int16(b.value(length, size))
		k.used = true
		if at >= 8 {
			k.columns |= 1 << (at & 7)
		}
	}
	return true
}

// The inverse transform is the one by Loeffler, Ligtenberg and Moschytz (ICASSP
// 1989) with twelve multiplications. Its fixed-point arithmetic is that of
// libjpeg's accurate decoder: constants of 13 bits, and two extra bits between the
// passes. So the results are equal.
const (
	dctBits  = 13
	dctExtra = 2

	dct0298 = 2446
	dct0390 = 3196
	dct0541 = 4433
	dct0765 = 6270
	dct0899 = 7373
	dct1175 = 9633
	dct1501 = 12299
	dct1847 = 15137
	dct1961 = 16069
	dct2053 = 16819
	dct2562 = 20995
	dct3072 = 25172
)

// transform dequantises by q and writes the samples of the block, eight rows
// stride bytes apart.
func (k *block) transform(dst []uint8, stride int, q *[64]int32) {
	c := &k.coefficients
	if !k.used {
		v := raster.Clamp8((int32(c[0])*q[0]+4)>>3 + 128)
		for y := range 8 {
			row := (*[8]uint8)(dst[y*stride:])
			for x := range row {
				row[x] = v
			}
		}
		return
	}
	var w [64]int32
	for x := range 8 {
		if k.columns>>x&1 == 0 {
			v := int32(c[x]) * q[x] << dctExtra
			for y := range 8 {
				w[8*y+x] = v
			}
			continue
		}
		y0, y1, y2, y3, y4, y5, y6, y7 := idct8(
			int32(c[x])*q[x], int32(c[8+x])*q[8+x], int32(c[16+x])*q[16+x], int32(c[24+x])*q[24+x],
			int32(c[32+x])*q[32+x], int32(c[40+x])*q[40+x], int32(c[48+x])*q[48+x], int32(c[56+x])*q[56+x])
		const shift, half = dctBits - dctExtra, 1 << (dctBits - dctExtra - 1)
		w[x], w[8+x], w[16+x], w[24+x] = (y0+half)>>shift, (y1+half)>>shift, (y2+half)>>shift, (y3+half)>>shift
		w[32+x], w[40+x], w[48+x], w[56+x] = (y4+half)>>shift, (y5+half)>>shift, (y6+half)>>shift, (y7+half)>>shift
	}
	for y := range 8 {
		in := (*[8]int32)(w[8*y:])
		x0, x1, x2, x3, x4, x5, x6, x7 := idct8(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7])
		const shift = dctBits + dctExtra + 3
		const middle = 128<<shift + 1<<(shift-1)
		row := (*[8]uint8)(dst[y*stride:])
		row[0], row[1], row[2], row[3] = raster.Clamp8((x0+middle)>>shift), raster.Clamp8((x1+middle)>>shift), raster.Clamp8((x2+middle)>>shift), raster.Clamp8((x3+middle)>>shift)
		row[4], row[5], row[6], row[7] = raster.Clamp8((x4+middle)>>shift), raster.Clamp8((x5+middle)>>shift), raster.Clamp8((x6+middle)>>shift), raster.Clamp8((x7+middle)>>shift)
	}
}

// idct8 transforms eight coefficients. The results are scaled by 1<<dctBits.
func idct8(c0, c1, c2, c3, c4, c5, c6, c7 int32) (y0, y1, y2, y3, y4, y5, y6, y7 int32) {
	turn := (c2 + c6) * dct0541
	even2, even3 := turn-c6*dct1847, turn+c2*dct0765
	even0, even1 := (c0+c4)<<dctBits, (c0-c4)<<dctBits
	a0, a3 := even0+even3, even0-even3
	a1, a2 := even1+even2, even1-even2

	all := (c7 + c3 + c5 + c1) * dct1175
	s73, s51 := all-(c7+c3)*dct1961, all-(c5+c1)*dct0390
	s71, s53 := (c7+c1)*dct0899, (c5+c3)*dct2562
	b0 := c7*dct0298 - s71 + s73
	b1 := c5*dct2053 - s53 + s51
	b2 := c3*dct3072 - s53 + s73
	b3 := c1*dct1501 - s71 + s51
	return a0 + b3, a1 + b2, a2 + b1, a3 + b0, a3 - b0, a2 - b1, a1 - b2, a0 - b3
}
