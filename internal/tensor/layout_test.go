package tensor_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

var allLayouts = []tensor.Layout{tensor.NWC, tensor.NHWC, tensor.NDHWC, tensor.NCW, tensor.NCHW, tensor.NCDHW, tensor.HW, tensor.HWC}

// TestLayoutsSplitAndJoin: splitting names every axis by its letter, joining
// puts it back.
func TestLayoutsSplitAndJoin(t *testing.T) {
	size := map[rune]int{'N': 2, 'C': 3, 'D': 5, 'H': 7, 'W': 11}
	for _, l := range allLayouts {
		var shape tensor.Shape
		var spatial []int
		want := tensor.Extents{N: 1, C: 1}
		for _, axis := range l {
			shape = append(shape, size[axis])
			switch axis {
			case 'N':
				want.N = 2
			case 'C':
				want.C = 3
			default:
				spatial = append(spatial, size[axis])
			}
		}
		e, err := l.Split(shape)
		if err != nil || e.N != want.N || e.C != want.C || !slices.Equal(e.Spatial, spatial) {
			t.Errorf("%s splits %v into %+v, %v", l, shape, e, err)
		}
		if back := l.Join(e); !back.Equal(shape) {
			t.Errorf("%s joins %+v to %v, want %v", l, e, back, shape)
		}
		if l.Rank() != len(shape) || l.Spatial() != len(spatial) {
			t.Errorf("%s: rank %d with %d spatial axes", l, l.Rank(), l.Spatial())
		}
		if first := strings.Index(string(l), "C") == 1; l.ChannelsFirst() != first {
			t.Errorf("%s: channels first %v", l, l.ChannelsFirst())
		}
		for _, name := range []string{string(l), strings.ToLower(string(l))} {
			if got, err := tensor.ParseLayout(name); got != l || err != nil {
				t.Errorf("%s parses to %s, %v", name, got, err)
			}
		}
		want2 := fmt.Sprintf("got shape (1,2,3,4,5,6) of rank 6, want rank %d for %s", l.Rank(), l)
		if _, err := l.Split(tensor.Shape{1, 2, 3, 4, 5, 6}); err == nil || err.Error() != want2 {
			t.Errorf("got %v, want %s", err, want2)
		}
	}
	if got := tensor.HW.Join(tensor.Extents{N: 1, C: 4, Spatial: []int{2, 3}}); !got.Equal(tensor.Shape{2, 3, 4}) {
		t.Errorf("a picture that gained channels has shape %v", got)
	}
	const want = `got "HCW", want one of NWC, NHWC, NDHWC, NCW, NCHW, NCDHW, HW, HWC`
	if _, err := tensor.ParseLayout("HCW"); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestDefaultLayouts(t *testing.T) {
	for rank, want := range map[int]tensor.Layout{2: tensor.HW, 3: tensor.NWC, 4: tensor.NHWC, 5: tensor.NDHWC} {
		if got, err := tensor.DefaultLayout(rank); got != want || err != nil {
			t.Errorf("rank %d: %s, %v", rank, got, err)
		}
		if rank > 2 && tensor.ChannelsLast(rank-2) != want {
			t.Errorf("rank %d: channels last is %s", rank, tensor.ChannelsLast(rank-2))
		}
	}
	for _, rank := range []int{0, 1, 6} {
		want := fmt.Sprintf("got rank %d, want 2 (HW), 3 (NWC), 4 (NHWC) or 5 (NDHWC)", rank)
		if _, err := tensor.DefaultLayout(rank); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestPermutedMovesEveryElement compares with a loop over coordinates, in whole
// and unit by unit; the inverse order brings everything back.
func TestPermutedMovesEveryElement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shape := tensor.Shape(rapid.SliceOfN(rapid.IntRange(0, 5), 1, 5).Draw(t, "shape"))
		if rapid.Bool().Draw(t, "large") { // more than a block, with tiles left over
			shape = rapid.SliceOfN(rapid.IntRange(1, 150), 1, 3).Draw(t, "large shape")
		}
		axes := make([]int, len(shape))
		for i := range axes {
			axes[i] = i
		}
		perm := rapid.Permutation(axes).Draw(t, "perm")
		d := rapid.SampledFrom(tensor.DTypes()).Draw(t, "dtype")
		n, _ := shape.Elements()
		src := tensor.New(tensor.Spec{DType: d, Shape: shape})
		count := make([]int32, n)
		for i := range count {
			count[i] = int32(i % 100)
		}
		tensor.Convert(src, tensor.From(count, shape...))

		want := tensor.PermutedShape(shape, perm)
		got := tensor.Permuted(src, perm)
		if !got.Equal(tensor.Spec{DType: d, Shape: want}) {
			t.Fatalf("%v by %v is %s", shape, perm, got.Spec)
		}
		pieces, p := tensor.New(got.Spec), tensor.NewPermuter(shape, perm)
		for lo := 0; lo < p.Units(); {
			hi := rapid.IntRange(lo+1, p.Units()).Draw(t, "hi")
			p.Run(pieces, src, lo, hi)
			lo = hi
		}
		for i := range n {
			to, from := want.Index(i), make([]int, len(shape))
			for axis, p := range perm {
				from[p] = to[axis]
			}
			flat := 0
			for axis, c := range from {
				flat = flat*shape[axis] + c
			}
			if got.At(i) != src.At(flat) || pieces.At(i) != src.At(flat) {
				t.Fatalf("%v by %v: element %v is %v, in pieces %v, want %v", shape, perm, to, got.At(i), pieces.At(i), src.At(flat))
			}
		}
	})
}

// TestPermutedKeepsEveryBit: signalling NaN, too, in blocks and in what is left of
// them.
func TestPermutedKeepsEveryBit(t *testing.T) {
	for _, d := range tensor.DTypes() {
		const rows, columns = 133, 21
		src := tensor.New(tensor.Spec{DType: d, Shape: tensor.Shape{rows, columns}})
		data, size := tensor.Bytes(src), d.Size()
		for i := range data {
			data[i] = byte(i * 7)
			if i%size >= size-2 { // the exponent, wherever it is
				data[i] = []byte{0xff, 0x7f, 0xa5, 0x81}[i*11%4]
			}
		}
		got := tensor.Bytes(tensor.Permuted(src, []int{1, 0}))
		for i := range rows {
			for j := range columns {
				from, to := data[(i*columns+j)*size:][:size], got[(j*rows+i)*size:][:size]
				if !slices.Equal(from, to) {
					t.Fatalf("%s: %x becomes %x", d, from, to)
				}
			}
		}
	}
}

// TestPermutationsInvert: from one layout to another and back.
func TestPermutationsInvert(t *testing.T) {
	for _, pair := range [][2]tensor.Layout{{tensor.NHWC, tensor.NCHW}, {tensor.NWC, tensor.NCW}, {tensor.NDHWC, tensor.NCDHW}} {
		there := tensor.Permutation(string(pair[0]), string(pair[1]))
		back := tensor.Permutation(string(pair[1]), string(pair[0]))
		for i, p := range there {
			if pair[0][p] != pair[1][i] || back[p] != i {
				t.Errorf("%s to %s: %v, and back %v", pair[0], pair[1], there, back)
			}
		}
	}
}
