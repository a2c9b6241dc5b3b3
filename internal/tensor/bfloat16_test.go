package tensor_test

import (
	"math"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestBF16IsThatOfMLDTypes widens all numbers, and rounds to each of them and
// around it, as ml_dtypes does (tools/fixtures/bfloat16.py).
func TestBF16IsThatOfMLDTypes(t *testing.T) {
	data := testutil.Arrays(t, "testdata/bfloat16.npz")
	low, widened, rounded := tensor.Of[uint16](data["low"]), tensor.Of[uint32](data["widened"]), tensor.Of[int32](data["rounded"])
	for bits := range 1 << 16 {
		upper := uint32(bits) << 16
		if got, want := math.Float32bits(tensor.BF16(bits).Float32()), upper+widened[bits]; got != want {
			t.Fatalf("%#04x widens to %#08x, want %#08x", bits, got, want)
		}
		for i, l := range low {
			v := math.Float32frombits(upper | uint32(l))
			got, want := tensor.ToBF16(v), tensor.BF16(int32(bits)+rounded[bits*len(low)+i])
			if got != want {
				t.Fatalf("%#08x (%v) becomes %#04x, want %#04x", upper|uint32(l), v, got, want)
			}
		}
	}
}

// TestSlicesOfNarrowNumbers: whole slices are converted as single numbers are.
func TestSlicesOfNarrowNumbers(t *testing.T) {
	for _, d := range tensor.DTypes() {
		if !d.IsNarrow() {
			continue
		}
		stored := tensor.New(tensor.Spec{DType: d, Shape: tensor.Shape{1 << 16}})
		for bits := range 1 << 16 {
			tensor.BitsOf[uint16](stored)[bits] = uint16(bits)
		}
		wide, _ := tensor.Converted(stored, d.Real())
		back, _ := tensor.Converted(wide, d)
		rank := math.MinInt64
		for i := range 1 << 16 {
			v := stored.At(i)
			if w := wide.At(i); w != v && !(w != w && v != v) {
				t.Fatalf("%s %#04x widens to %v, want %v", d, i, w, v)
			}
			if b := back.At(i); b != v && !(b != b && v != v) {
				t.Fatalf("%s %v comes back as %v", d, v, b)
			}
			if i>>15 == 0 && v == v { // positive: the bits grow with the numbers
				if next := int(d.Rank(v)); next != i || next <= rank {
					t.Fatalf("%s %v has rank %d, want %d", d, v, next, i)
				} else {
					rank = next
				}
				if d.Rank(-v) != -d.Rank(v) {
					t.Fatalf("%s: ranks of %v and %v", d, v, -v)
				}
			}
		}
	}
}
