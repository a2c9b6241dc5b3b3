package imgio

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/imgio/imgiotest"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestExactFormats writes and reads back pictures in the lossless formats, with
// every number of channels and every depth.
func TestExactFormats(t *testing.T) {
	dir := t.TempDir()
	cases := []struct {
		ext             string
		depth, channels int
		back            int // channels that are read
	}{
		{".tif", 8, 1, 1}, {".tif", 8, 3, 3}, {".tiff", 8, 4, 4}, {".tif", 16, 1, 1}, {".tif", 8, 2, 2}, {".tif", 16, 2, 2}, {".tif", 16, 3, 3}, {".tif", 16, 4, 4},
		{".bmp", 8, 1, 3}, {".bmp", 8, 3, 3}, {".bmp", 8, 4, 4},
		{".pgm", 8, 1, 1}, {".ppm", 16, 3, 3}, {".pam", 8, 2, 2}, {".pam", 16, 4, 4}, {".pnm", 16, 1, 1},
		{".bmp", 8, 2, 4}, // grey with alpha becomes RGBA
	}
	for _, c := range cases {
		for _, size := range [][2]int{{1, 1}, {5, 3}, {7, 1}, {201, 203}} {
			want := imgiotest.RandomPicture(9, c.depth, size[0], size[1], c.channels)
			name := filepath.Join(dir, fmt.Sprintf("%d-%d%s", c.depth, c.channels, c.ext))
			notes := save(t, Output{Name: name, Tensor: want, Depth: c.depth})
			got, _ := mustRead(t, name, Options{})
			if c.back != c.channels {
				want = tripledTensor(want)
				if told := len(notes) == 1 && notes[0].Text == "grey with alpha was written as RGBA"; told != (c.channels == 2) {
					t.Errorf("%s: got notes %v", name, notes)
				}
			} else if len(notes) > 0 {
				t.Errorf("%s: got notes %v, want none", name, notes)
			}
			imgiotest.SameBits(t, got, want)
		}
	}
}

// tripledTensor repeats the grey of each pixel.
func tripledTensor(t *tensor.Tensor) *tensor.Tensor {
	h, w, c := t.Shape[1], t.Shape[2], t.Shape[3]
	out := tensor.New(tensor.Spec{DType: t.DType, Shape: tensor.Shape{1, h, w, c + 2}})
	size := t.DType.Size()
	src, dst := tensor.Bytes(t), tensor.Bytes(out)
	for i := range h * w {
		pixel := src[i*c*size : (i+1)*c*size]
		copy(dst[i*(c+2)*size:], bytes.Repeat(pixel[:size], 2))
		copy(dst[(i*(c+2)+2)*size:], pixel)
	}
	return out
}

// TestJPEGOut writes grey and RGB at several qualities.
func TestJPEGOut(t *testing.T) {
	dir := t.TempDir()
	for _, channels := range []int{1, 3} {
		want := imgiotest.RandomPicture(2, 8, 120, 160, channels)
		var sizes []int
		for _, quality := range []int{30, 0, 100} {
			name := filepath.Join(dir, fmt.Sprintf("%d-%d.jpeg", channels, quality))
			save(t, Output{Name: name, Tensor: want, Quality: quality})
			got, info := mustRead(t, name, Options{})
			if !got.Shape.Equal(want.Shape) || info.Format != "jpeg" {
				t.Fatalf("got %s as %s", got.Spec, info.Format)
			}
			sum := 0
			for i, v := range tensor.Of[uint8](got) {
				sum += abs(int(v) - int(tensor.Of[uint8](want)[i]))
			}
			if mean := float64(sum) / float64(got.Len()); mean > 8 {
				t.Errorf("quality %d: got a mean distance of %.1f levels, want <= 8", quality, mean)
			}
			file, _ := os.Stat(name)
			sizes = append(sizes, int(file.Size()))
		}
		if !(sizes[0] < sizes[1] && sizes[1] < sizes[2]) {
			t.Errorf("got %d bytes for quality 30, default, 100: want them to grow", sizes)
		}
	}
	_, err := WriteAll([]Output{{Name: filepath.Join(dir, "a.jpg"), Tensor: imgiotest.RandomPicture(1, 8, 4, 4, 4)}}, WriteOptions{})
	imgiotest.WantError(t, err, "a.jpg: jpeg: got 4 channels, the last of them alpha, which the format cannot hold: write a PNG or TIFF, or drop the channel")
	_, err = WriteAll([]Output{{Name: filepath.Join(dir, "a.jpg"), Tensor: imgiotest.RandomPicture(1, 8, 4, 4, 3), Quality: 101}}, WriteOptions{})
	imgiotest.WantError(t, err, "jpeg: got quality 101, want 1 to 100")
	_, err = WriteAll([]Output{{Name: filepath.Join(dir, "a.jpg"), Tensor: imgiotest.RandomPicture(1, 8, 1, 65536, 1)}}, WriteOptions{})
	imgiotest.WantError(t, err, "jpeg: got size 65536x1, want sides <= 65535")
}

