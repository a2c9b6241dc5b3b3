package jpeg

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
