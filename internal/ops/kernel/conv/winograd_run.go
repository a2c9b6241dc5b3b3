package conv

import (
	"runtime"
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// winogradUnit is a unit being computed: tiles lo <= i < hi of all images, and a
// share of the panels.
type winogradUnit[F tensor.Floating] struct {
	*winograd[F]
	src, dst, packed, bias []F
	lo, hi                 int
	v, m                   []F       // transformed inputs and products, [plane][tile][channel]
	patch                  []F       // the cells of a tile that overlaps padding, or the outputs of a tile that overlaps the end
	padded                 []F       // bias of a panel that is narrower than a vector, or zeros
	pixels, products       []uintptr // addresses of each tile's numbers in the first planes of v and m
	segment                []tapRun
}

// scratch returns the bytes that a worker needs.
func (k *winograd[F]) scratch() int {
	words := kernel.Words[F](k.planes*k.vPlane) + kernel.Words[F](k.planes*k.mPlane) + kernel.Words[F](k.patchSize()) + kernel.Words[F](k.widest)
	return 8 * (words + 2*kernel.Words[uintptr](k.block) + 1 + 3*kernel.LineWords)
}

func (k *winograd[F]) patchSize() int {
	return max(k.planes*k.wide, k.out*k.out*k.widest)
}

func (k *winograd[F]) run(s *kernel.Scratch, dstTensor, srcTensor, packedTensor, biasTensor *tensor.Tensor, unit int) {
	u := winogradUnit[F]{winograd: k, src: tensor.Of[F](srcTensor), dst: tensor.Of[F](dstTensor), packed: tensor.Of[F](packedTensor)}
	if k.Bias {
		u.bias = tensor.Of[F](biasTensor)
	}
	u.lo = unit / k.chunks * k.block
	u.hi = min(u.lo+k.block, k.images*k.tiles[0]*k.tiles[1])
	s.Reset()
	u.v, u.m, u.patch = kernel.TakeLines[F](s, k.planes*k.vPlane), kernel.TakeLines[F](s, k.planes*k.mPlane), kernel.TakeLines[F](s, k.patchSize())
	u.padded, u.segment = kernel.Take[F](s, k.widest), kernel.Take[tapRun](s, 1)
	u.pixels, u.products = kernel.Take[uintptr](s, k.block), kernel.Take[uintptr](s, k.block)
	size := unsafe.Sizeof(u.v[0])
	for i := range u.pixels {
		tile := uintptr(min(i, u.hi-u.lo-1)) // the last register tile is completed by repeating the last tile
		u.pixels[i], u.products[i] = address(u.v)+tile*uintptr(k.wide)*size, address(u.m)+tile*uintptr(k.widest)*size
	}
	for i := u.lo; i < u.hi; i++ {
		u.transformInput(i)
	}
	chunk := unit % k.chunks * k.chunk
	for i := chunk; i < min(chunk+k.chunk, len(k.panels)); i++ {
		u.multiply(i)
		bias := u.biasOf(&k.panels[i])
		for tile := u.lo; tile < u.hi; tile++ {
			u.transformOutput(&k.panels[i], bias, tile)
		}
	}
	runtime.KeepAlive(s)
}

// place returns the image and the first output of a tile.
func (k *winograd[F]) place(tile int) (image, y, x int) {
	x, row := tile%k.tiles[1]*k.out, tile/k.tiles[1]
	return row / k.tiles[0], row % k.tiles[0] * k.out, x
}

// transformInput writes a tile's numbers in all planes of v.
func (u *winogradUnit[F]) transformInput(tile int) {
	image, y, x := u.place(tile)
	y, x = y+u.axes[0].cell, x+u.axes[1].cell
	height, width := u.size[0], u.size[1]
	size := int(unsafe.Sizeof(u.v[0]))
	from, row, cell := &u.patch[0], u.in*u.wide, u.wide
	if 0 <= y && y+u.in <= height && 0 <= x && x+u.in <= width && u.Src >= u.lanes {
		from, row, cell = &u.src[((image*height+y)*width+x)*u.Src], width*u.Src, u.Src
	} else {
		for i := range u.planes {
			to := u.patch[i*u.wide:][:u.wide]
			cy, cx, n := y+i/u.in, x+i%u.in, 0
			if 0 <= cy && cy < height && 0 <= cx && cx < width {
				n = copy(to[:u.Src], u.src[((image*height+cy)*width+cx)*u.Src:])
			}
			clear(to[n:])
		}
	}
	u.input(&u.v[(tile-u.lo)*u.wide], from, nil, u.in*u.vPlane*size, u.vPlane*size, row*size, cell*size, (u.wide-u.lanes)*size)
}

// multiply computes the planes of m for a panel.
func (u *winogradUnit[F]) multiply(index int) {
	p := &u.panels[index]
	size := int(unsafe.Sizeof(u.v[0]))
	planes, plane := u.weights(u.packed, index)
	clear(u.padded)
	tiles := (u.hi - u.lo + p.tile.pixels - 1) / p.tile.pixels
	for i := range u.planes {
		weights := planes[i*plane:][:u.Src*p.tile.channels]
		if p.tile.multiply == nil {
			u.plainProducts(i, weights)
			continue
		}
		u.segment[0] = tapRun{src: i * u.vPlane * size}
		p.tile.multiply(&u.pixels[0], &u.products[0], tiles, head(u.segment), 1, u.Src, &weights[0], &u.padded[0], i*u.mPlane*size)
	}
}

// plainProducts computes a plane of m in plain Go.
func (u *winogradUnit[F]) plainProducts(plane int, weights []F) {
	v, m := u.v[plane*u.vPlane:][:u.vPlane], u.m[plane*u.mPlane:][:u.mPlane]
	last := u.hi - u.lo - 1
	for i := 0; i <= last; i += pixelTile {
		var acc [pixelTile * channelTile]F
		var at [pixelTile]int
		for p := range at {
			at[p] = min(i+p, last) * u.wide
		}
		multiplyTile(&acc, v, &at, 0, weights, u.Src)
		copy(m[i*channelTile:], acc[:])
	}
}

// biasOf returns a panel's bias, or zeros, and at least a vector.
func (u *winogradUnit[F]) biasOf(p *panel[F]) []F {
	if u.bias != nil && p.count >= u.lanes {
		return u.bias[p.first:][:p.count]
	}
	clear(u.padded)
	if u.bias != nil {
		copy(u.padded, u.bias[p.first:][:p.count])
	}
	return u.padded
}

// transformOutput writes the outputs of a tile for a panel of channels.
func (u *winogradUnit[F]) transformOutput(p *panel[F], bias []F, tile int) {
	image, y, x := u.place(tile)
	height, width := u.Gather[1].Dst, u.Gather[2].Dst
	rows, cells := min(u.out, height-y), min(u.out, width-x)
	size := int(unsafe.Sizeof(u.v[0]))
	out := u.dst[((image*height+y)*width+x)*u.Dst+p.first:]
	from := &u.m[(tile-u.lo)*u.widest]
	last := (max(p.count, u.lanes) - u.lanes) * size
	if rows == u.out && cells == u.out && p.count >= u.lanes {
		u.output(&out[0], from, &bias[0], width*u.Dst*size, u.Dst*size, u.in*u.mPlane*size, u.mPlane*size, last)
		return
	}
	u.output(&u.patch[0], from, &bias[0], u.out*u.widest*size, u.widest*size, u.in*u.mPlane*size, u.mPlane*size, last)
	for r := range rows {
		for c := range cells {
			copy(out[(r*width+c)*u.Dst:][:p.count], u.patch[(r*u.out+c)*u.widest:])
		}
	}
}
