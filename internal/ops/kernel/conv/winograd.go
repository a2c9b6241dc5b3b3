package conv

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// winograd is a convolution of 3x3 taps at stride 1 by Winograd's minimal
// filtering F(MxM, 3x3) (Lavin and Gray, Fast Algorithms for Convolutional
// Neural Networks, 2016): filter and input tiles are transformed to TxT planes,
// T = M+2, each plane is a matrix product of its own over the channels, and the
// planes are transformed to MxM outputs. That takes T² multiplications instead of
// 9M².
//
// The packed filter is, for each panel of destination channels and each plane,
// [source channel][channel of the panel], padded by a cache line, so that planes
// do not map to the same lines of a cache.
type winograd[F tensor.Floating] struct {
	Spec
	winogradTransforms[F]
	out, in        int // M and T
	planes         int
	axes           [2]*axisPhase // height and width
	size           [2]int        // extents of the source along them
	images         int
	tiles          [2]int     // of an image
	panels         []panel[F] // of destination channels
	widest, width  int        // channels of the widest panel, of all panels
	pixels         int        // tiles of a register tile
	wide           int        // numbers of a tile in a plane of the input
	block, blocks  int        // tiles of a unit, units with the same panels
	chunk, chunks  int        // panels of a unit, units with the same tiles
	vPlane, mPlane int        // numbers of a plane of transformed inputs, of products
}

// linePad is the number of unused numbers between planes.
const linePad = 16

// winogradBytes is the intended size of the transformed inputs of a unit: half of a
// common L2. The filter is read once for each unit, so a unit has at least
// winogradTiles tiles.
const (
	winogradBytes = 1 << 20
	winogradTiles = 36
)

// winogradTilesOf returns the tile sizes of the candidates, the faster one first,
// and whether that one is expected to be faster than a matrix product. There are no
// candidates where Winograd cannot run and was not asked for. Work is counted in
// multiply-adds. The constants say how many of them a transform costs for each
// number of a plane.
func winogradTilesOf(spec *Spec) (tiles []int, ahead bool) {
	if winogradRefusal(spec) != "" && !kernel.Winograd.Takes(spec.Algorithm) {
		return nil, false
	}
	const filter, input, output = 8, 6, 4
	i, o, height, width := float64(spec.Src), float64(spec.Dst), spec.Gather[1].Dst, spec.Gather[2].Dst
	images := float64(spec.N * spec.Gather[0].Dst)
	work := func(out int) float64 {
		planes := float64((out + 2) * (out + 2))
		count := images * float64((height+out-1)/out) * float64((width+out-1)/out)
		return planes * (count*(i*o+input*i+output*o) + filter*i*o)
	}
	tiles = []int{4, 2}
	if work(2) < work(4) {
		tiles = []int{2, 4}
	}
	return tiles, work(tiles[0]) < 9*i*o*images*float64(height)*float64(width)
}

func winogradCandidate[F tensor.Floating](spec *Spec, out int, level kernel.Level) kernel.Candidate[*Kernel] {
	name := fmt.Sprintf("Winograd %dx%d, %s", out, out, level)
	refusal := winogradRefusal(spec)
	if level == kernel.Generic {
		name = fmt.Sprintf("Winograd %dx%d, go", out, out)
	} else if refusal == "" {
		refusal = kernel.LevelRefusal(assembledTiles[F](level) != nil, level, spec.Level)
	}
	unasked := "it rounds differently, and only runs when it is asked for or allowed"
	if spec.AllowWinograd {
		unasked = ""
	}
	algorithm := kernel.Winograd2x2
	if out == 4 {
		algorithm = kernel.Winograd4x4
	}
	return kernel.Candidate[*Kernel]{Name: name, Refusal: refusal, Unasked: unasked, Algorithm: algorithm, Plan: func() *Kernel { return newWinograd[F](*spec, out, level).conv() }}
}

// winogradRefusal says why the algorithm cannot run, or nothing.
func winogradRefusal(spec *Spec) string {
	const refusal = "it takes only filters of 3x3 at stride and dilation 1, in one group"
	for i, taps := range [3]int{1, 3, 3} {
		g := &spec.Gather[i]
		if spec.Groups != 1 || min(g.Period, g.Dst) != 1 { // before an axis of many phases is laid out
			return refusal
		}
		a := newAxis(g)
		if a.phases[0].taps != taps || a.shift != 1 || i > 0 && a.cellStep != 1 || i == 0 && (a.phases[0].cell != 0 || a.dst != a.src) {
			return refusal
		}
	}
	return ""
}

