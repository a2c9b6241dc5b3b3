package figure

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/tensor"
)

var (
	inf = math.Inf(1)
	nan = math.NaN()
)

var update = flag.Bool("update", false, "rewrite the golden pictures in testdata")

// pictureOf returns the pixels of a picture, which must be uint8 (H,W,3).
func pictureOf(t *testing.T, p *tensor.Tensor) *image.NRGBA {
	t.Helper()
	if p.DType != tensor.Uint8 || len(p.Shape) != 3 || p.Shape[2] != 3 {
		t.Fatalf("got %s, want uint8 (H,W,3)", p.Spec)
	}
	img := image.NewNRGBA(image.Rect(0, 0, p.Shape[1], p.Shape[0]))
	data := tensor.Of[uint8](p)
	for i := 0; i < len(data)/3; i++ {
		copy(img.Pix[4*i:], data[3*i:3*i+3])
		img.Pix[4*i+3] = 255
	}
	return img
}

// golden compares a picture with testdata/name.png. Levels may differ by 2:
// compilers for some machines fuse multiplications with additions.
func golden(t *testing.T, name string, p *tensor.Tensor) {
	t.Helper()
	got := pictureOf(t, p)
	file := filepath.Join("testdata", name+".png")
	if *update {
		var b bytes.Buffer
		if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, got); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	if want.Bounds() != got.Rect {
		t.Fatalf("%s: size %v, want %v", file, got.Rect.Size(), want.Bounds().Size())
	}
	for y := range got.Rect.Dy() {
		for x := range got.Rect.Dx() {
			p, q := got.NRGBAAt(x, y), color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA)
			if far(p.R, q.R) || far(p.G, q.G) || far(p.B, q.B) {
				t.Fatalf("%s: pixel %d,%d is %v, want %v (look at the new picture with -update)", file, x, y, p, q)
			}
		}
	}
}

func far(a, b uint8) bool { return max(a, b)-min(a, b) > 2 }

// resolve lays a window over an input.
func resolve(t *testing.T, n int, spatial []int, c int, w geom.Window) geom.Geometry {
	t.Helper()
	g, err := geom.Resolve(n, spatial, c, w)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// winnersOf finds the maxima of a channels-last tensor the slow way.
func winnersOf(g geom.Geometry, x *tensor.Tensor) Winners {
	a := &g.Axes
	w := Winners{Geometry: g}
	for n := range g.N {
		for oz := range a[0].Out {
			for oy := range a[1].Out {
				for ox := range a[2].Out {
					for c := range g.C {
						best, at := math.Inf(-1), int64(-1)
						for z := range a[0].In {
							for y := range a[1].In {
								_, inZ := a[0].Tap(oz, z)
								if _, inY := a[1].Tap(oy, y); !inZ || !inY {
									continue
								}
								for x0 := range a[2].In {
									cell := (z*a[1].In+y)*a[2].In + x0
									if _, inX := a[2].Tap(ox, x0); !inX {
										continue
									}
									if v := x.At((n*a[0].In*a[1].In*a[2].In+cell)*g.C + c); v > best {
										best, at = v, int64(cell)
									}
								}
							}
						}
						w.Cell = append(w.Cell, at)
					}
				}
			}
		}
	}
	return w
}

// waves is a smooth field with maxima in many places.
func waves(shape ...int) *tensor.Tensor {
	x := tensor.New(tensor.Spec{DType: tensor.Float32, Shape: shape})
	for i := range tensor.Of[float32](x) {
		v := 0.0
		for axis, k := range x.Shape.Index(i) {
			v += math.Sin(float64(k)*(0.83+0.21*float64(axis)) + 2.1*float64(axis*axis) + v)
		}
		tensor.Of[float32](x)[i] = float32(v)
	}
	return x
}
