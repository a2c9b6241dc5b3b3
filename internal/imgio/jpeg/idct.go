package jpeg

import "github.com/poolctl/poolctl/internal/imgio/raster"

// The inverse transform is the one by Loeffler, Ligtenberg and Moschytz (ICASSP
// 1989) with twelve multiplications. Its fixed-point arithmetic is that of
// libjpeg's accurate decoder: constants of 13 bits, and two extra bits between the
// passes. So the results are equal.
const (
	dctBits  = 13
	dctExtra = 2

	dct0298 = 2446
	dct0390 = 3196
	dct0541 = 4433
	dct0765 = 6270
	dct0899 = 7373
	dct1175 = 9633
	dct1501 = 12299
	dct1847 = 15137
	dct1961 = 16069
	dct2053 = 16819
	dct2562 = 20995
	dct3072 = 25172
)

// transform dequantises by q and writes the samples of the block, eight rows
// stride bytes apart.
func (k *block) transform(dst []uint8, stride int, q *[64]int32) {
	c := &k.coefficients
	if !k.used {
		v := raster.Clamp8((int32(c[0])*q[0]+4)>>3 + 128)
		for y := range 8 {
			row := (*[8]uint8)(dst[y*stride:])
			for x := range row {
				row[x] = v
			}
		}
		return
	}
	var w [64]int32
	for x := range 8 {
		if k.columns>>x&1 == 0 {
			v := int32(c[x]) * q[x] << dctExtra
			for y := range 8 {
				w[8*y+x] = v
			}
			continue
		}
		y0, y1, y2, y3, y4, y5, y6, y7 := idct8(
			int32(c[x])*q[x], int32(c[8+x])*q[8+x], int32(c[16+x])*q[16+x], int32(c[24+x])*q[24+x],
			int32(c[32+x])*q[32+x], int32(c[40+x])*q[40+x], int32(c[48+x])*q[48+x], int32(c[56+x])*q[56+x])
		const shift, half = dctBits - dctExtra, 1 << (dctBits - dctExtra - 1)
		w[x], w[8+x], w[16+x], w[24+x] = (y0+half)>>shift, (y1+half)>>shift, (y2+half)>>shift, (y3+half)>>shift
		w[32+x], w[40+x], w[48+x], w[56+x] = (y4+half)>>shift, (y5+half)>>shift, (y6+half)>>shift, (y7+half)>>shift
	}
	for y := range 8 {
		in := (*[8]int32)(w[8*y:])
		x0, x1, x2, x3, x4, x5, x6, x7 := idct8(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7])
		const shift = dctBits + dctExtra + 3
		const middle = 128<<shift + 1<<(shift-1)
		row := (*[8]uint8)(dst[y*stride:])
		row[0], row[1], row[2], row[3] = raster.Clamp8((x0+middle)>>shift), raster.Clamp8((x1+middle)>>shift), raster.Clamp8((x2+middle)>>shift), raster.Clamp8((x3+middle)>>shift)
		row[4], row[5], row[6], row[7] = raster.Clamp8((x4+middle)>>shift), raster.Clamp8((x5+middle)>>shift), raster.Clamp8((x6+middle)>>shift), raster.Clamp8((x7+middle)>>shift)
	}
}

// idct8 transforms eight coefficients. The results are scaled by 1<<dctBits.
func idct8(c0, c1, c2, c3, c4, c5, c6, c7 int32) (y0, y1, y2, y3, y4, y5, y6, y7 int32) {
	turn := (c2 + c6) * dct0541
	even2, even3 := turn-c6*dct1847, turn+c2*dct0765
	even0, even1 := (c0+c4)<<dctBits, (c0-c4)<<dctBits
	a0, a3 := even0+even3, even0-even3
	a1, a2 := even1+even2, even1-even2

	all := (c7 + c3 + c5 + c1) * dct1175
	s73, s51 := all-(c7+c3)*dct1961, all-(c5+c1)*dct0390
	s71, s53 := (c7+c1)*dct0899, (c5+c3)*dct2562
	b0 := c7*dct0298 - s71 + s73
	b1 := c5*dct2053 - s53 + s51
	b2 := c3*dct3072 - s53 + s73
	b3 := c1*dct1501 - s71 + s51
	return a0 + b3, a1 + b2, a2 + b1, a3 + b0, a3 - b0, a2 - b1, a1 - b2, a0 - b3
}
