package pool

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// Run is a series of windows of float32 that have the same taps: outputs of n
// numbers each, contiguous in dst, whose first cells stand step numbers apart in
// src.
type Run struct {
	dst, src         []float32
	taps             []int // bytes from the first tap to each, in row-major order
	fetches          int   // offsets behind the taps, of what is worth fetching early
	N, Outputs, Step int
	stream           bool // write past the caches

	argmax []int64
	codes  []int32 // of each tap: its number less that of the first
	number numbering

	nx, ny  int // averages: taps of a row, rows of a plane
	divisor int
}

// numbering is how argmax numbers the first taps of a run: number i of output o
// is base + o*baseStep + i*laneStep.
type numbering struct {
	base, baseStep, laneStep int
	lanes                    *[8]int64 // the first multiples of laneStep
}

// directTable holds the functions of a CPU level that reduce whole windows in
// registers; nil when it has none.
type directTable struct {
	lanes   int                              // float32 a vector
	extrema [4]func(r Run, lanes *[16]int32) // by ExtremumKind
	locate  [4]func(r Run, mask *[16]int32)  // the same with argmax
	average func(r Run, mask *[16]int32)
	bands   bandFunc                            // of averages
	gather  func(lanes *[16]int32, n, step int) // prepares lanes for cells smaller than a vector

	average3x3 bandFunc
	extrema3x3 [2]bandFunc // maximum and minimum
}

// DenseTaps is the most reads of an input cell for which direct kernels pay. They
// read every tap of every window; the separable kernel reads and writes each cell
// a few times whatever the window.
const DenseTaps = 26

// mostTaps bounds the table of offsets.
const mostTaps = 1 << 12

// direct reduces each window in registers, straight from the input to the
// output. Its units are bands of output rows.
type direct struct {
	Spec
	reduce  func(r Run, lanes *[16]int32)
	lanes   [16]int32
	inner   int // numbers a cell
	rows    int // of all images: images * depth * height
	band    int // rows of a unit
	stream  bool
	taps    int      // most taps of a window
	bands   bandFunc // for windows that share rows, or nil
	most    int      // rows of a band
	inImage int      // numbers of an input image
	number  numbering

	segments []segment
	inside   int  // the segment of windows inside the input, or -1
	tall     bool // rows inside the input have the same taps
	columns  bool // and their ends are computed one below the other
	joined   bool // and they are computed as one
}

// joinBelow is the length from which joining a row with others does not pay.
const joinBelow = 1 << 10

// directCandidate takes small windows of float32.
func directCandidate(spec *Spec) candidate {
	table := &directTables[spec.Level]
	c := candidate{
		Name:    fmt.Sprintf("direct %s, %s", WindowSize(&spec.Geometry), kernel.ISA(spec.Level, table.lanes > 0)),
		Refusal: directRefusal(spec),
		Plan:    func() *Kernel { return newDirect(spec, table) },
	}
	if c.Refusal == "" {
		c.Unasked = directUnasked(spec)
	}
	return c
}

// directRefusal says why a direct kernel cannot run, or nothing.
func directRefusal(spec *Spec) string {
	switch g := &spec.Geometry; {
	case directTables[spec.Level].lanes == 0:
		return "there is none for plain Go"
	case spec.DType != tensor.Float32:
		return "there is none for " + spec.DType.String()
	case !spec.Reduction.IsExtremum() && !spec.Reduction.IsSum():
		return "there is none for " + spec.Reduction.String()
	case spec.Argmax && !spec.Reduction.IsExtremum():
		return fmt.Sprintf("%s have no argmax", spec.Reduction)
	case spec.Reduction.IsSum() && spec.IgnoreNaN:
		return "there is none for sums that ignore NaN"
	case g.Taps() > mostTaps:
		return fmt.Sprintf("windows of %d cells, want at most %d", g.Taps(), mostTaps)
	case spec.Argmax && spec.Index.Limit() > math.MaxInt32:
		return fmt.Sprintf("argmax of up to %d, want at most %d", spec.Index.Limit(), math.MaxInt32)
	}
	return ""
}

// directUnasked says why a direct kernel that can run should not, or nothing.
func directUnasked(spec *Spec) string {
	g := &spec.Geometry
	inner := g.C
	if spec.ChannelsFirst {
		inner = 1
	}
	switch {
	case ReadsPerCell(g) > DenseTaps:
		return fmt.Sprintf("it would read every cell %d times, which pays up to %d", ReadsPerCell(g), DenseTaps)
	case spec.Reduction.IsSum() && !summedByTaps(g, inner):
		return "windows so large are summed in parts, in an order that holds at every level"
	}
	return ""
}