func TestGIFOut(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.gif")
	few := tensor.New(tensor.Spec{DType: tensor.Uint8, Shape: tensor.Shape{1, 32, 40, 4}})
	for i := range 32 * 40 {
		p := tensor.Of[uint8](few)[4*i:]
		if i%7 != 0 {
			p[0], p[1], p[2], p[3] = uint8(i%15*16), uint8(i%17*15), 9, 255
		}
	}
	if notes := save(t, Output{Name: name, Tensor: few}); len(notes) > 0 {
		t.Errorf("255 colours and transparency: got notes %v, want none", notes)
	}
	got, _ := mustRead(t, name, Options{})
	imgiotest.SameBits(t, got, few)

	many := imgiotest.RandomPicture(4, 8, 200, 300, 3)
	notes := save(t, Output{Name: name, Tensor: many})
	if len(notes) != 1 || !strings.Contains(notes[0].String(), "colours were reduced to 256 (median cut, Floyd-Steinberg dithering)") {
		t.Errorf("got notes %v", notes)
	}
	got, _ = mustRead(t, name, Options{})
	// Dithering preserves the mean of each channel in blocks of 10 by 10.
	for y := 0; y < 200; y += 10 {
		for x := 0; x < 300; x += 10 {
			for c := range 3 {
				sum := 0
				for i := range 100 {
					at := ((y+i/10)*300+x+i%10)*3 + c
					sum += int(tensor.Of[uint8](got)[at]) - int(tensor.Of[uint8](many)[at])
				}
				if abs(sum) > 600 {
					t.Fatalf("block (%d,%d), channel %d: got a mean off by %d levels, want <= 6", y, x, c, sum/100)
				}
			}
		}
	}
	half := tensor.From([]uint8{1, 2, 3, 128}, 1, 1, 1, 4)
	_, err := WriteAll([]Output{{Name: name, Tensor: half}}, WriteOptions{})
	imgiotest.WantError(t, err, "gif: got pixels that are partly transparent", "write a PNG or TIFF")
}

// TestDepths writes 16-bit samples into 8-bit formats: the nearest v/257.
func TestDepths(t *testing.T) {
	wide := tensor.From([]uint16{0, 128, 129, 257, 65535, 40000}, 1, 1, 6, 1)
	for _, ext := range []string{".bmp", ".gif"} {
		name := filepath.Join(t.TempDir(), "a"+ext)
		notes := save(t, Output{Name: name, Tensor: wide, Depth: 16})
		if len(notes) != 1 || notes[0].Text != "16-bit samples were divided by 257: the format has 8 bits" {
			t.Errorf("%s: got notes %v", ext, notes)
		}
		got, _ := mustRead(t, name, Options{})
		for i, want := range []uint8{0, 0, 1, 1, 255, 156} {
			if v := tensor.Of[uint8](got)[3*i]; v != want {
				t.Errorf("%s: sample %d: got %d, want %d", ext, i, v, want)
			}
		}
	}
	_, err := WriteAll([]Output{{Name: filepath.Join(t.TempDir(), "a.png"), Tensor: wide, Depth: 12}}, WriteOptions{})
	imgiotest.WantError(t, err, "png: got depth 12, want 8 or 16")
}

// TestRounding checks rounding, clipping and the number of clipped values.
func TestRounding(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	values := []float64{0.5, 1.5, 2.4999, 254.5, 255.49, -0.5, -0.51, 256, inf, -inf, nan, 7}
	want := []uint8{0, 2, 2, 254, 255, 0, 0, 255, 255, 0, 0, 7}
	name := filepath.Join(t.TempDir(), "a.png")
	notes := save(t, Output{Name: name, Tensor: tensor.From(values, 1, 3, 4, 1)})
	got, _ := mustRead(t, name, Options{})
	if !bytes.Equal(tensor.Of[uint8](got), want) {
		t.Errorf("got %v, want %v", got.Data, want)
	}
	if len(notes) != 1 || notes[0].Clipped != 5 || notes[0].Text != "clipped 5 of 12 values to 0..255 (1 NaN, written as 0)" {
		t.Errorf("got notes %v, want 5 values clipped", notes)
	}
	notes = save(t, Output{Name: name, Tensor: tensor.From([]int64{-1, 65535, 65536, math.MaxInt64}, 2, 2), Depth: 16})
	got, _ = mustRead(t, name, Options{})
	imgiotest.SameBits(t, got, tensor.From([]uint16{0, 65535, 65535, 65535}, 1, 2, 2, 1))
	if len(notes) != 1 || notes[0].Clipped != 3 {
		t.Errorf("got notes %v, want 3 values clipped", notes)
	}
}

