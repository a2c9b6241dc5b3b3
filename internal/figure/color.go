package figure

import (
	"image/color"
	"math"
)

// The colours of the card on which pictures are drawn. It is dark and opaque,
// so that a picture looks the same on a white page and on a dark one.
var (
	cardColor  = color.RGBA{0x17, 0x19, 0x1e, 0xff}
	frameColor = color.RGBA{0x3a, 0x3e, 0x47, 0xff}
	textColor  = color.RGBA{0xec, 0xec, 0xe8, 0xff}
	dimColor   = color.RGBA{0xa4, 0xa9, 0xb3, 0xff}
	nanColor   = color.RGBA{0xff, 0x00, 0xff, 0xff}
)

// oklab returns the sRGB colour of OKLab coordinates: lightness 0 to 1, a
// towards red, b towards yellow. In OKLab equal distances look equal: Björn
// Ottosson, "A perceptual color space for image processing", 2020,
// https://bottosson.github.io/posts/oklab/. A colour outside sRGB becomes the
// most saturated one of the same lightness and hue inside it.
func oklab(l, a, b float64) color.RGBA {
	r, g, bl := linearRGB(l, a, b)
	if !inGamut(r, g, bl) {
		lo, hi := 0.0, 1.0 // share of the saturation that fits
		for range 12 {
			mid := (lo + hi) / 2
			if inGamut(linearRGB(l, a*mid, b*mid)) {
				lo = mid
			} else {
				hi = mid
			}
		}
		r, g, bl = linearRGB(l, a*lo, b*lo)
	}
	return color.RGBA{gamma(r), gamma(g), gamma(bl), 0xff}
}

func linearRGB(l, a, b float64) (red, green, blue float64) {
	long := cube(l + 0.3963377774*a + 0.2158037573*b)
	medium := cube(l - 0.1055613458*a - 0.0638541728*b)
	short := cube(l - 0.0894841775*a - 1.2914855480*b)
	return 4.0767416621*long - 3.3077115913*medium + 0.2309699292*short,
		-1.2684380046*long + 2.6097574011*medium - 0.3413193965*short,
		-0.0041960863*long - 0.7034186147*medium + 1.7076147010*short
}

func cube(v float64) float64 { return v * v * v }

func inGamut(r, g, b float64) bool {
	const slack = 1e-4
	return min(r, g, b) >= -slack && max(r, g, b) <= 1+slack
}

// gamma encodes a linear intensity as 8-bit sRGB (IEC 61966-2-1).
func gamma(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * v))
}

// mix returns the colour at a share of the way between two.
func mix(from, to color.RGBA, share float64) color.RGBA {
	channel := func(p, q uint8) uint8 {
		return uint8(math.Round(float64(p) + share*(float64(q)-float64(p))))
	}
	return color.RGBA{channel(from.R, to.R), channel(from.G, to.G), channel(from.B, to.B), 0xff}
}

// diverging returns the colour of a value from -1 to 1: blue below zero, light
// grey at zero, orange-red above. Lightness falls evenly on both sides.
func diverging(v float64) color.RGBA {
	v = min(max(v, -1), 1)
	size := math.Abs(v)
	hue := 40.0
	if v < 0 {
		hue = 250
	}
	chroma := 0.16 * math.Pow(size, 0.8)
	sin, cos := math.Sincos(hue * math.Pi / 180)
	return oklab(0.95-0.45*size, chroma*cos, chroma*sin)
}

// divergingTable holds 257 colours from -1 to 1, so that zero has one of its
// own.
var divergingTable = func() (table [257]color.RGBA) {
	for i := range table {
		table[i] = diverging(float64(i-128) / 128)
	}
	return table
}()
