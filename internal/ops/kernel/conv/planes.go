package conv

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// planeRow computes n vectors of each of its outputs, which are room bytes apart.
// A tap is an offset from src in bytes, and a weight for each output.
type planeRow = func(dst *float32, room int, src *float32, taps *int, ntaps int, weights, bias *float32, n int)

// planeFunctions convolve planes, and split n pairs or triples into streams and
// join them again, where n is a multiple of planeLanes.
type planeFunctions struct {
	convolve [mostOutputs]planeRow // by outputs - 1
	split2   func(a, b, src *float32, n int)
	split3   func(a, b, c, src *float32, n int)
	join2    func(dst, a, b *float32, n int)
	join3    func(dst, a, b, c *float32, n int)
}

const (
	planeLanes  = 8
	mostOutputs = 4  // outputs of one call
	mostStreams = 16 // source channels times the stride along the width
	mostPlanes  = 6  // destination channels
	mostFirst   = 8  // destination channels of channels-first data, which needs no joining
	fewProducts = 75 // products of an output up to which mostOfFew channels are allowed
	mostOfFew   = 64
	mostStride  = 2   // along the width
	mostRows    = 64  // from the first to the last row of a window
	planeTile   = 512 // outputs of a strip along the width
	planeBand   = 32  // and along the height
	planeUnits  = 16  // units that a plan should have at least
)

// planeKernel convolves pictures and signals of few channels. Vectors are
// neighbouring cells of one channel. Rows of a strip are split into streams, one
// for each channel and, with a stride, for each column that windows begin at.
// Outputs are computed channel by channel and joined again. A tap of a window is
// then an offset into a stream, whatever the stride and dilation. Channels-first
// data consists of streams already, except for strides and borders.
//
// The packed filter is, for every call's outputs, [tap][source channel][output].
type planeKernel struct {
	Spec
	*planeFunctions
	y, x        axis
	streams     int
	length      int // numbers of a stream
	room        int // numbers of an output's row, in whole vectors
	slots       int // rows of the ring
	tile, tiles int // outputs of a strip along the width
	band, bands int // and along the height
	images      int // or, with a depth, all planes of all images
}

// picture says where an image begins, and the distance in numbers from a row,
// column or channel to the next.
type picture struct{ at, row, column, channel int }

// picture returns the place of an image of the given size and channels.
func (k *planeKernel) picture(image, rows, columns, channels int) picture {
	plane := rows * columns
	if !k.ChannelsFirst {
		return picture{image * plane * channels, columns * channels, channels, 1}
	}
	depth := k.images / k.N
	return picture{(image/depth*channels*depth + image%depth) * plane, columns, 1, depth * plane}
}

// planesRefusal says why the kernel cannot run, or nothing.
func planesRefusal(spec *Spec) string {
	z, y, x := &spec.Gather[0], &spec.Gather[1], &spec.Gather[2]
	switch {
	case spec.DType != tensor.Float32:
		return "it is for float32"
	case spec.eachAlone():
		return "every channel is a group of its own"
	case spec.Groups > 1:
		return fmt.Sprintf("there are %d groups", spec.Groups)
	case spec.smallGroups() > 1 && x.Shift == 1:
		return "rows of groups need not be taken apart"
	case spec.SkipPadding:
		return "it multiplies what lies on padding"
	case z.Size > 1 || z.Shift != 1 || z.Dst != z.Src:
		return "it is for one and two dimensions"
	case y.CellStep < 1 || x.CellStep < 1:
		return "it only walks forward"
	case x.Shift > mostStride:
		return fmt.Sprintf("the stride along the width is %d, want at most %d", x.Shift, mostStride)
	case spec.Src > mostStreams/x.Shift:
		return fmt.Sprintf("%d input channels, want at most %d at stride %d", spec.Src, mostStreams/x.Shift, x.Shift)
	case spec.Dst > spec.mostPlanes():
		return fmt.Sprintf("%d output channels, want at most %d", spec.Dst, spec.mostPlanes())
	case y.Effective() > mostRows || x.Effective() > planeTile:
		return fmt.Sprintf("windows of %dx%d cells, want at most %dx%d", y.Effective(), x.Effective(), mostRows, planeTile)
	}
	return ""
}