func newDirect(spec *Spec, table *directTable) *Kernel {
	d := &direct{Spec: *spec, inner: spec.Geometry.C, rows: spec.Geometry.N, taps: spec.Geometry.Taps()}
	if spec.ChannelsFirst {
		d.inner, d.rows = 1, d.rows*d.inner
	}
	axes := &d.Geometry.Axes
	images, in, out := d.rows, axes[2].In*d.inner, axes[2].Out*d.inner
	d.rows *= axes[0].Out * axes[1].Out
	d.inImage = axes[0].In * axes[1].In * in
	d.stream = 4*(images*d.inImage+d.rows*out) >= kernel.StreamFrom
	// Bands of about a quarter of a core's L2, of whole rows.
	d.band = max(1, (1<<16)/(out+images*d.inImage/d.rows))
	kind := kernel.KindOf(d.Reduction == Min, d.IgnoreNaN)
	switch {
	case d.Argmax:
		d.reduce = table.locate[kind]
		d.number = d.numbering()
		MaskLanes(&d.lanes, d.inner)
	case d.Reduction.IsSum():
		d.reduce = table.average
		MaskLanes(&d.lanes, d.inner)
		if d.shares() {
			d.bands, d.most = table.bands, bandRows
			if d.is3x3() && table.average3x3 != nil {
				d.bands, d.most = table.average3x3, bandRows3x3
			}
			d.band = d.rowsOfBands(out)
		}
	case d.Reduction.IsExtremum():
		if bands := table.extrema3x3[kind/2]; bands != nil && d.shares() && d.is3x3() {
			d.bands, d.most = bands, bandRows3x3
			d.band = d.rowsOfBands(out)
		}
		d.reduce = table.extrema[kind]
		table.gather(&d.lanes, d.inner, axes[2].Stride*d.inner)
	}
	d.segments, d.inside = d.cutRow()
	d.tall = !d.Argmax && d.sameRows()
	d.columns = d.tall && d.inner <= columnCell && axes[1].Stride*in > gathers
	d.joined = d.columns && d.inside >= 0 && axes[1].Stride == 1 && axes[2].Stride == 1 && axes[2].In == axes[2].Out && out < joinBelow
	return &Kernel{Units: (d.rows + d.band - 1) / d.band, Scratch: 8 * d.directScratch(), run: d.compute}
}

// sameRows reports whether all windows of rows inside the input have the same taps,
// except at the ends of rows.
func (d *direct) sameRows() bool {
	z, y, x := &d.Geometry.Axes[0], &d.Geometry.Axes[1], &d.Geometry.Axes[2]
	z0, z1 := z.Interior()
	return z1-z0 == z.Out && z.Bounds == nil && y.Bounds == nil && x.Bounds == nil
}

// shares reports whether windows below each other share rows, which bands of output
// rows reduce once.
func (d *direct) shares() bool {
	y, x := &d.Geometry.Axes[1], &d.Geometry.Axes[2]
	x0, x1 := x.Interior()
	return d.sameRows() && d.Geometry.Axes[0].Size == 1 && y.Dilation == 1 && y.Size > y.Stride && x.Stride == 1 && (x1-x0)*d.inner >= scratchLanes
}

// rowsOfBands returns the rows of a unit that is computed by bands: several bands,
// but few enough that there are units for the threads.
func (d *direct) rowsOfBands(out int) int {
	return kernel.RoundUp(max(1, min((1<<17)/out, d.rows/32)), d.most)
}

// is3x3 reports whether windows that share rows are of 3x3 cells at stride 1.
func (d *direct) is3x3() bool {
	y, x := &d.Geometry.Axes[1], &d.Geometry.Axes[2]
	return y.Size == 3 && x.Size == 3 && y.Stride == 1
}

// summedByTaps reports whether other kernels sum rows, planes and windows from
// one tap to the next, as direct kernels do.
func summedByTaps(g *geom.Geometry, inner int) bool {
	if p, _ := newStripPlan(g, inner, g.N, sums); p != nil {
		return !p.blocks && p.levels == 0
	}
	for _, p := range newTiling(g, inner, 8).passes {
		if p.blocks {
			return false
		}
	}
	return true
}

// ReadsPerCell returns how often an input cell is read, rounded up.
func ReadsPerCell(g *geom.Geometry) int {
	reads := 1.0
	for _, a := range g.Axes {
		reads *= float64(a.Size) * float64(a.Out) / float64(max(a.In, 1))
	}
	return int(reads + 1 - 1e-9)
}

// WindowSize writes a window as 3x3.
func WindowSize(g *geom.Geometry) string {
	var words []string
	for _, a := range g.Spatial() {
		words = append(words, strconv.Itoa(a.Size))
	}
	return strings.Join(words, "x")
}

// MaskLanes sets the first n lanes, at most 8.
func MaskLanes(lanes *[16]int32, n int) {
	for i := range min(n, 8) {
		lanes[i] = -1
	}
}

// numbering says how argmax numbers outputs side by side, and the channels of
// each: every convention is linear in the cell's coordinates.
func (d *direct) numbering() numbering {
	x, number := &d.Index, numbering{lanes: new([8]int64)}
	if w := &d.Geometry.Axes[2]; w.Out > 1 && w.Bounds == nil {
		number.baseStep = int(x.Encode(0, 0, w.Stride))
	}
	if d.inner > 1 {
		number.laneStep = int(x.Encode(0, 1, 0))
	} else { // outputs of stride 1 lie side by side like channels
		number.laneStep = number.baseStep
	}
	for i := range number.lanes {
		number.lanes[i] = int64(i * number.laneStep)
	}
	return number
}
