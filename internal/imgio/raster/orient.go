package raster

import "github.com/poolctl/poolctl/internal/tensor"

// Upright returns the header and the decoder of a stored picture that is turned
// upright by an EXIF orientation. The picture is decoded as a whole first, so its
// rows are not reported.
func Upright(stored Header, decode Decoder) (Header, Decoder) {
	if stored.Orientation <= 1 {
		return stored, decode
	}
	upright := stored
	if turned(stored.Orientation) {
		upright.Width, upright.Height = stored.Height, stored.Width
	}
	bytes, _ := stored.Spec().Bytes() // the limits on sizes were checked
	upright.Decoding += bytes
	return upright, func(t *tensor.Tensor, _ *tensor.Progress) error {
		picture := tensor.New(stored.Spec())
		if err := decode(picture, nil); err != nil {
			return err
		}
		orient(t, picture, stored.Orientation)
		return nil
	}
}

// turned reports whether an orientation exchanges width and height.
func turned(orientation int) bool { return orientation >= 5 }

// orient turns the stored picture t upright, into out.
func orient(out, t *tensor.Tensor, orientation int) {
	h, w, pixel := t.Shape[1], t.Shape[2], t.Shape[3]*t.DType.Size()
	// The source pixel of output pixel (y, x) is start + y*down + x*right.
	var start, down, right int
	last := h*w - 1
	switch orientation {
	case 2: // mirrored left to right
		start, down, right = w-1, w, -1
	case 3: // rotated by 180°
		start, down, right = last, -w, -1
	case 4: // mirrored top to bottom
		start, down, right = last-(w-1), -w, 1
	case 5: // transposed
		start, down, right = 0, 1, w
	case 6: // to be rotated 90° clockwise
		start, down, right = last-(w-1), 1, -w
	case 7: // mirrored in the other diagonal
		start, down, right = last, -1, -w
	case 8: // to be rotated 90° anticlockwise
		start, down, right = w-1, -1, w
	}
	if turned(orientation) {
		h, w = w, h
	}
	src, dst := tensor.Bytes(t), tensor.Bytes(out)
	const block = 16 // rows at a time, so that columns of a rotated picture are read together
	Bands(h, block, func(lo, hi int) {
		for x := range w {
			for y := lo; y < hi; y++ {
				from := (start + y*down + x*right) * pixel
				copy(dst[(y*w+x)*pixel:(y*w+x+1)*pixel], src[from:from+pixel])
			}
		}
	})
}
