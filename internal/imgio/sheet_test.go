package imgio

import (
	"path/filepath"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestContactSheet checks the size of a sheet and that each value is a block of
// its level, in its tile, in batch, depth, channel order.
func TestContactSheet(t *testing.T) {
	const n, d, h, w, c = 2, 3, 4, 8, 5
	data := make([]float32, n*d*h*w*c)
	for i := range data {
		data[i] = float32(i % 256)
	}
	want := tensor.From(data, n, d, h, w, c)
	v, err := asVolume(want, "")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSheet(v, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.tiles) != n*d*c || s.tiles[0].label != "n0 d0 c0" || s.tiles[len(s.tiles)-1].label != "n1 d2 c4" || s.kx != 8 || s.ky != 8 {
		t.Fatalf("got %d tiles from %q to %q, values of %dx%d pixels", len(s.tiles), s.tiles[0].label, s.tiles[len(s.tiles)-1].label, s.kx, s.ky)
	}
	for _, layout := range []tensor.Layout{tensor.NDHWC, tensor.NCDHW} {
		out := want
		if layout == tensor.NCDHW {
			out = tensor.Permuted(want, tensor.Permutation("NDHWC", "NCDHW"))
		}
		name := filepath.Join(t.TempDir(), "sheet.png")
		if notes := save(t, Output{Name: name, Tensor: out, Layout: layout}); len(notes) > 0 {
			t.Errorf("got notes %v", notes)
		}
		got, _ := mustRead(t, name, Options{})
		cellW, cellH := s.cell()
		columns := s.columns()
		rows := (n*d*c + columns - 1) / columns
		if !got.Shape.Equal(tensor.Shape{1, rows*cellH + 1, columns*cellW + 1, 3}) {
			t.Fatalf("got %s, want %d columns and %d rows of %dx%d", got.Shape, columns, rows, cellW, cellH)
		}
		pix, width := tensor.Of[uint8](got), got.Shape[2]
		for i := range data {
			at := want.Shape.Index(i)
			tile := (at[0]*d+at[1])*c + at[4]
			x := tile%columns*cellW + 1 + sheetMargin + at[3]*8
			y := tile/columns*cellH + 1 + 2*sheetMargin + sheetLabel + at[2]*8
			for _, corner := range [][2]int{{0, 0}, {7, 7}} {
				p := pix[((y+corner[1])*width+x+corner[0])*3:]
				if g := uint8(i % 256); p[0] != g || p[1] != g || p[2] != g {
					t.Fatalf("value %v: got %v, want grey %d", at, p[:3], g)
				}
			}
		}
	}
}

// TestSignalSheet checks that a signal is a tile with a row for each channel.
func TestSignalSheet(t *testing.T) {
	data := make([]float32, 2*100*3)
	for i := range data {
		data[i] = float32(i % 200)
	}
	for _, layout := range []tensor.Layout{tensor.NWC, tensor.NCW} {
		x := tensor.From(data, 2, 100, 3)
		if layout == tensor.NCW {
			x = tensor.Permuted(x, []int{0, 2, 1})
		}
		v, err := asVolume(x, layout)
		if err != nil {
			t.Fatal(err)
		}
		s, err := newSheet(v, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.tiles) != 2 || s.width != 100 || s.height != 3 || s.tiles[1].label != "n1 c0-2" || s.kx*100 < sheetSignal || s.ky < sheetRow {
			t.Fatalf("got %+v", s)
		}
		levels, _ := grey(v.tensor, v.c, 8, NormalizeNone)
		last := s.tiles[1]
		if got := levels[last.start+2*last.down+99*last.right]; got != uint8((len(data)-1)%200) {
			t.Errorf("got %d for the last value", got)
		}
	}
}

func TestSheetLimits(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.png")
	for _, c := range []struct {
		shape tensor.Shape
		says  string
	}{
		{tensor.Shape{2, 1, 1, 5000}, "got 10000 tiles (batch 2, depth 1, channels 5000), want <= 4096 on one contact sheet"},
		{tensor.Shape{1, 2000, 2000, 20}, "got 20 tiles of 2000x2000, 81"},
	} {
		x := tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: c.shape})
		_, err := WriteAll([]Output{{Name: name, Tensor: x}}, WriteOptions{})
		imgiotest.WantError(t, err, c.says, "write .npy")
	}
	// A deep 16-bit tensor is shown by the upper 8 bits, and can be stretched.
	x := tensor.New(tensor.Spec{DType: tensor.Uint16, Shape: tensor.Shape{1, 4, 4, 6}})
	tensor.Of[uint16](x)[0] = 65535
	v, _ := asVolume(x, "")
	for _, n := range []Normalize{NormalizeNone, NormalizeMinMax} {
		if levels, clipped := grey(v.tensor, 6, 16, n); levels[0] != 255 || levels[1] != 0 || clipped.total() != 0 {
			t.Errorf("%v: got levels %v, %v clipped", n, levels[:2], clipped)
		}
	}
}
