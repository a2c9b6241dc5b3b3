package imgio

import (
	"bufio"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"

	"github.com/poolctl/poolctl/internal/tensor"
)

// openJPEG reads a JPEG's header. Grey has one channel; YCbCr, RGB, CMYK and
// YCCK become RGB.
func openJPEG(in *input, o Options) (Info, decoder, error) {
	config, err := jpeg.DecodeConfig(bufio.NewReader(in.section()))
	if err != nil {
		return Info{}, nil, err
	}
	if err := checkPixels(in.name, JPEG, config.Width, config.Height, o); err != nil {
		return Info{}, nil, err
	}
	channels := 3
	if config.ColorModel == color.GrayModel {
		channels = 1
	}
	stored := pictureInfo(JPEG, config.Width, config.Height, channels, 8)
	info, orientation := stored, 1
	markers := readJPEGMarkers(in.section())
	if !o.NoOrient {
		orientation = markers.orientation
		if turned(orientation) {
			info = pictureInfo(JPEG, config.Height, config.Width, channels, 8)
		}
	}
	info.Decoding = markers.decoding(config.Width, config.Height) // by image/jpeg, as it may come to that
	if in.size <= wholeJPEG(stored.Spec.Shape) {
		info.Decoding += int(in.size)
	}
	if orientation != 1 {
		info.Decoding = max(info.Decoding, channels*config.Width*config.Height)
	}
	return info, func(t *tensor.Tensor, told *tensor.Progress) error {
		if orientation == 1 {
			return decodeJPEG(in, t, told)
		}
		upright := tensor.New(stored.Spec)
		if err := decodeJPEG(in, upright, nil); err != nil {
			return err
		}
		orient(t, upright, orientation)
		return nil
	}, nil
}

// decodeJPEG decodes the file into t, as it is stored.
func decodeJPEG(in *input, t *tensor.Tensor, told *tensor.Progress) error {
	height, width := t.Shape[1], t.Shape[2]
	var damage error
	if plain, err := readPlainJPEG(in, t.Shape); err != nil {
		return err
	} else if plain != nil {
		if damage = plain.decode(t, told); damage == nil {
			return nil
		}
	}
	img, err := jpeg.Decode(bufio.NewReader(in.section()))
	if err != nil {
		return err
	}
	if size := img.Bounds().Size(); size.X != width || size.Y != height {
		return fmt.Errorf("got size %v, the header says %dx%d", size, width, height)
	}
	if damage != nil { // not seen by image/jpeg; rows may have been told
		return damage
	}
	return convertJPEG(t, img, told)
}

// readPlainJPEG reads the file if it is plain and has the shape; nil if not. A
// file much larger than its pixels is not read whole.
func readPlainJPEG(in *input, shape tensor.Shape) (*plainJPEG, error) {
	if in.size > wholeJPEG(shape) {
		return nil, nil
	}
	data := make([]byte, in.size)
	if _, err := in.file.ReadAt(data, 0); err != nil && err != io.EOF {
		return nil, err
	}
	p := parsePlainJPEG(data)
	if p == nil || p.height != shape[1] || p.width != shape[2] || len(p.parts) != shape[3] {
		return nil, nil
	}
	return p, nil
}

// wholeJPEG is the size up to which a file of that shape is read whole.
func wholeJPEG(shape tensor.Shape) int64 { return int64(3*shape[1]*shape[2] + 1<<20) }

// convertJPEG writes a decoded JPEG's pixels into t.
func convertJPEG(t *tensor.Tensor, img image.Image, told *tensor.Progress) error {
	switch img := img.(type) {
	case *image.YCbCr:
		convertYCbCr(tensor.Of[uint8](t), img, told)
	case *image.CMYK:
		convertCMYK(tensor.Of[uint8](t), img)
	default:
		return convertImage(t, img)
	}
	return nil
}

// jpegTables hold libjpeg's conversion of YCbCr to RGB (ITU-R BT.601, full
// range) in 16-bit fixed point.
var jpegTables = func() (t struct{ crR, cbB, crG, cbG [256]int32 }) {
	const half = 1 << 15
	for i := range 256 {
		x := int32(i) - 128
		t.crR[i] = (91881*x + half) >> 16  // 1.40200
		t.cbB[i] = (116130*x + half) >> 16 // 1.77200
		t.crG[i] = -46802 * x              // 0.71414
		t.cbG[i] = -22554*x + half         // 0.34414
	}
	return t
}()

// convertYCbCr converts planes as libjpeg does by default: chroma upsampled by
// the triangle filter where it has half the columns, half the rows, or both,
// and repeated otherwise.
func convertYCbCr(dst []uint8, img *image.YCbCr, told *tensor.Progress) {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	c := newConversion(dst, img, 3)
	bands(height, 16, inOrder(c.rows, func(hi int) { told.Reach(hi * width * 3) }))
}

// conversion is that of one image, of three channels or of its luma alone.
type conversion struct {
	dst      []uint8
	img      *image.YCbCr
	channels int
	up       upsampler
}

func newConversion(dst []uint8, img *image.YCbCr, channels int) *conversion {
	return &conversion{dst, img, channels, newUpsampler(img)}
}

// lookahead returns how many rows of pixels at the end of a row of MCUs depend on
// the next one.
func (c *conversion) lookahead() int {
	if c.channels == 3 && c.up.triangle && c.up.fy == 2 {
		return 1
	}
	return 0
}

