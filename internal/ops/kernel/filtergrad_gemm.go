package kernel

import (
	"runtime"
	"unsafe"

	"github.com/poolctl/poolctl/internal/tensor"
)

// filterGemm is the gradient of a filter as a matrix product: rows are small
// channels, columns taps by large channels, and the sum is over all windows.
// The small tensor is transposed first, so that a channel's numbers are one
// run; columns are packed in panels of a register tile, for a chunk of windows
// at a time. The sums of chunks are added up in float64.
//
// The packed small tensor is, for each chunk, [channel][window]; then for each unit of packing a
// number that is not 0 when padding must not meet its numbers, because one is
// infinite or NaN.
type filterGemm[F tensor.Floating] struct {
	FilterGradientSpec
	largeGroup, smallGroup int
	windows                int // of all images
	rows                   int // small channels of a group, to whole tiles
	panels                 []gradientPanel[F]
	share                  int // panels of a unit
	shares                 int // units of a group
	widest                 int
}

// gradientPanel is a few columns; they follow each other by tap, then channel.
type gradientPanel[F tensor.Floating] struct {
	tile         registerTile[F]
	first, count int
	pieces       []columnPiece
}

// columnPiece is columns that lie next to each other in the large tensor.
type columnPiece struct {
	tap   [3]int
	large int // the first channel
	n, at int // columns, and where they begin in the panel
}

const (
	packWindows  = 16  // windows of a unit of packing: their channels fill cache lines
	chunkWindows = 784 // windows of a chunk: a packed panel of them stays in L2, and an odd number of cache lines does not fall on few sets of it
	mostShare    = 4   // panels of a unit
	fewGradients = 16  // units to share among threads before units grow
)

func newFilterGemm[F tensor.Floating](spec FilterGradientSpec, tiles []registerTile[F]) *filterGemm[F] {
	k := &filterGemm[F]{FilterGradientSpec: spec, largeGroup: spec.Large / spec.Groups, smallGroup: spec.Small / spec.Groups, widest: tiles[0].channels}
	axes := &spec.Geometry.Axes
	k.windows = spec.Geometry.N * axes[0].Out * axes[1].Out * axes[2].Out
	k.rows = (k.smallGroup + tiles[0].pixels - 1) / tiles[0].pixels * tiles[0].pixels
	for first, all := 0, spec.Geometry.Taps()*k.largeGroup; first < all; {
		p := gradientPanel[F]{tile: fitTile(tiles, all-first), first: first}
		p.count = min(p.tile.channels, all-first)
		k.cut(&p)
		k.panels = append(k.panels, p)
		first += p.count
	}
	k.share = min(max(1, len(k.panels)*spec.Groups/fewGradients), mostShare)
	k.shares = (len(k.panels) + k.share - 1) / k.share
	return k
}

// cut lists the pieces of a panel. Neighbouring taps of a row are one piece
// when they and their channels lie next to each other.
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

func (k *filterGemm[F]) packUnits() int { return (k.windows + packWindows - 1) / packWindows }

// gradient returns the kernel.
func (k *filterGemm[F]) gradient() *FilterGradient {
	words := scratchWords[F](chunkWindows*k.widest) + scratchWords[F](k.rows*k.widest) + scratchWords[F](k.widest) +
		2*scratchWords[uintptr](k.rows) + scratchWords[int](1) + k.share*k.smallGroup*k.widest
	return &FilterGradient{
		Packed: k.Small*k.windows + k.packUnits(), PackUnits: k.packUnits(), Units: k.Groups * k.shares,
		Scratch: max(8*words, k.FilterGradientSpec.plainScratch()), pack: k.pack, run: k.run,
	}
}

// pack transposes a few windows of the small tensor.
func (k *filterGemm[F]) pack(packedTensor, smallTensor *tensor.Tensor, unit int) {
	first := unit * packWindows
	n := min(packWindows, k.windows-first)
	packed := tensor.Of[F](packedTensor)
	small := tensor.Of[F](smallTensor)[first*k.Small:][:n*k.Small]
	chunk := first - first%chunkWindows
	run := min(chunkWindows, k.windows-chunk)
	var flag F
	for _, v := range small {
		if v-v != 0 { // infinite or NaN
			flag = 1
		}
	}
	to := packed[chunk*k.Small+first-chunk:]
	for ; n >= 4; n -= 4 {
		a, b, c, d := small[:k.Small], small[k.Small:][:k.Small], small[2*k.Small:][:k.Small], small[3*k.Small:][:k.Small]
		for i := range a {
			row := to[i*run:][:4]
			row[0], row[1], row[2], row[3] = a[i], b[i], c[i], d[i]
		}
		small, to = small[4*k.Small:], to[4:]
	}
	for c := range small {
		to[c%k.Small*run+c/k.Small] = small[c]
	}
	packed[k.Small*k.windows+unit] = flag
}

