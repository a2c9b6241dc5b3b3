package imgio

import (
	"io"
	"math"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// notesOn returns the notes of writing a tensor as a PNG.
func notesOn(t *testing.T, o Output) []Note {
	t.Helper()
	o.Name = "x.png"
	f := &file{output: o, destination: mustParse(t, o.Name)}
	write, notes, err := f.encoder()
	if err != nil {
		t.Fatal(err)
	}
	if err := write(io.Discard); err != nil {
		t.Fatal(err)
	}
	return notes
}

func mustParse(t *testing.T, name string) destination {
	t.Helper()
	d, err := parseDestination(name)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestFlatPicturesAreTold(t *testing.T) {
	sparse := func(of int, value float32) *tensor.Tensor {
		data := make([]float32, 1000)
		for i := range of {
			data[17*i] = value
		}
		return tensor.From(data, 1, 20, 50, 1)
	}
	rgba := make([]float32, 400)
	for i := range rgba {
		rgba[i] = float32(i%4) / 8
		if i%4 == 3 {
			rgba[i] = 255 // alpha, which hides nothing and shows nothing
		}
	}
	inf := float32(math.Inf(1))
	for name, c := range map[string]struct {
		o       Output
		text    string // of the note, "" for none
		stretch Normalize
	}{
		"0 to 1":            {Output{Tensor: tensor.From([]float64{0, 0.5, 1, 0.7}, 2, 2)}, "the values run from 0 to 1, less than two of the levels 0..255", NormalizeMinMax},
		"0 to 1, 16 bits":   {Output{Depth: 16, Tensor: tensor.From([]float64{0, 0.5, 1, 0.7}, 2, 2)}, "the values run from 0 to 1, less than two of the levels 0..65535", NormalizeMinMax},
		"three levels":      {Output{Tensor: tensor.From([]float64{0, 1, 2, 2}, 2, 2)}, "", NormalizeNone},
		"1.4 to 3.3":        {Output{Tensor: tensor.From([]float64{1.4, 3.3, 2, 2}, 2, 2)}, "the values run from 1.4 to 3.3, less than two of the levels 0..255", NormalizeMinMax},
		"signed":            {Output{Tensor: tensor.From([]int8{0, 1, 0, 1}, 2, 2)}, "the values run from 0 to 1, less than two of the levels 0..255", NormalizeMinMax},
		"unsigned":          {Output{Tensor: tensor.From([]uint8{0, 1, 0, 1}, 2, 2)}, "", NormalizeNone},
		"unsigned, wide":    {Output{Tensor: tensor.From([]uint32{0, 1, 0, 1}, 2, 2)}, "", NormalizeNone},
		"below zero":        {Output{Tensor: tensor.From([]float32{-0.5, 0.25, 0, 0}, 2, 2)}, "the values run from -0.5 to 0.25, less than two of the levels 0..255", NormalizeSymmetric},
		"stretched":         {Output{Normalize: NormalizeMinMax, Tensor: tensor.From([]float64{0, 0.5, 1, 0.7}, 2, 2)}, "", NormalizeNone},
		"99.1 % on a level": {Output{Tensor: sparse(9, 80)}, "all but 9 of 1000 values fall on level 0 of 0..255", NormalizeMinMax},
		"99 % on a level":   {Output{Tensor: sparse(10, 80)}, "", NormalizeNone},
		"a level":           {Output{Tensor: tensor.From([]float64{200, 200}, 1, 2)}, "", NormalizeNone},
		"half a level":      {Output{Tensor: tensor.From([]float64{0.3, 0.3}, 1, 2)}, "every value is 0.3 and becomes level 0 of 0..255", NormalizeNone},
		"with alpha":        {Output{Tensor: tensor.From(rgba, 1, 10, 10, 4)}, "the values run from 0 to 0.25, less than two of the levels 0..255", NormalizeMinMax},
		"a sheet":           {Output{Tensor: tensor.From([]float32{0, 1, 0, 1, 0, 1, 0, 0.5}, 2, 2, 2, 1)}, "the values run from 0 to 1, less than two of the levels 0..255", NormalizeMinMax},
		"infinite":          {Output{Tensor: tensor.From([]float32{inf, 0.5, 0, 0.25}, 1, 4)}, "", NormalizeNone},
	} {
		var got []Note
		for _, n := range notesOn(t, c.o) {
			if !strings.HasPrefix(n.Text, "clipped") {
				got = append(got, n)
			}
		}
		switch {
		case c.text == "" && got == nil:
		case len(got) != 1 || got[0].Text != c.text || got[0].Stretch != c.stretch:
			t.Errorf("%s: got %q, want %q, %s", name, got, c.text, c.stretch)
		}
	}
}
