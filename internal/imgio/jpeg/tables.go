package jpeg

import (
	"encoding/binary"
	"errors"
	"slices"
)

// tables are what the segments of tables have defined so far.
type tables struct {
	quantisers [4]*[64]int32
	dc, ac     [4]*huffman
	restart    int // MCUs between restart markers, 0 if there are none
}

func (t *tables) readQuantisers(b []byte) error {
	for len(b) > 0 {
		deep, to := int(b[0]>>4), b[0]&15
		n := 64 * (1 + deep)
		if deep > 1 || to > 3 || len(b) < 1+n {
			return errors.New("the quantisation tables are damaged")
		}
		table := new([64]int32)
		for i, z := range zigzag {
			if deep == 1 {
				table[z] = int32(binary.BigEndian.Uint16(b[1+2*i:]))
			} else {
				table[z] = int32(b[1+i])
			}
		}
		t.quantisers[to] = table
		b = b[1+n:]
	}
	return nil
}

func (t *tables) readCodes(b []byte) error {
	damaged := errors.New("the Huffman codes are damaged")
	for len(b) > 0 {
		if len(b) < 17 || b[0]&0xef > 3 {
			return damaged
		}
		n := 0
		for _, count := range b[1:17] {
			n += int(count)
		}
		if n > 256 || len(b) < 17+n {
			return damaged
		}
		symbols := slices.Clone(b[17 : 17+n])
		code := newHuffman(b[1:17], symbols)
		if code == nil {
			return damaged
		}
		if b[0]>>4 == 1 {
			t.ac[b[0]&15] = code
		} else {
			if n > 0 && slices.Max(symbols) > 15 { // bits of a coefficient
				return damaged
			}
			t.dc[b[0]] = code
		}
		b = b[17+n:]
	}
	return nil
}

func (t *tables) readRestart(b []byte) error {
	if len(b) != 2 {
		return errors.New("the restart interval is damaged")
	}
	t.restart = int(binary.BigEndian.Uint16(b))
	return nil
}