func (k *filterGemm[F]) run(s *Scratch, dstTensor, largeTensor, smallTensor, packedTensor *tensor.Tensor, unit int) {
	packed, g := tensor.Of[F](packedTensor), unit/k.shares
	first := unit % k.shares * k.share
	panels := k.panels[first:min(first+k.share, len(k.panels))]
	for _, flag := range packed[k.Small*k.windows:] {
		if flag != 0 {
			k.hollow(s, dstTensor, largeTensor, smallTensor, g, panels)
			return
		}
	}
	large, dst := tensor.Of[F](largeTensor), tensor.Of[F](dstTensor)
	s.reset()
	columns, sums, zeros := take[F](s, chunkWindows*k.widest), take[F](s, k.rows*k.widest), take[F](s, k.widest)
	rowsAt, sumsAt := take[uintptr](s, k.rows), take[uintptr](s, k.rows)
	segments := take[int](s, 1)
	totals := take[float64](s, len(panels)*k.smallGroup*k.widest)
	clear(zeros)
	clear(totals)
	segments[0] = 0
	bytes := uintptr(tensor.TypeOf[F]().Size())
	for w0 := 0; w0 < k.windows; w0 += chunkWindows {
		w1 := min(w0+chunkWindows, k.windows)
		for o := range rowsAt {
			channel := g*k.smallGroup + min(o, k.smallGroup-1)
			rowsAt[o] = address(packed[w0*k.Small+channel*(w1-w0):])
		}
		for i := range panels {
			p := &panels[i]
			for o := range sumsAt {
				sumsAt[o] = address(sums) + uintptr(o*p.tile.channels)*bytes
			}
			k.packColumns(columns, large, p, g, w0, w1)
			p.tile.multiply(&rowsAt[0], &sumsAt[0], k.rows/p.tile.pixels, &segments[0], 1, w1-w0, &columns[0], &zeros[0], 0)
			total := totals[i*k.smallGroup*k.widest:][:k.smallGroup*p.tile.channels]
			for j, v := range sums[:len(total)] {
				total[j] += float64(v)
			}
		}
	}
	runtime.KeepAlive(s)
	runtime.KeepAlive(packedTensor)
	for i := range panels {
		p := &panels[i]
		total := totals[i*k.smallGroup*k.widest:]
		for c := range p.count {
			tap, channel := (p.first+c)/k.largeGroup, (p.first+c)%k.largeGroup
			at := tap*k.Filter.Tap + channel*k.Filter.Src + g*k.Filter.Group
			for o := range k.smallGroup {
				dst[at+o*k.Filter.Dst] = F(total[o*p.tile.channels+c])
			}
		}
	}
}

// packColumns fills a row of a panel's columns for each of the windows
// w0 <= w < w1, zeros for padding.
func (k *filterGemm[F]) packColumns(columns, large []F, p *gradientPanel[F], g, w0, w1 int) {
	axes, width := &k.Geometry.Axes, p.tile.channels
	if p.count < width {
		clear(columns[:(w1-w0)*width])
	}
	rowSize := axes[2].In * k.Large
	for i := range p.pieces {
		piece := &p.pieces[i]
		for w := w0; w < w1; {
			x, row := w%axes[2].Out, w/axes[2].Out
			n := min(axes[2].Out-x, w1-w)
			to := columns[(w-w0)*width+piece.at:]
			w += n
			y, z := row%axes[1].Out, row/axes[1].Out%axes[0].Out
			cy := y*axes[1].Stride - axes[1].Lo + piece.tap[1]*axes[1].Dilation
			cz := z*axes[0].Stride - axes[0].Lo + piece.tap[0]*axes[0].Dilation
			var from []F // stays empty over padding
			if cy >= 0 && cy < axes[1].In && cz >= 0 && cz < axes[0].In {
				image := row / axes[1].Out / axes[0].Out
				from = large[((image*axes[0].In+cz)*axes[1].In+cy)*rowSize:][:rowSize]
			}
			at := (x*axes[2].Stride-axes[2].Lo+piece.tap[2]*axes[2].Dilation)*k.Large + g*k.largeGroup + piece.large
			copyColumns(to, from, n, piece.n, at, axes[2].Stride*k.Large, width)
		}
	}
}

// copyColumns copies count numbers for each of n windows: from[at:] for the
// first, step further on for the next, width numbers apart in to. What lies
// outside from is zero.
func copyColumns[F tensor.Floating](to, from []F, n, count, at, step, width int) {
	var number F
	bytes := int(unsafe.Sizeof(number))
	rows := copyRowsOf(count * bytes)
	for i := 0; i < n; i++ {
		row := to[i*width:][:count]
		if at >= 0 && at+count <= len(from) {
			if rows == nil {
				copy(row, from[at:])
				at += step
				continue
			}
			inside := min(n-i, (len(from)-count-at)/step+1)
			_ = to[(i+inside-1)*width:][:count]
			rows((*byte)(unsafe.Pointer(&row[0])), (*byte)(unsafe.Pointer(&from[at])), inside, width*bytes, step*bytes)
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

// hollow computes a unit without what lies over padding.
func (k *filterGemm[F]) hollow(s *Scratch, dst, large, small *tensor.Tensor, g int, panels []gradientPanel[F]) {
	for i := range panels {
		for c := range panels[i].count {
			column := panels[i].first + c
			filterGradient[F](&k.FilterGradientSpec, s, dst, large, small, column/k.largeGroup, g, column%k.largeGroup, 1)
		}
	}
}