func newWinograd[F tensor.Floating](spec Spec, out int, level kernel.Level) *winograd[F] {
	k := &winograd[F]{Spec: spec, out: out, in: out + 2, winogradTransforms: winogradTransformsOf[F](level, out), images: spec.N * spec.Gather[0].Dst}
	k.planes = k.in * k.in
	for i := range k.axes {
		a := newAxis(&spec.Gather[i+1])
		k.axes[i], k.size[i] = &a.phases[0], a.src
		k.tiles[i] = (a.dst + out - 1) / out
	}
	tiles := []registerTile[F]{{pixels: pixelTile, channels: channelTile}}
	if level > kernel.Generic {
		tiles = assembledTiles[F](level)
		for tiles[len(tiles)-1].channels < k.lanes {
			tiles = tiles[:len(tiles)-1]
		}
	}
	k.panels, k.width = cutPanels(tiles, spec.Dst)
	k.pixels, k.widest, k.wide = tiles[0].pixels, tiles[0].channels, max(spec.Src, k.lanes)
	k.planUnits()
	return k
}

// planUnits chooses how many tiles and panels a unit has.
func (k *winograd[F]) planUnits() {
	all := k.images * k.tiles[0] * k.tiles[1]
	most := max(winogradTiles, winogradBytes/(k.planes*k.wide*tensor.SizeOf[F]()))
	k.blocks = max(1, (all+most-1)/most)
	if k.blocks < fewUnits {
		k.blocks = min(fewUnits, max(k.blocks, all/winogradTiles))
	}
	k.block = ((all+k.blocks-1)/k.blocks + k.pixels - 1) / k.pixels * k.pixels
	k.blocks = (all + k.block - 1) / max(1, k.block)
	k.chunks = 1
	if k.blocks > 0 && k.blocks < fewUnits/4 {
		k.chunks = min(fewUnits/4/k.blocks, len(k.panels))
	}
	k.chunk = (len(k.panels) + k.chunks - 1) / k.chunks
	k.chunks = (len(k.panels) + k.chunk - 1) / k.chunk
	k.vPlane, k.mPlane = k.block*k.wide+linePad, k.block*k.widest+linePad
}

// conv returns the kernel.
func (k *winograd[F]) conv() *Kernel {
	return &Kernel{
		Packed: k.planes * (k.width*k.Src + len(k.panels)*linePad), PackUnits: len(k.panels) * k.packParts(),
		Units: k.blocks * k.chunks, Scratch: k.scratch(), pack: k.pack, run: k.run,
	}
}

// weights returns the planes of panel i and the size of a plane.
func (k *winograd[F]) weights(packed []F, i int) (planes []F, plane int) {
	p := &k.panels[i]
	plane = k.Src*p.tile.channels + linePad
	return packed[k.planes*(p.offset*k.Src+i*linePad):][:k.planes*plane], plane
}

// packParts returns the number of units in which a panel is packed.
func (k *winograd[F]) packParts() int { return (k.Src + packSources - 1) / packSources }

// pack transforms the weights of a panel that meet a few source channels.
func (k *winograd[F]) pack(packedTensor, filterTensor *tensor.Tensor, unit int) {
	packed, filter := tensor.Of[F](packedTensor), tensor.Of[F](filterTensor)
	index, first := unit/k.packParts(), unit%k.packParts()*packSources
	p := &k.panels[index]
	planes, plane := k.weights(packed, index)
	y, x := k.axes[0], k.axes[1]
	tapRow, tapCell := y.tapStep*3*k.Filter.Tap, x.tapStep*k.Filter.Tap
	width, size := p.tile.channels, tensor.SizeOf[F]()
	for i := first; i < min(first+packSources, k.Src); i++ {
		to := planes[i*width:]
		from := filter[(y.tap*3+x.tap)*k.Filter.Tap+i*k.Filter.Src+p.first*k.Filter.Dst:]
		if k.Filter.Dst == 1 && p.count == width {
			k.filter(&to[0], &from[0], nil, k.in*plane*size, plane*size, tapRow*size, tapCell*size, (width-k.lanes)*size)
			continue
		}
		// The taps are copied to where the first planes will be.
		at := (y.tap*3+x.tap)*k.Filter.Tap + i*k.Filter.Src + p.first*k.Filter.Dst
		for t := range 9 {
			row := to[(t/3*k.in+t%3)*plane:][:width]
			for c := range row[:p.count] {
				row[c] = filter[at+t/3*tapRow+t%3*tapCell+c*k.Filter.Dst]
			}
			clear(row[p.count:])
		}
		k.filter(&to[0], &to[0], nil, k.in*plane*size, plane*size, k.in*plane*size, plane*size, (width-k.lanes)*size)
	}
}
