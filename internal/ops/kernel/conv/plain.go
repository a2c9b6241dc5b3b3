package conv

import (
	"math"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// The register tile: pixelTile destinations by channelTile channels.
const (
	pixelTile   = 4
	channelTile = 4
)

const plainName = "direct 4x4 tiles, go"

// newPlain plans a convolution in plain Go.
func newPlain[F tensor.Floating](spec Spec) *Kernel {
	k := &convolution[F]{Spec: spec, srcGroup: spec.Src / spec.Groups, dstGroup: spec.Dst / spec.Groups}
	k.panels = (k.dstGroup + channelTile - 1) / channelTile
	k.panel = spec.taps() * k.srcGroup * channelTile
	k.voids = spec.taps() * channelTile
	k.rows = newRows(&spec.Gather)
	return &Kernel{
		Packed:    spec.Groups*k.panels*(k.panel+k.voids) + 1,
		PackUnits: 1,
		Units:     spec.N * k.rows.units(),
		pack:      k.pack,
		run:       k.run,
	}
}

// convolution is a planned kernel in plain Go. Its packed filter has three parts.
// First, for every group and panel of channelTile destination channels,
// [tap][source channel][channel]. Then, for every group and panel, the voids
// [tap][channel]: what a tap adds where it lies on padding, which is 0 times its
// weights. Last, a number that is not 0 when some void is not 0, because a weight
// is infinite or NaN.
type convolution[F tensor.Floating] struct {
	Spec
	srcGroup, dstGroup int
	panels             int // of a group
	panel, voids       int // numbers of one
	rows               rows
}

func (k *convolution[F]) pack(packedTensor, filterTensor *tensor.Tensor, _ int) {
	packed, filter := tensor.Of[F](packedTensor), tensor.Of[F](filterTensor)
	clear(packed)
	voids := packed[k.Groups*k.panels*k.panel:]
	for g := range k.Groups {
		for o := range k.dstGroup {
			at := (g*k.panels+o/channelTile)*k.panel + o%channelTile
			void := voids[(g*k.panels+o/channelTile)*k.voids+o%channelTile:]
			for t := range k.taps() {
				for i := range k.srcGroup {
					w := filter[t*k.Filter.Tap+i*k.Filter.Src+o*k.Filter.Dst+g*k.Filter.Group]
					packed[at] = w
					at += channelTile
					void[t*channelTile] += 0 * w
				}
				if v := float64(void[t*channelTile]); math.IsNaN(v) {
					packed[len(packed)-1] = 1
				}
			}
		}
	}
}

func (k *convolution[F]) run(_ *kernel.Scratch, dstTensor, srcTensor, packedTensor, biasTensor *tensor.Tensor, unit int) {
	packed := tensor.Of[F](packedTensor)
	var bias []F
	if k.Bias {
		bias = tensor.Of[F](biasTensor)
	}
	at := k.rows.at(unit)
	z, y := k.Gather[0].At(at.z), k.Gather[1].At(at.y)
	plane := k.Gather[1].Src * k.Gather[2].Src * k.Src
	image := k.Gather[0].Src * plane
	src := tensor.Of[F](srcTensor)[at.image*image : (at.image+1)*image]
	row := ((at.image*k.Gather[0].Dst+at.z)*k.Gather[1].Dst + at.y) * k.Gather[2].Dst
	dst := tensor.Of[F](dstTensor)[row*k.Dst : (row+k.Gather[2].Dst)*k.Dst]
	xs := &k.Gather[2]

	for phase := range min(xs.Period, at.x1-at.x0) {
		for x := at.x0 + phase; x < at.x1; {
			// Up to pixelTile destinations that use the same taps. A tile
			// that is not full repeats the first one.
			links := xs.At(x)
			n := 1
			for n < pixelTile && x+n*xs.Period < at.x1 {
				next := xs.At(x + n*xs.Period)
				if next.Tap != links.Tap || next.N != links.N {
					break
				}
				n++
			}
			tile := plainTile[F]{z: z, y: y, x: links, dst: dst[x*k.Dst:], step: xs.Period * k.Dst, n: n}
			for p := range pixelTile {
				tile.at[p] = links.Cell
				if p < n {
					tile.at[p] += p * xs.Shift
				}
				tile.at[p] *= k.Src
			}
			k.tile(&tile, src, packed, bias)
			x += n * xs.Period
		}
	}
}

// plainTile is a few destinations that use the same taps.
type plainTile[F tensor.Floating] struct {
	z, y, x geom.Links
	at      [pixelTile]int // offset of each one's first source cell in its row
	n       int            // how many are real
	dst     []F            // the first one's channels
	step    int            // from one to the next in dst
}

func (k *convolution[F]) tile(t *plainTile[F], src, packed, bias []F) {
	gather := &k.Gather
	rowSize := gather[2].Src * k.Src
	// Neighbouring taps of a plain convolution lie next to each other in the
	// source and in the packed filter: one long run.
	joined := k.Groups == 1 && gather[2].TapStep == 1 && gather[2].CellStep == 1
	runs, run := t.x.N, k.srcGroup
	if joined {
		runs, run = min(runs, 1), t.x.N*k.srcGroup
	}
	hollow := !k.SkipPadding && packed[len(packed)-1] != 0 && t.z.N*t.y.N*t.x.N < k.taps()
	for g := range k.Groups {
		for p := range k.panels {
			var acc [pixelTile * channelTile]F
			panel := packed[(g*k.panels+p)*k.panel:][:k.panel]
			for z := range t.z.N {
				tapZ := (t.z.Tap + z*gather[0].TapStep) * gather[1].Size
				rowZ := (t.z.Cell + z*gather[0].CellStep) * gather[1].Src
				for y := range t.y.N {
					tap := (tapZ+t.y.Tap+y*gather[1].TapStep)*gather[2].Size + t.x.Tap
					row := src[(rowZ+t.y.Cell+y*gather[1].CellStep)*rowSize:][:rowSize]
					for r := range runs {
						shift := r*gather[2].CellStep*k.Src + g*k.srcGroup
						weights := panel[(tap+r*gather[2].TapStep)*k.srcGroup*channelTile:]
						multiplyTile(&acc, row, &t.at, shift, weights, run)
					}
				}
			}
			if hollow {
				k.addVoids(&acc, t, packed[k.Groups*k.panels*k.panel+(g*k.panels+p)*k.voids:])
			}
			first := g*k.dstGroup + p*channelTile
			count := min(channelTile, k.dstGroup-p*channelTile)
			for i := range t.n {
				out := t.dst[i*t.step+first:][:count]
				for c := range out {
					out[c] = acc[i*channelTile+c]
					if bias != nil {
						out[c] += bias[first+c]
					}
				}
			}
		}
	}
}

// addVoids adds the taps that lie on padding.
func (k *convolution[F]) addVoids(acc *[pixelTile * channelTile]F, t *plainTile[F], voids []F) {
	size := [3]int{k.Gather[0].Size, k.Gather[1].Size, k.Gather[2].Size}
	outside := func(l geom.Links, tap int) bool { return tap < l.Tap || tap >= l.Tap+l.N }
	for tap := range k.taps() {
		z, y, x := tap/(size[1]*size[2]), tap/size[2]%size[1], tap%size[2]
		if !outside(t.z, z) && !outside(t.y, y) && !outside(t.x, x) {
			continue
		}
		for i := range acc {
			acc[i] += voids[tap*channelTile+i%channelTile]
		}
	}
}

// multiplyTile adds the products of pixelTile runs of n source numbers with n
// rows of channelTile weights. Source run p starts at row[at[p]+shift].
func multiplyTile[F tensor.Floating](acc *[pixelTile * channelTile]F, row []F, at *[pixelTile]int, shift int, weights []F, n int) {
	a := row[at[0]+shift:][:n]
	b := row[at[1]+shift:][:n]
	c := row[at[2]+shift:][:n]
	d := row[at[3]+shift:][:n]
	weights = weights[:n*channelTile]
	for half := 0; half < channelTile; half += 2 {
		// Eight sums at a time stay in registers.
		a0, a1 := acc[half], acc[half+1]
		b0, b1 := acc[4+half], acc[4+half+1]
		c0, c1 := acc[8+half], acc[8+half+1]
		d0, d1 := acc[12+half], acc[12+half+1]
		w := weights[half:]
		for i, v := range a {
			w0, w1 := w[i*channelTile], w[i*channelTile+1]
			a0 += v * w0
			a1 += v * w1
			u := b[i]
			b0 += u * w0
			b1 += u * w1
			u = c[i]
			c0 += u * w0
			c1 += u * w1
			u = d[i]
			d0 += u * w0
			d1 += u * w1
		}
		acc[half], acc[half+1] = a0, a1
		acc[4+half], acc[4+half+1] = b0, b1
		acc[8+half], acc[8+half+1] = c0, c1
		acc[12+half], acc[12+half+1] = d0, d1
	}
}
