package png

import (
	"bytes"
	"hash/adler32"
	"math/rand/v2"
	"testing"
)

func randomBytes(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	return data
}

func TestMagnitude(t *testing.T) {
	random := randomBytes(1, 3000)
	worst := bytes.Repeat([]byte{0x80}, 3000)
	for _, data := range [][]byte{random, worst} {
		for n := range len(data) {
			want := 0
			for _, v := range data[:n] {
				want += max(int(int8(v)), -int(int8(v)))
			}
			if got := magnitude(data[:n], 1<<62); got != want {
				t.Fatalf("%d bytes: got %d, want %d", n, got, want)
			}
		}
	}
	if got := magnitude(worst, 1000); got < 1000 {
		t.Errorf("got %d, want at least the limit", got)
	}
}

// TestPaeth compares with the definition in the PNG specification.
func TestPaeth(t *testing.T) {
	for a := range 256 {
		for b := range 256 {
			for c := range 256 {
				p := a + b - c
				pa, pb, pc := max(p-a, a-p), max(p-b, b-p), max(p-c, c-p)
				want := c
				if pa <= pb && pa <= pc {
					want = a
				} else if pb <= pc {
					want = b
				}
				if got := paeth(int32(a), int32(b), int32(c)); int(got) != want {
					t.Fatalf("paeth(%d,%d,%d): got %d, want %d", a, b, c, got, want)
				}
			}
		}
	}
}

func TestFiltersInvert(t *testing.T) {
	for _, pixel := range []int{1, 2, 3, 4, 6, 8} {
		for _, n := range []int{pixel, 2 * pixel, 37 * pixel} {
			row, above, got := randomBytes(2, n), randomBytes(3, n), make([]byte, n)
			for filter := byte(filterSub); filter <= filterPaeth; filter++ {
				applyFilter(filter, got, row, above, pixel)
				unfilter(filter, got, above, pixel)
				if !bytes.Equal(got, row) {
					t.Errorf("filter %d, %d bytes a pixel, %d bytes: the row does not come back", filter, pixel, n)
				}
			}
		}
	}
}

func TestJoinAdler(t *testing.T) {
	data := bytes.Repeat([]byte{0xff}, 200_000)
	for _, cut := range []int{0, 1, 65520, 65521, 65522, 131042, 199_999, 200_000} {
		got := joinAdler(adler32.Checksum(data[:cut]), adler32.Checksum(data[cut:]), len(data)-cut)
		if want := adler32.Checksum(data); got != want {
			t.Errorf("cut at %d: got %08x, want %08x", cut, got, want)
		}
	}
}
