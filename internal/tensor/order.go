package tensor

import (
	"encoding/binary"
	"math/bits"
)

// BigEndian reports whether the machine stores the most significant byte first.
var BigEndian = binary.NativeEndian.Uint16([]byte{0, 1}) == 1

// SwapBytes reverses the bytes of each element.
func SwapBytes(t *Tensor) {
	switch t.DType.Size() {
	case 2:
		swap(BitsOf[uint16](t), bits.ReverseBytes16)
	case 4:
		swap(BitsOf[uint32](t), bits.ReverseBytes32)
	case 8:
		swap(BitsOf[uint64](t), bits.ReverseBytes64)
	}
}

func swap[B Bits](list []B, reverse func(B) B) {
	for i, v := range list {
		list[i] = reverse(v)
	}
}