// rows converts the rows lo <= y < hi.
func (c *conversion) rows(lo, hi int) {
	width, img, up := c.img.Rect.Dx(), c.img, &c.up
	if c.channels == 1 {
		for y := lo; y < hi; y++ {
			copy(c.dst[y*width:(y+1)*width], img.Y[y*img.YStride:])
		}
		return
	}
	cb, cr := make([]uint8, up.columns*up.fx), make([]uint8, up.columns*up.fx)
	for y := lo; y < hi; y++ {
		up.row(cb, img.Cb, y)
		up.row(cr, img.Cr, y)
		colourRow(c.dst[y*width*3:(y+1)*width*3], img.Y[y*img.YStride:][:width], cb, cr)
	}
}

// colourRow converts a row; dst has three samples for each of luma.
func colourRow(dst, luma, cb, cr []uint8) {
	cb, cr = cb[:len(luma)], cr[:len(luma)]
	for x, l := range luma {
		b, r, l := cb[x], cr[x], int32(l)
		red, green, blue := l+jpegTables.crR[r], l+(jpegTables.cbG[b]+jpegTables.crG[r])>>16, l+jpegTables.cbB[b]
		if uint32(red|green|blue) > 255 {
			red, green, blue = int32(clamp8(red)), int32(clamp8(green)), int32(clamp8(blue))
		}
		p := dst[3*x : 3*x+3 : 3*x+3]
		p[0], p[1], p[2] = uint8(red), uint8(green), uint8(blue)
	}
}

func clamp8(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31)
	}
	return uint8(v)
}

// upsampler brings the chroma planes of an image to its full size.
type upsampler struct {
	fx, fy        int  // how many pixels share a sample
	columns, rows int  // samples that the picture covers
	triangle      bool // smooth, not repeated
	stride        int
}

func newUpsampler(img *image.YCbCr) upsampler {
	factors := map[image.YCbCrSubsampleRatio][2]int{
		image.YCbCrSubsampleRatio444: {1, 1}, image.YCbCrSubsampleRatio422: {2, 1}, image.YCbCrSubsampleRatio420: {2, 2},
		image.YCbCrSubsampleRatio440: {1, 2}, image.YCbCrSubsampleRatio411: {4, 1}, image.YCbCrSubsampleRatio410: {4, 2},
	}[img.SubsampleRatio]
	u := upsampler{fx: factors[0], fy: factors[1], stride: img.CStride}
	u.columns = (img.Rect.Dx() + u.fx - 1) / u.fx
	u.rows = (img.Rect.Dy() + u.fy - 1) / u.fy
	// libjpeg leaves pictures of one or two samples across alone.
	u.triangle = u.fx == 2 && u.columns > 2 || u.fx == 1 && u.fy == 2
	return u
}

// row writes the upsampled samples of picture row y.
func (u upsampler) row(dst, plane []uint8, y int) {
	near := y / u.fy
	at := func(row int) []uint8 { return plane[row*u.stride:][:u.columns] }
	src := at(near)
	if !u.triangle {
		if u.fx == 1 {
			copy(dst, src)
			return
		}
		for i, v := range src {
			for k := range u.fx {
				dst[i*u.fx+k] = v
			}
		}
		return
	}
	if u.fy == 1 {
		triangleAcross(dst, src)
		return
	}
	far := near - 1
	if y%2 == 1 {
		far = near + 1
	}
	other := at(min(max(far, 0), u.rows-1))
	if u.fx == 2 {
		triangleBoth(dst, src, other)
		return
	}
	bias := 1 + y%2
	for i, v := range src {
		dst[i] = uint8((3*int(v) + int(other[i]) + bias) >> 2)
	}
}

// triangleAcross doubles the columns: each new sample is three parts its
// nearest, one part the next nearest.
func triangleAcross(dst, src []uint8) {
	n := len(src)
	dst[0] = src[0]
	for i := range n - 1 {
		a, b := int(src[i]), int(src[i+1])
		dst[2*i+1] = uint8((3*a + b + 2) >> 2)
		dst[2*i+2] = uint8((a + 3*b + 1) >> 2)
	}
	dst[2*n-1] = src[n-1]
}

// triangleBoth doubles columns and rows; near is the nearest row of samples,
// far the next.
func triangleBoth(dst, near, far []uint8) {
	n := len(near)
	far = far[:n]
	a := 3*int(near[0]) + int(far[0])
	dst[0] = uint8((4*a + 8) >> 4)
	for i := range n - 1 {
		b := 3*int(near[i+1]) + int(far[i+1])
		dst[2*i+1] = uint8((3*a + b + 7) >> 4)
		dst[2*i+2] = uint8((a + 3*b + 8) >> 4)
		a = b
	}
	dst[2*n-1] = uint8((4*a + 7) >> 4)
}

// convertCMYK converts inks to RGB without colour management: what each ink
// leaves of the light that black leaves.
func convertCMYK(dst []uint8, img *image.CMYK) {
	width, height := img.Rect.Dx(), img.Rect.Dy()
	bands(height, 16, func(lo, hi int) {
		for y := lo; y < hi; y++ {
			row := img.Pix[y*img.Stride:][:4*width]
			out := dst[y*width*3:][:3*width]
			for x := range width {
				light := 255 - int(row[4*x+3])
				for c := range 3 {
					taken := int(row[4*x+c])*light + 128
					out[3*x+c] = uint8(light - (taken>>8+taken)>>8)
				}
			}
		}
	})
}
