package conv

import (
	"unsafe"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// outer adds up the products of a few channels with a row of columns as wide as the
// tile, over lines of n windows. The channels of a window are step bytes from those
// of the next. Columns are packed: those of the next window follow, and gap bytes
// are skipped behind each line. sums has a row for each channel.
type outer[F tensor.Floating] func(sums, channels *F, step int, columns *F, n, lines, gap int)

// outerTile is an outer function with its number of channels.
type outerTile[F tensor.Floating] struct {
	channels int
	sum      outer[F]
}

// outerTiles are the tiles of one width, from most channels to one.
type outerTiles[F tensor.Floating] struct {
	columns int
	tiles   []outerTile[F]
}

// filterGemm is the gradient of a filter as a matrix product. Rows are small
// channels, columns are taps by large channels, and the sum is over all windows.
// Both sides are packed in panels of a register tile, a block of windows at a time.
// Rows are packed once for all units, or not at all where few panels read them. The
// sums of a chunk, a few blocks, are then added up in float64. A block is a few
// lines; a line is a row of windows, or a part of one.
//
// At stride 1 neighbouring taps of a row see the same cells, shifted by a few
// windows. Where panels are channels of one tap, the cells of a line are therefore
// packed once for all taps of the row, and each tap's panel begins at another cell.
//
// The buffer holds the packed small tensor, if it is packed: for each block and tile
// of channels of a group, [window][channel of the tile]. Then come the sums: for each
// part, group and panel, [channel][column].
//
// Columns are zero over padding. Together with an infinite or NaN upstream gradient
// that gives NaN, so a panel whose result is not finite is computed again without
// padding.
type filterGemm[F tensor.Floating] struct {
	FilterGradientSpec
	largeGroup, smallGroup int
	windows                int // of all images
	lineWindows, lineParts int // most windows of a line; lines of a row
	lines                  int // most lines of a block; 1 where a row has several
	overlap                int // cells of a line of shared columns beyond its windows
	panels                 []gradientPanel[F]
	share                  int // most panels of a unit
	shares                 int // units of a group and a part
	blocks                 int // of windows
	part, parts            int // blocks of a part; parts, which have sums of their own
	size                   int // sums of a group
	widest                 int
	rows                   []outerTile[F] // the tiles that cover the channels of a group
	packed                 int            // numbers of the packed small tensor, 0 if it is not packed
}

// gradientPanel is a few columns, ordered by tap, then channel.
type gradientPanel[F tensor.Floating] struct {
	outerTiles[F]
	first, count int
	at           int // where its sums begin
	shift        int // cells from the first of a packed line to the panel's first
	pieces       []columnPiece
}

// columnPiece is columns that lie next to each other in the large tensor.
type columnPiece struct {
	tap   [3]int
	large int // the first channel
	n, at int // columns, and where they begin in the panel
}

const (
	blockWindows = 224     // windows of a block: a panel of them stays in the nearest cache
	chunkBlocks  = 4       // blocks whose sums are added up in the tensor's type
	sumBytes     = 1 << 16 // bytes of a unit's sums, which stay in L2
	fewGradients = 16      // units that keep a few threads busy
	fewPanels    = 8       // panels from which packing rows pays
)

func newFilterGemm[F tensor.Floating](spec FilterGradientSpec, tiles []outerTiles[F]) *filterGemm[F] {
	k := &filterGemm[F]{FilterGradientSpec: spec, largeGroup: spec.Large / spec.Groups, smallGroup: spec.Small / spec.Groups, widest: tiles[0].columns}
	axes := &spec.Geometry.Axes
	k.windows = spec.Geometry.N * axes[0].Out * axes[1].Out * axes[2].Out
	for left := k.smallGroup; left > 0; {
		for _, t := range tiles[0].tiles {
			if t.channels <= left {
				k.rows = append(k.rows, t)
				left -= t.channels
				break
			}
		}
	}
	k.cutLines()
	if k.overlap > 0 {
		k.sharedPanels(tiles[0])
	} else {
		k.apartPanels(tiles)
	}
	for i := range k.panels {
		p := &k.panels[i]
		p.at = k.size
		k.size += k.smallGroup * p.columns
	}
	k.shares = min(len(k.panels), (k.size*tensor.SizeOf[F]()+sumBytes-1)/sumBytes)
	k.share = (len(k.panels) + k.shares - 1) / k.shares
	units := spec.Groups * k.shares
	if len(k.panels) >= fewPanels {
		k.packed = k.Small * k.windows
	}
	k.part = max(1, k.blocks*units/fewGradients)
	k.parts = (k.blocks + k.part - 1) / k.part
	return k
}

// cutLines cuts the windows into lines and blocks, and decides whether taps share
// columns.
func (k *filterGemm[F]) cutLines() {
	x := &k.Geometry.Axes[2]
	width := max(1, x.Out)
	rows := k.windows / width
	k.lineParts = (width + blockWindows - 1) / blockWindows
	k.lineWindows = (width + k.lineParts - 1) / k.lineParts
	k.lines = max(1, blockWindows/width)
	k.blocks = (rows + k.lines - 1) / k.lines * k.lineParts
	if overlap := (x.Size - 1) * x.Dilation; x.Stride == 1 && overlap <= k.lineWindows && k.largeGroup%k.widest == 0 {
		k.overlap = overlap
	}
}

// windowBlock is lines of n windows each. The first window has the number first, and
// is at column x of the row.
type windowBlock struct{ row, lines, x, n, first int }

func (b *windowBlock) windows() int { return b.lines * b.n }

// blockOf returns block i.
func (k *filterGemm[F]) blockOf(i int) windowBlock {
	width := k.Geometry.Axes[2].Out
	b := windowBlock{row: i / k.lineParts * k.lines, x: i % k.lineParts * k.lineWindows}
	b.lines, b.n = min(k.lines, k.windows/width-b.row), min(k.lineWindows, width-b.x)
	b.first = b.row*width + b.x
	return b
}

// sharedPanels lists panels of one tap each. Panels that share cells follow each
// other.
func (k *filterGemm[F]) sharedPanels(tile outerTiles[F]) {
	x := &k.Geometry.Axes[2]
	for row := range k.Geometry.Taps() / x.Size {
		for channel := 0; channel < k.largeGroup; channel += tile.columns {
			for tap := range x.Size {
				p := gradientPanel[F]{outerTiles: tile, first: row*x.Size*k.largeGroup + channel, count: tile.columns, shift: tap * x.Dilation}
				k.cut(&p)
				p.first += tap * k.largeGroup
				k.panels = append(k.panels, p)
			}
		}
	}
}

// apartPanels lists panels that share no columns.
func (k *filterGemm[F]) apartPanels(tiles []outerTiles[F]) {
	for first, all := 0, k.Geometry.Taps()*k.largeGroup; first < all; {
		p := gradientPanel[F]{outerTiles: tiles[0], first: first}
		for _, t := range tiles {
			if t.columns >= all-first {
				p.outerTiles = t
			}
		}
		p.count = min(p.columns, all-first)
		k.cut(&p)
		k.panels = append(k.panels, p)
		first += p.count
	}
}

// tile returns the function for the given number of channels.
func (t *outerTiles[F]) tile(channels int) outer[F] {
	for i := range t.tiles {
		if t.tiles[i].channels == channels {
			return t.tiles[i].sum
		}
	}
	panic("kernel: no register tile of that many channels")
}

// cut lists the pieces of a panel. Neighbouring taps of a row are one piece if their
// channels follow each other in memory.
func (k *filterGemm[F]) cut(p *gradientPanel[F]) {
	width, height := k.Geometry.Axes[2].Size, k.Geometry.Axes[1].Size
	run := k.largeGroup
	if k.Groups == 1 && k.Geometry.Axes[2].Dilation == 1 {
		run *= width
	}
	for at := 0; at < p.count; {
		column := p.first + at
		tap := column / k.largeGroup
		n := min(run-column%run, p.count-at)
		p.pieces = append(p.pieces, columnPiece{[3]int{tap / width / height, tap / width % height, tap % width}, column % k.largeGroup, n, at})
		at += n
	}
}

// gradient returns the kernel.
func (k *filterGemm[F]) gradient() *FilterGradient {
	words := kernel.Words[F](k.lines*(k.lineWindows+k.overlap)*k.widest) + kernel.Words[F](k.share*k.smallGroup*k.widest) + k.share*k.smallGroup*k.widest
	return &FilterGradient{
		Packed: k.packed + k.parts*k.Groups*k.size, PackUnits: k.packUnits(), Units: k.parts * k.Groups * k.shares, FinishUnits: k.Groups * len(k.panels),
		Scratch: max(8*words, k.FilterGradientSpec.plainScratch()), pack: k.pack, run: k.run, finish: k.finish,
	}
}

// sums returns where the sums of a part and group are kept.
func (k *filterGemm[F]) sums(packed []F, part, g int) []F {
	return packed[k.packed+(part*k.Groups+g)*k.size:][:k.size]
}

// packUnits returns the units in which the small tensor is packed.
func (k *filterGemm[F]) packUnits() int {
	if k.packed == 0 {
		return 0
	}
	return k.blocks
}

// shareOf returns the panels of a share of a group.
func (k *filterGemm[F]) shareOf(share int) []gradientPanel[F] {
	return k.panels[share*len(k.panels)/k.shares : (share+1)*len(k.panels)/k.shares]
}

// pack packs a block of windows of the small tensor.
func (k *filterGemm[F]) pack(packedTensor, smallTensor *tensor.Tensor, unit int) {
	block := k.blockOf(unit)
	n, at := block.windows(), block.first*k.Small
	packed, small := tensor.Of[F](packedTensor)[at:][:n*k.Small], tensor.Of[F](smallTensor)[at:][:n*k.Small]
	for g := range k.Groups {
		channel := g * k.smallGroup
		for _, tile := range k.rows {
			copyColumns(packed[channel*n:], small, n, tile.channels, channel, k.Small, tile.channels)
			channel += tile.channels
		}
	}
}

func (k *filterGemm[F]) run(s *kernel.Scratch, largeTensor, smallTensor, packedTensor *tensor.Tensor, unit int) {
	part, g := unit/k.shares/k.Groups, unit/k.shares%k.Groups
	panels := k.shareOf(unit % k.shares)
	large, small, packed := tensor.Of[F](largeTensor), tensor.Of[F](smallTensor), tensor.Of[F](packedTensor)
	bytes := tensor.SizeOf[F]()
	first, last := &panels[0], &panels[len(panels)-1]
	size := last.at + k.smallGroup*last.columns - first.at
	s.Reset()
	columns, sums, totals := kernel.Take[F](s, k.lines*(k.lineWindows+k.overlap)*k.widest), kernel.Take[F](s, size), kernel.Take[float64](s, size)
	clear(totals)
	end := min((part+1)*k.part, k.blocks)
	for block := part * k.part; block < end; block++ {
		if (block-part*k.part)%chunkBlocks == 0 {
			clear(sums)
		}
		b := k.blockOf(block)
		channels, apart := small[b.first*k.Small:][:b.windows()*k.Small][g*k.smallGroup:], 1
		if k.packed > 0 {
			channels, apart = packed[b.first*k.Small+g*k.smallGroup*b.windows():][:k.smallGroup*b.windows()], b.windows()
		}
		n, lines, gap := b.n, b.lines, k.overlap*k.widest*bytes
		if k.overlap == 0 {
			n, lines = n*lines, 1
		}
		for i := range panels {
			p := &panels[i]
			if i == 0 || p.shift == 0 {
				k.packColumns(columns, large, p, g, &b)
			}
			to, o := sums[p.at-first.at:], 0
			for _, row := range k.rows {
				step := k.Small
				if k.packed > 0 {
					step = row.channels
				}
				p.tile(row.channels)(&to[o*p.columns], &channels[o*apart], step*bytes, &columns[p.shift*p.columns], n, lines, gap)
				o += row.channels
			}
		}
		if (block-part*k.part+1)%chunkBlocks == 0 || block+1 == end {
			accumulate(totals, sums)
		}
	}
	to := k.sums(packed, part, g)[first.at:][:size]
	for i, v := range totals {
		to[i] = F(v)
	}
}

// finish adds up the parts of a panel.
func (k *filterGemm[F]) finish(s *kernel.Scratch, dstTensor, largeTensor, smallTensor, packedTensor *tensor.Tensor, unit int) {
	g, panels := unit/len(k.panels), k.panels[unit%len(k.panels):][:1]
	p := &panels[0]
	packed, dst := tensor.Of[F](packedTensor), tensor.Of[F](dstTensor)
	s.Reset()
	totals := kernel.Take[float64](s, k.smallGroup*p.columns)
	clear(totals)
	for part := range k.parts {
		for i, v := range k.sums(packed, part, g)[p.at:][:len(totals)] {
			totals[i] += float64(v)
		}
	}
	odd := false
	for c := range p.count {
		tap, channel := (p.first+c)/k.largeGroup, (p.first+c)%k.largeGroup
		to := dst[tap*k.Filter.Tap+channel*k.Filter.Src+g*k.Filter.Group:]
		for o := range k.smallGroup {
			v := totals[o*p.columns+c]
			odd = odd || v-v != 0 // infinite or NaN
			to[o*k.Filter.Dst] = F(v)
		}
	}
	if odd {
		k.hollow(s, dstTensor, largeTensor, smallTensor, g, panels)
	}
}

// packColumns packs a row of a panel's columns for each window of a block, and for
// each further cell of its lines. Padding is packed as zeros.
func (k *filterGemm[F]) packColumns(columns, large []F, p *gradientPanel[F], g int, b *windowBlock) {
	axes, width, n := &k.Geometry.Axes, p.columns, b.n+k.overlap
	if p.count < width {
		clear(columns[:b.lines*n*width])
	}
	rowSize := axes[2].In * k.Large
	for i := range p.pieces {
		piece := &p.pieces[i]
		at := (b.x*axes[2].Stride-axes[2].Lo+piece.tap[2]*axes[2].Dilation)*k.Large + g*k.largeGroup + piece.large
		for line := range b.lines {
			row := b.row + line
			y, z := row%axes[1].Out, row/axes[1].Out%axes[0].Out
			cy := y*axes[1].Stride - axes[1].Lo + piece.tap[1]*axes[1].Dilation
			cz := z*axes[0].Stride - axes[0].Lo + piece.tap[0]*axes[0].Dilation
			var from []F // stays empty over padding
			if cy >= 0 && cy < axes[1].In && cz >= 0 && cz < axes[0].In {
				image := row / axes[1].Out / axes[0].Out
				from = large[((image*axes[0].In+cz)*axes[1].In+cy)*rowSize:][:rowSize]
			}
			copyColumns(columns[line*n*width+piece.at:], from, n, piece.n, at, axes[2].Stride*k.Large, width)
		}
	}
}

// copyColumns copies count numbers for each of n windows: from at for the first, step
// numbers further for each next one, to places width numbers apart. Numbers outside
// from are zero.
func copyColumns[F tensor.Floating](to, from []F, n, count, at, step, width int) {
	var number F
	bytes := int(unsafe.Sizeof(number))
	slow := count*bytes < 16
	for i := 0; i < n; i++ {
		row := to[i*width:][:count]
		if at >= 0 && at+count <= len(from) {
			if slow {
				copy(row, from[at:])
				at += step
				continue
			}
			inside := min(n-i, (len(from)-count-at)/step+1)
			_ = to[(i+inside-1)*width:][:count]
			copyRows((*byte)(unsafe.Pointer(&row[0])), (*byte)(unsafe.Pointer(&from[at])), inside, width*bytes, step*bytes, count*bytes)
			i += inside - 1
			at += inside * step
			continue
		}
		lo := min(count, max(0, -at))
		hi := max(lo, min(count, len(from)-at))
		clear(row[:lo])
		clear(row[hi:])
		if lo < hi {
			copy(row[lo:hi], from[at+lo:])
		}
		at += step
	}
}

// hollow computes a unit without the taps over padding.
func (k *filterGemm[F]) hollow(s *kernel.Scratch, dst, large, small *tensor.Tensor, g int, panels []gradientPanel[F]) {
	for i := range panels {
		for c := range panels[i].count {
			column := panels[i].first + c
			filterGradient[F](&k.FilterGradientSpec, s, dst, large, small, column/k.largeGroup, g, column%k.largeGroup, 1)
		}
	}
}