// mostPlanes returns the largest number of destination channels for which planes
// are faster than a register tile. A register tile needs channels-first data
// transposed.
func (s *Spec) mostPlanes() int {
	switch {
	case !s.ChannelsFirst:
		return mostPlanes
	case s.taps()*s.Src <= fewProducts:
		return mostOfFew
	}
	return mostFirst
}

func planesCandidate(spec *Spec) kernel.Candidate[*Kernel] {
	refusal := kernel.LevelRefusal(planeTable != nil, kernel.AVX2, spec.Level)
	if refusal == "" {
		refusal = planesRefusal(spec)
	}
	return kernel.Candidate[*Kernel]{Name: "planes, avx2", Refusal: refusal, Algorithm: kernel.Direct, Plan: func() *Kernel { return newPlanes(*spec).conv() }}
}

func newPlanes(spec Spec) *planeKernel {
	k := &planeKernel{Spec: spec, planeFunctions: planeTable, images: spec.N * spec.Gather[0].Dst}
	k.y, k.x = newAxis(&spec.Gather[1]), newAxis(&spec.Gather[2])
	k.streams = spec.Src * k.x.shift
	tile := planeTile * 8 / max(8, k.streams) // so that a window's rows stay in L1 or near it
	k.tiles = max(1, (k.x.dst+tile-1)/tile)
	k.tile = max(1, (k.x.dst+k.tiles-1)/k.tiles)
	k.tiles = (k.x.dst + k.tile - 1) / k.tile
	k.room = kernel.RoundUp(k.tile, planeLanes)
	k.length = k.room + kernel.RoundUp((spec.Gather[2].Effective()-1)/k.x.shift+1, planeLanes) + planeLanes
	k.slots = spec.Gather[1].Effective()
	k.bands = max(1, planeUnits/max(1, k.images*k.tiles), (k.y.dst+planeBand-1)/planeBand)
	k.band = max(1, (k.y.dst+k.bands-1)/k.bands)
	k.bands = (k.y.dst + k.band - 1) / k.band
	return k
}

func (k *planeKernel) conv() *Kernel {
	scratch := kernel.Words[float32]((k.slots+1)*k.row()+k.Dst*k.room+2*max(k.row(), k.Dst*k.room)+k.Dst) + kernel.Words[int](k.taps()*k.Src+k.slots)
	return &Kernel{Packed: k.taps() * k.Src * k.Dst, PackUnits: 1, Units: k.images * k.bands * k.tiles, Scratch: 8 * (scratch + 8), ChannelsFirst: k.ChannelsFirst, pack: k.pack, run: k.run}
}

// row returns the numbers of a row that was split into streams.
func (k *planeKernel) row() int { return k.streams * k.length }

// calls calls do once for each group of outputs that one call computes.
func (k *planeKernel) calls(do func(first, outputs int)) {
	n := (k.Dst + mostOutputs - 1) / mostOutputs // calls of nearly equal size
	for i, first := 0, 0; i < n; i++ {
		outputs := (k.Dst - first + n - i - 1) / (n - i)
		do(first, outputs)
		first += outputs
	}
}

func (k *planeKernel) pack(packedTensor, filterTensor *tensor.Tensor, _ int) {
	packed, filter := tensor.Of[float32](packedTensor), tensor.Of[float32](filterTensor)
	at := 0
	k.calls(func(first, outputs int) {
		for t := range k.taps() {
			for i := range k.Src {
				for o := range outputs {
					packed[at] = filter[t*k.Filter.Tap+i*k.Filter.Src+(first+o)*k.Filter.Dst]
					at++
				}
			}
		}
	})
}

// planeUnit is a band of a strip being computed.
type planeUnit struct {
	*planeKernel
	src           []float32
	from          picture
	ring          []float32 // rows, split into streams; the last one is zeros
	holds         []int     // which row of the image a slot of the ring holds
	first, x0, n  int       // the strip: first column of the source, first output, how many
	taps          []int
	outputs, temp []float32
}

