package pnm

import (
	"fmt"
	"slices"

	"github.com/poolctl/poolctl/internal/imgio/format"
	"github.com/poolctl/poolctl/internal/imgio/raster"
)

// Format is PBM, PGM, PPM and PAM. A file named .pnm is PGM or PPM.
var Format = &format.Format{
	Name:       "pnm",
	Magic:      magics(),
	Extensions: []string{".pbm", ".pgm", ".ppm", ".pam", ".pnm"},
	Picture: &format.Picture{Open: Open, Encoder: &format.Encoder{
		MaxSide:  1<<31 - 1,
		Deep:     true,
		Channels: channels,
		Check:    check,
		Write:    Write,
	}},
}

// magics lists P1 to P6 with what may follow them, and PAM's P7, which a line
// feed must follow.
func magics() []string {
	list := []string{"P7\n"}
	for kind := '1'; kind <= '6'; kind++ {
		for _, after := range blanks + "#" {
			list = append(list, fmt.Sprintf("P%c%c", kind, after))
		}
	}
	return list
}

// held are the channels that files of an extension hold.
var held = map[string][]int{".pbm": {1}, ".pgm": {1}, ".ppm": {3}, ".pam": {1, 2, 3, 4}, ".pnm": {1, 3}}

// channels refuses a picture that files of the extension cannot hold.
func channels(n int, o format.Options) (int, error) {
	switch {
	case slices.Contains(held[o.Extension], n):
		return n, nil
	case n == 2 || n == 4:
		return 0, fmt.Errorf("got %d channels, the last of them alpha, which a %s cannot hold: write a .pam, or drop the channel", n, o.Extension)
	case n == 1:
		return 0, fmt.Errorf("got 1 channel, want 3 for a %s: write a .pgm, .pam or .pnm", o.Extension)
	default:
		return 0, fmt.Errorf("got %d channels, want 1 for a %s: write a .ppm, .pam or .pnm", n, o.Extension)
	}
}

// check refuses a .pbm that is not black and white.
func check(r *raster.Raster, o format.Options) ([]string, error) {
	if o.Extension != ".pbm" {
		return nil, nil
	}
	if r.Pix16 != nil {
		return nil, checkLevels(r.Pix16, r.Width)
	}
	return nil, checkLevels(r.Pix8, r.Width)
}

func checkLevels[T uint8 | uint16](pix []T, width int) error {
	for i, v := range pix {
		if v != 0 && v != ^T(0) {
			return fmt.Errorf("got level %d in row %d, column %d, want 0 and %d alone for a .pbm (--normalize minmax stretches two levels to them): write a .pgm",
				v, i/width, i%width, ^T(0))
		}
	}
	return nil
}
