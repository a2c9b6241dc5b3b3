package scene

import (
	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
)

// Fonts are the Go fonts, regular and bold. golang.org/x/image has them, under the
// licence of Go.
type Fonts struct {
	regular, bold *opentype.Font
	faces         map[faceKey]font.Face
}

type faceKey struct {
	size float64
	bold bool
}

// LoadFonts parses the fonts, which are part of the program.
func LoadFonts() (*Fonts, error) {
	regular, err := opentype.Parse(goregular.TTF)
	if err != nil {
		return nil, err
	}
	bold, err := opentype.Parse(gobold.TTF)
	return &Fonts{regular, bold, map[faceKey]font.Face{}}, err
}

// face returns the font at a size in pixels.
func (f *Fonts) face(size float64, bold bool) font.Face {
	key := faceKey{size, bold}
	if face := f.faces[key]; face != nil {
		return face
	}
	from := f.regular
	if bold {
		from = f.bold
	}
	// opentype.NewFace always returns a nil error.
	face, _ := opentype.NewFace(from, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	f.faces[key] = face
	return face
}

// Width returns the width of a line in pixels of a scene.
func (f *Fonts) Width(line string, size float64, bold bool) float64 {
	return float64(font.MeasureString(f.face(size*sharp, bold), line)) / 64 / sharp
}