func (k *planeKernel) run(s *kernel.Scratch, dstTensor, srcTensor, packedTensor, biasTensor *tensor.Tensor, unit int) {
	s.Reset()
	u := planeUnit{planeKernel: k}
	tile := unit % k.tiles
	unit /= k.tiles
	band, image := unit%k.bands, unit/k.bands
	u.src, u.from = tensor.Of[float32](srcTensor), k.picture(image, k.y.src, k.x.src, k.Src)
	dst, packed := tensor.Of[float32](dstTensor), tensor.Of[float32](packedTensor)
	to := k.picture(image, k.y.dst, k.x.dst, k.Dst)
	u.ring, u.outputs, u.temp = kernel.Take[float32](s, (k.slots+1)*k.row()), kernel.Take[float32](s, k.Dst*k.room), kernel.Take[float32](s, 2*max(k.row(), k.Dst*k.room))
	bias := kernel.Take[float32](s, k.Dst)
	u.taps, u.holds = kernel.Take[int](s, k.taps()*k.Src), kernel.Take[int](s, k.slots)
	clear(u.ring)
	clear(bias)
	if k.Bias {
		copy(bias, tensor.Of[float32](biasTensor))
	}
	for i := range u.holds {
		u.holds[i] = -1
	}
	u.x0 = tile * k.tile
	u.n = min(k.tile, k.x.dst-u.x0)
	u.first = k.x.phases[0].cell + u.x0*k.x.shift
	for y := band * k.band; y < min((band+1)*k.band, k.y.dst); y++ {
		u.findTaps(k.y.phases[0].cell + y*k.y.shift)
		weights := packed
		k.calls(func(first, outputs int) {
			k.convolve[outputs-1](&u.outputs[first*k.room], 4*k.room, &u.ring[0], &u.taps[0], len(u.taps), &weights[0], &bias[first], k.room/planeLanes)
			weights = weights[len(u.taps)*outputs:]
		})
		row := dst[to.at+y*to.row+u.x0*to.column:]
		if k.ChannelsFirst {
			for o := range k.Dst {
				copy(row[o*to.channel:][:u.n], u.outputs[o*k.room:])
			}
			continue
		}
		k.join(row[:u.n*k.Dst], u.outputs, k.room, k.Dst, u.temp)
	}
}

// findTaps lists the taps of a row of windows whose first tap meets the given
// source row. It splits the rows that no earlier window met.
func (u *planeUnit) findTaps(row int) {
	x := &u.x
	at := 0
	for range u.Gather[1].Size {
		slot := u.slots // padding
		if row >= 0 && row < u.y.src {
			slot = row % u.slots
			if u.holds[slot] != row {
				u.holds[slot] = row
				u.takeApart(u.ring[slot*u.row():][:u.row()], row)
			}
		}
		for j := range u.Gather[2].Size {
			column := j * x.cellStep
			stream := column % x.shift * u.Src
			for i := range u.Src {
				u.taps[at] = 4 * (slot*u.row() + (stream+i)*u.length + column/x.shift)
				at++
			}
		}
		row += u.y.cellStep
	}
}

// takeApart splits a row of the strip into streams. Columns outside the row are
// zeros.
func (u *planeUnit) takeApart(to []float32, row int) {
	x, from := &u.x, u.from.at+row*u.from.row
	groups := u.n + (u.Gather[2].Effective()-1)/x.shift // each of as many columns as the stride
	whole0 := min(groups, max(0, geom.CeilDiv(-u.first, x.shift)))
	whole1 := max(whole0, min(groups, geom.FloorDiv(x.src-u.first, x.shift)))
	if whole0 < whole1 {
		u.takeWhole(to[whole0:], from+(u.first+whole0*x.shift)*u.from.column, whole1-whole0)
	}
	for g := 0; g < groups; g++ {
		if g == whole0 && whole0 < whole1 {
			if g = whole1; g == groups {
				break
			}
		}
		for t := range u.streams {
			column, v := u.first+g*x.shift+t/u.Src, float32(0)
			if column >= 0 && column < x.src {
				v = u.src[from+column*u.from.column+t%u.Src*u.from.channel]
			}
			to[t*u.length+g] = v
		}
	}
}

// takeWhole splits n groups of columns that lie inside the row.
func (u *planeUnit) takeWhole(to []float32, from, n int) {
	if !u.ChannelsFirst {
		u.split(to, u.length, u.streams, u.src[from:], n, u.temp)
		return
	}
	for i := range u.Src {
		cells := u.src[from+i*u.from.channel:]
		if u.x.shift == 1 {
			copy(to[i*u.length:][:n], cells)
		} else {
			u.pairs(to[i*u.length:], to[(u.Src+i)*u.length:], cells, n)
		}
	}
}
