package conv

import (
	"fmt"
	"slices"
	"sort"
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// multiply computes tiles of destinations, one after another. A tile has as many
// destinations as the register tile. For each destination pixels has the address of
// its first source number and dst that of its first channel, to which shift bytes
// are added. All destinations read the same count segments (see tapRun), each of run
// numbers, which are multiplied with as many rows of weights. Then bias is added. A
// row of weights, the bias and the channels of a destination are as wide as the
// register tile.
type multiply[F tensor.Floating] func(pixels, dst *uintptr, tiles int, segments *int, count, run int, weights, bias *F, shift int)

// tapRun is a segment: source numbers that follow each other. It has the offset in
// bytes of the first number from the destination's pixel, and of its row of weights
// from the first row.
type tapRun struct{ src, weights int }

// head returns a list of segments as the functions take it.
func head(runs []tapRun) *int { return (*int)(unsafe.Pointer(unsafe.SliceData(runs))) }

// convolveRow computes n destinations of a row, at least as many as the register
// tile has. srcStep and dstStep are the distances of their cells and of their
// channels in bytes. Segments are as for multiply, with passes*rowUnroll + rest
// numbers each, and their weights follow each other. If stream is not 0, tiles that
// fill cache lines are written past the caches.
type convolveRow[F tensor.Floating] func(src, dst *F, n, srcStep, dstStep int, segments *int, count, passes, rest int, weights, bias *F, stream int)

const rowUnroll = 3

// registerTile is the size of a register tile and its functions.
type registerTile[F tensor.Floating] struct {
	pixels, channels int
	multiply         multiply[F]
	row              convolveRow[F]
}

// gemm is a convolution as a matrix product whose left side, the cells under every
// destination, is never written to memory. Tiles are made of destinations of all
// rows and images in sequence, each given by the address of its cells.
//
// A destination whose window overlaps padding at the left or right has its cells
// copied to a patch first, with zeros for padding. So have the few destinations left
// over when the others are put into tiles. Where windows overlap padding above or
// below only, tiles of such neighbours leave out the taps there.
//
// The packed filter is, for each phase, group and panel of destination channels,
// [tap][source channel][channel of the panel]. Then, for each unit of packing, comes
// a number that is not 0 when a weight is infinite or NaN. A convolution must then
// multiply padding with it, and a transposed one must not.
type gemm[F tensor.Floating] struct {
	Spec
	axes               [3]axis
	phases             []gemmPhase
	taps               int // of all phases
	srcGroup, dstGroup int
	pixels             int // of a tile
	panels             []panel[F]
	width              int // channels of all panels of a group
	widest             int // channels of the widest
	units              int
	chunk, chunks      int // panels of a unit, units of the same destinations
	flags              int // where those of the packed filter begin
	block              int // most destinations of a unit, a multiple of pixels
	patches            int // most destinations that have patches at a time, a multiple of pixels
	patchWords         int // numbers of a patch
	segments           int // most segments of a phase
	rowwise            bool
	rowEnd             int  // destinations at the end of a row that are listed
	stream             bool // write rows past the caches
	flagged            bool // padding is treated differently if some weight is not finite
}

// panel is a few destination channels of a group.
type panel[F tensor.Floating] struct {
	first, count int // channels
	offset       int // of its first column in a row of all panels
	tile         registerTile[F]
}

// gemmPhase is the convolution of the destinations that use the same taps.
type gemmPhase struct {
	axis   [3]*axisPhase
	image  int // destinations of an image
	taps   int
	first  int // its first tap, counted through all phases
	packed int // where its weights begin
	unit   int // the first
	along  int // segments of a row of taps
	run    int // numbers of a segment
}

// overlap reports whether some destinations overlap padding along these axes.
func (p *gemmPhase) overlap(axes ...int) bool {
	return slices.ContainsFunc(axes, func(i int) bool { return p.axis[i].inside0 > 0 || p.axis[i].inside1 < p.axis[i].count })
}

// gemmTap is a tap of the filter, and its position in the phase that uses it.
type gemmTap struct {
	tap, position int
	phase         *gemmPhase
}

// Where a destination has few products, listing its address takes much of the time.
// Rows of at least rowPixels destinations are then computed as rows. The last tile
// of a row overlaps the one before it. A panel that is not full also writes into the
// destinations behind each one, which get their own numbers later. So its tiles go
// from left to right, before those of other panels, and the last destinations of a
// row are listed.
const (
	rowProducts = 256 // most products of a destination's channel
	rowPixels   = 96
)

// streamRowsFrom is the size in bytes of source and destinations from which rows
// are written past the caches. Up to it a large L3 takes them faster.
const streamRowsFrom = 64 << 20

// The intended memory of a unit: distinct source bytes, which stay in a core's L2
// beside a panel, and bytes of patches.
const (
	blockBytes = 1 << 17
	patchBytes = 1 << 19
)

// fewUnits is how many units keep a few threads busy to the end. A filter of more
// than heavyBytes does not stay in L2 and is read again for each block of
// destinations. There are then few blocks, and each unit takes some of the panels.
const (
	fewUnits   = 32
	fewBlocks  = 8
	heavyBytes = 1 << 20
)

// newGemm plans a convolution. The tiles come widest first; their pixels divide
// those of the first.
func newGemm[F tensor.Floating](spec Spec, tiles []registerTile[F]) *gemm[F] {
	k := &gemm[F]{Spec: spec, srcGroup: spec.Src / spec.Groups, dstGroup: spec.Dst / spec.Groups, pixels: tiles[0].pixels, widest: tiles[0].channels}
	for i := range spec.Gather {
		k.axes[i] = newAxis(&spec.Gather[i])
	}
	k.panels, k.width = cutPanels(tiles, k.dstGroup)
	k.plan()
	return k
}

// cutPanels cuts channels into panels, and returns the sum of their widths.
func cutPanels[F tensor.Floating](tiles []registerTile[F], channels int) (panels []panel[F], width int) {
	for first := 0; first < channels; {
		tile := fitTile(tiles, channels-first)
		panels = append(panels, panel[F]{first, min(tile.channels, channels-first), width, tile})
		width += tile.channels
		first += tile.channels
	}
	return panels, width
}

// fitTile returns the narrowest tile that holds all channels, or else the widest.
func fitTile[F tensor.Floating](tiles []registerTile[F], channels int) registerTile[F] {
	fit := tiles[0]
	for _, t := range tiles {
		if t.channels >= channels {
			fit = t
		}
	}
	return fit
}

// plan lists the phases, cuts their destinations into units, and decides how units
// compute rows.
func (k *gemm[F]) plan() {
	bytes := int(k.bytes())
	total, most := 0, 0
	for z := range k.axes[0].phases {
		for y := range k.axes[1].phases {
			for x := range k.axes[2].phases {
				p := gemmPhase{axis: [3]*axisPhase{&k.axes[0].phases[z], &k.axes[1].phases[y], &k.axes[2].phases[x]}, packed: k.flags}
				p.image, p.taps = p.axis[0].count*p.axis[1].count*p.axis[2].count, p.axis[0].taps*p.axis[1].taps*p.axis[2].taps
				k.measureSegments(&p)
				p.first = k.taps
				k.taps += p.taps
				k.flags += k.Groups * k.width * p.taps * k.srcGroup
				k.patchWords, k.segments = max(k.patchWords, p.taps*k.Src), max(k.segments, p.axis[0].taps*p.axis[1].taps*p.along, p.taps)
				total, most = total+k.N*p.image, max(most, k.N*p.image)
				k.phases = append(k.phases, p)
				k.flagged = k.flagged || k.SkipPadding && p.overlap(0, 1, 2) || p.overlap(0, 1) && p.axis[2].inside1-p.axis[2].inside0 >= k.pixels
			}
		}
	}
	k.stream = bytes*(total*k.Dst+k.N*k.axes[0].src*k.axes[1].src*k.axes[2].src*k.Src) >= streamRowsFrom
	k.cutUnits(total, most)
	k.rowwise = k.Groups == 1 && k.patchWords <= rowProducts && (!k.spills() || k.chunks == 1 && k.axes[2].period == 1)
	if k.spills() {
		last := &k.panels[len(k.panels)-1]
		k.rowEnd = (last.tile.channels - last.count + k.Dst - 1) / k.Dst
	}
}

// cutUnits chooses the sizes of units. total is the number of destinations, most
// that of the largest phase.
func (k *gemm[F]) cutUnits(total, most int) {
	bytes := int(k.bytes())
	fresh := bytes * k.Src * k.axes[0].shift * k.axes[1].shift * k.axes[2].shift
	source, least, units := blockBytes, fewUnits, fewUnits/2
	if bytes*k.width*k.patchWords > heavyBytes {
		source, least, units = 2*blockBytes, fewBlocks, fewUnits
	}
	tiles := min(max(source/(fresh*k.pixels), 8), 64)
	tiles = min(tiles, (total+least*k.pixels-1)/(least*k.pixels), (most+k.pixels-1)/k.pixels)
	k.block = max(1, tiles) * k.pixels
	k.patches = max(1, min(k.block, patchBytes/(bytes*max(1, k.patchWords)))/k.pixels) * k.pixels

	blocks := 0
	for i := range k.phases {
		blocks += (k.N*k.phases[i].image + k.block - 1) / k.block
	}
	k.chunks = 1
	if blocks > 0 {
		k.chunks = min((units+blocks-1)/blocks, len(k.panels))
	}
	k.chunk = (len(k.panels) + k.chunks - 1) / k.chunks
	k.chunks = (len(k.panels) + k.chunk - 1) / k.chunk
	for i := range k.phases {
		p := &k.phases[i]
		p.unit = k.units
		k.units += (k.N*p.image + k.block - 1) / k.block * k.chunks
	}
}

// measureSegments says what the runs of source numbers of a destination are whose
// every tap meets a real cell. Neighbouring cells of a row are one run.
func (k *gemm[F]) measureSegments(p *gemmPhase) {
	p.along, p.run = p.axis[2].taps, k.srcGroup
	if k.joined() {
		p.along, p.run = min(p.along, 1), p.along*k.Src
	}
}

// tapAt returns tap i, counted through all phases in packed order.
func (k *gemm[F]) tapAt(i int) gemmTap {
	at := sort.Search(len(k.phases), func(j int) bool { return k.phases[j].first+k.phases[j].taps > i })
	p := &k.phases[at]
	i -= p.first
	tap := func(axis, i int) int { return p.axis[axis].tap + i*p.axis[axis].tapStep }
	x, y, z := i%p.axis[2].taps, i/p.axis[2].taps%p.axis[1].taps, i/p.axis[2].taps/p.axis[1].taps
	return gemmTap{(tap(0, z)*k.Gather[1].Size+tap(1, y))*k.Gather[2].Size + tap(2, x), i, p}
}

// joined reports whether neighbouring taps of a row lie next to each other in
// the source as in the packed filter.
func (k *gemm[F]) joined() bool { return k.Groups == 1 && k.axes[2].cellStep == 1 }

// conv returns the kernel.
func (k *gemm[F]) conv() *Kernel {
	return &Kernel{
		Packed:    k.flags + k.packUnits(),
		PackUnits: k.packUnits(),
		Units:     k.units,
		Scratch:   k.scratch(),
		pack:      k.pack,
		run:       k.run,
	}
}

// gemmName names the widest register tile of a level: 12 or 24 sums of the
// widest vectors.
func gemmName[F tensor.Floating](level kernel.Level) string {
	tile := map[kernel.Level][2]int{kernel.AVX2: {6, 64}, kernel.AVX512: {12, 128}}[level]
	return fmt.Sprintf("implicit GEMM %dx%d, %s", tile[0], tile[1]/tensor.SizeOf[F](), level)
}

// packSources is how many source channels of a tap a unit packs.
const packSources = 64

// packUnits returns the units in which the filter is packed.
func (k *gemm[F]) packUnits() int {
	return k.taps * k.Groups * ((k.srcGroup + packSources - 1) / packSources)
}

// pack packs a few source channels of one tap and group. Units follow the filter's
// order in memory, so that it is read in one stream.
func (k *gemm[F]) pack(packedTensor, filterTensor *tensor.Tensor, unit int) {
	packed, filter := tensor.Of[F](packedTensor), tensor.Of[F](filterTensor)
	parts := (k.srcGroup + packSources - 1) / packSources
	i0 := unit % parts * packSources
	i1 := min(i0+packSources, k.srcGroup)
	g, tap := unit/parts%k.Groups, k.tapAt(unit/parts/k.Groups)
	var flag F
	for i := i0; i < i1; i++ {
		from := filter[tap.tap*k.Filter.Tap+i*k.Filter.Src+g*k.Filter.Group:]
		for j := range k.panels {
			p := &k.panels[j]
			row := k.weights(packed, tap.phase, g, p)[(tap.position*k.srcGroup+i)*p.tile.channels:][:p.tile.channels]
			if k.Filter.Dst == 1 {
				copy(row, from[p.first:p.first+p.count])
			} else {
				for c := range row[:p.count] {
					row[c] = from[(p.first+c)*k.Filter.Dst]
				}
			}
			clear(row[p.count:])
			if k.flagged && !allFinite(row) {
				flag = 1
			}
		}
	}
	packed[k.flags+unit] = flag
}

// allFinite reports whether no number of a row is infinite or NaN. Those have an
// exponent of all ones, to which adding one carries into the sign bit. A row is a
// whole number of words.
func allFinite[F tensor.Floating](row []F) bool {
	digits, one := uint64(1<<63-1), uint64(1<<52)
	if tensor.SizeOf[F]() == 4 {
		digits, one = 0x7fffffff7fffffff, 1<<55|1<<23
	}
	var signs uint64
	for _, word := range unsafe.Slice((*uint64)(unsafe.Pointer(&row[0])), len(row)*tensor.SizeOf[F]()/8) {
		signs |= word&digits + one
	}
	return signs&^digits == 0
}

// weights returns the packed rows of a panel.
func (k *gemm[F]) weights(packed []F, phase *gemmPhase, g int, p *panel[F]) []F {
	steps := phase.taps * k.srcGroup
	return packed[phase.packed+(g*k.width+p.offset)*steps:][:steps*p.tile.channels]
}
