package jpeg

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/imgio/raster"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestDamagedJPEGsAreRefusedAsImageJPEGDoes cuts plain files and changes their
// bytes. The result is read if and only if image/jpeg reads it, and refused with the
// same error.
func TestDamagedJPEGsAreRefusedAsImageJPEGDoes(t *testing.T) {
	for _, name := range []string{"jpeg-restart.jpg", "jpeg-narrow.jpg", "jpeg-grey.jpg"} {
		whole, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if parsePlain(whole) == nil {
			t.Fatalf("%s is not plain", name)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for at := range whole {
			if at%7 == 0 {
				checkDamaged(t, name, at, whole[:at])
			}
			data := bytes.Clone(whole)
			data[at] ^= 1 << rng.IntN(8)
			checkDamaged(t, name, at, data)
		}
	}
}

func checkDamaged(t *testing.T, name string, at int, data []byte) {
	t.Helper()
	if _, _, err := Open(imgiotest.File(data), raster.Options{NoOrient: true, MaxPixels: 1 << 14}); err != nil {
		return // image/jpeg refuses the header
	}
	_, want := jpeg.Decode(bytes.NewReader(data))
	_, _, got := imgiotest.Decode(Open, data, raster.Options{NoOrient: true})
	if got != nil && want != nil && got.Error() == want.Error() || got == nil && want == nil {
		return
	}
	t.Errorf("%s, damaged at %d: got %v, image/jpeg says %v", name, at, got, want)
}

// image/jpeg differs from libjpeg by at most farthest levels, in at most mostOthers
// of the samples, since its inverse transform rounds differently.
const (
	farthest   = 3
	mostOthers = 0.05
)

// TestPlainJPEGIsNearImageJPEG compares the two decoders in sizes around those of
// blocks and MCUs. They differ by rounding only.
func TestPlainJPEGIsNearImageJPEG(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, size := range []int{1, 7, 8, 9, 15, 16, 17, 31, 33, 70} {
		for _, grey := range []bool{false, true} {
			rect := image.Rect(0, 0, size, 71-size)
			var img image.Image
			if grey {
				g := image.NewGray(rect)
				for i := range g.Pix {
					g.Pix[i] = uint8(rng.Uint32())
				}
				img = g
			} else {
				c := image.NewRGBA(rect)
				for y := range rect.Dy() {
					for x := range rect.Dx() {
						c.Set(x, y, color.RGBA{uint8(3 * x), uint8(rng.IntN(256)), uint8(3 * y), 255})
					}
				}
				img = c
			}
			var file bytes.Buffer
			if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: 95}); err != nil {
				t.Fatal(err)
			}
			p := parsePlain(file.Bytes())
			if p == nil {
				t.Fatalf("%v: not plain", rect)
			}
			spec := raster.Header{Width: rect.Dx(), Height: rect.Dy(), Channels: len(p.parts), Depth: 8}.Spec()
			got, want := tensor.New(spec), tensor.New(spec)
			if err := p.decode(got, nil); err != nil {
				t.Fatalf("%v: %v", rect, err)
			}
			decoded, err := jpeg.Decode(&file)
			if err == nil {
				err = convert(want, decoded, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			if share, far := imgiotest.Distance(tensor.Of[uint8](got), tensor.Of[uint8](want)); far > farthest || share > 2*mostOthers {
				t.Errorf("%v: %.1f %% of the samples differ, by %d at most", rect, 100*share, far)
			}
		}
	}
}