// TestEveryType writes the same picture from every element type.
func TestEveryType(t *testing.T) {
	want := tensor.From([]uint8{0, 1, 100, 127, 0, 7}, 1, 2, 3, 1)
	for _, d := range tensor.DTypes() {
		x, _ := tensor.Converted(want, d)
		name := filepath.Join(t.TempDir(), "a.png")
		if notes := save(t, Output{Name: name, Tensor: x}); len(notes) > 0 {
			t.Errorf("%s: got notes %v", d, notes)
		}
		got, _ := mustRead(t, name, Options{})
		imgiotest.SameBits(t, got, want)
	}
}

func TestNormalize(t *testing.T) {
	cases := []struct {
		how    Normalize
		depth  int
		values []float64
		want   []float64
	}{
		{NormalizeMinMax, 8, []float64{-2, 0, 2, -1}, []float64{0, 128, 255, 64}},
		{NormalizeMinMax, 16, []float64{5, 6, 7, 5}, []float64{0, 32768, 65535, 0}},
		{NormalizeMinMax, 8, []float64{3, 3, 3, 3}, []float64{0, 0, 0, 0}},
		{NormalizeMinMax, 8, []float64{-math.MaxFloat64, 0, math.MaxFloat64, 0}, []float64{0, 128, 255, 128}},
		{NormalizeSymmetric, 8, []float64{-2, 0, 1, 2}, []float64{0, 128, 191, 255}},
		{NormalizeSymmetric, 8, []float64{0, 0, 0, 0}, []float64{128, 128, 128, 128}},
		{NormalizeSymmetric, 16, []float64{-1, 0, 0.5, 0}, []float64{0, 32768, 49151, 32768}},
	}
	for _, c := range cases {
		name := filepath.Join(t.TempDir(), "a.png")
		if notes := save(t, Output{Name: name, Tensor: tensor.From(c.values, 2, 2), Depth: c.depth, Normalize: c.how}); len(notes) > 0 {
			t.Errorf("%v %v: got notes %v", c.how, c.values, notes)
		}
		got, _ := mustRead(t, name, Options{})
		for i, want := range c.want {
			if v := got.At(i); v != want {
				t.Errorf("%v %v, value %d: got %v, want %v", c.how, c.values, i, v, want)
			}
		}
	}
	// Alpha is not stretched.
	name := filepath.Join(t.TempDir(), "a.png")
	save(t, Output{Name: name, Tensor: tensor.From([]float32{-1, 100, 1, 200}, 1, 1, 2, 2), Normalize: NormalizeMinMax})
	got, _ := mustRead(t, name, Options{})
	imgiotest.SameBits(t, got, tensor.From([]uint8{0, 100, 255, 200}, 1, 1, 2, 2))

	for i, name := range NormalizeNames() {
		if n, err := ParseNormalize(name); err != nil || int(n) != i || n.String() != name {
			t.Errorf("%s: got %v, %v", name, n, err)
		}
	}
	_, err := ParseNormalize("max")
	imgiotest.WantError(t, err, `got "max", want one of none, minmax, symmetric`)
}

// TestLayouts writes the same picture in every layout that can hold it.
func TestLayouts(t *testing.T) {
	dir := t.TempDir()
	want := imgiotest.RandomPicture(6, 8, 12, 17, 3)
	first := tensor.Permuted(want, []int{0, 3, 1, 2})
	for layout, out := range map[tensor.Layout]*tensor.Tensor{
		tensor.NHWC: want, "": want, tensor.NCHW: first, tensor.HWC: want.Reshaped(tensor.Shape{12, 17, 3}),
	} {
		name := filepath.Join(dir, "a.png")
		save(t, Output{Name: name, Tensor: out, Layout: layout})
		got, _ := mustRead(t, name, Options{})
		imgiotest.SameBits(t, got, want)
	}
	_, err := WriteAll([]Output{{Name: filepath.Join(dir, "a.png"), Tensor: want, Layout: tensor.NWC}}, WriteOptions{})
	imgiotest.WantError(t, err, "a.png: png: got shape (1,12,17,3) of rank 4, want rank 3 for NWC")
	_, err = WriteAll([]Output{{Name: filepath.Join(dir, "a.png"), Tensor: tensor.From([]float32{1}, 1)}}, WriteOptions{})
	imgiotest.WantError(t, err, "as a picture: got rank 1")
	_, err = WriteAll([]Output{{Name: filepath.Join(dir, "a.png"), Tensor: tensor.From([]float32{}, 1, 0, 3, 3)}}, WriteOptions{})
	imgiotest.WantError(t, err, "got shape (1,0,3,3), want at least one value for a picture")
}
