package jpeg

// zigzag gives the index, in a block of eight rows, of each coded coefficient.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// block holds the coefficients of 8x8 samples.
type block struct {
	coefficients [64]int16
	columns      uint8 // bit x: column x has a coefficient below the first row
	used         bool  // there is a coefficient other than the first
}

// read decodes a block. It returns false for an invalid code.
func (k *block) read(b *stream, dc, ac *huffman, before *int32) bool {
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
		if i += run; i > 63 { // damaged; libjpeg ignores it, too
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

// set takes coefficients that were decoded elsewhere.
func (k *block) set(c *[64]int16) {
	k.coefficients = *c
	k.columns = 0
	top := c[1] | c[2] | c[3] | c[4] | c[5] | c[6] | c[7]
	for x := range 8 {
		if c[8+x]|c[16+x]|c[24+x]|c[32+x]|c[40+x]|c[48+x]|c[56+x] != 0 {
			k.columns |= 1 << x
		}
	}
	k.used = top != 0 || k.columns != 0
}
