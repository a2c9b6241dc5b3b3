package pool

import (
	"fmt"
	"math"

	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

// intRows pools integers of 8 and 16 bits in vectors of their own type. A row of
// outputs takes two steps. Down: the rows of its windows become one row in scratch
// memory, of elements for maxima, of 16- or 32-bit sums for averages. Across:
// shifted copies of that row are combined; where the stride is not 1, shuffles bring
// the outputs together. The row is padded with values that change nothing (the
// lowest value for a maximum, 0 for a sum), so that windows over padding need no
// special case. The number of channels only sets the distance of the shifts.
type intRows struct {
	Spec
	rows     *intTable
	op       intOp
	kind     int // of widening, for sums
	size     int // bytes of an element
	sum      int // bytes of an accumulator: of an element for maxima
	identity [2]byte
	inner    int // numbers a cell
	line     int // bytes of a row of the input
	plane    int // of its planes
	image    int // of its images
	large    bool
	stream   bool

	sliding  bool // down: van Herk's blocks for maxima, running sums
	band     int  // outputs of a unit along the height; cells where blocks are
	bands    int
	tile     int // outputs of a unit along the width
	tiles    int
	taps     int      // most rows of a window
	cells    int      // most cells of a tile along the width
	room     int      // bytes of the row, and of each level behind it
	fours    [][4]int // levels: windows of 4, 16, ... cells made of four of the one before, in bytes
	across   []int    // taps in bytes from the row on
	shuffle  *shuffling
	spans    []span
	rowBytes int // of the row and its levels
	results  int // bytes of sums of a tile, before they are divided
	suffixes int // bytes of one suffix; 0 without blocks
	zeros    int // bytes of a row of zeros; 0 without running sums
}

const (
	byteSlack   = 64       // bytes behind rows that shuffles may read
	squeezed    = 16       // bytes that a shuffle writes
	mostDown    = 256      // rows of a window that are combined one by one
	tileBytes   = 24 << 10 // a row of accumulators: what stays in L1
	suffixBytes = 1 << 18  // suffixes of blocks: what stays in L2
	bandBytes   = 1 << 17  // input and output of a unit
)

// intElements numbers the types in the order of the row functions.
var intElements = map[tensor.DType]int{tensor.Uint8: 0, tensor.Int8: 1, tensor.Uint16: 2, tensor.Int16: 3}

// intsCandidate takes integers of 8 and 16 bits.
func intsCandidate(spec *Spec) candidate {
	p, refusal := newIntRows(spec)
	if refusal != "" {
		return candidate{Name: "rows of integers", Refusal: refusal}
	}
	return candidate{Name: p.describe(), Plan: p.kernel}
}

// newIntRows plans rows of integers, or says why not.
func newIntRows(spec *Spec) (p *intRows, refusal string) {
	p = &intRows{Spec: *spec, rows: &intTables[spec.Level], size: spec.DType.Size(), inner: spec.Geometry.C}
	element, ok := intElements[spec.DType]
	axes := &p.Geometry.Axes
	z, y, x := &axes[0], &axes[1], &axes[2]
	switch {
	case !ok:
		return nil, "there is none for " + spec.DType.String()
	case spec.Argmax:
		return nil, "there is none for argmax"
	case x.Bounds != nil:
		return nil, "the windows of a row differ in size"
	}
	switch r := spec.Reduction; {
	case r.IsExtremum():
		p.op, p.sum = intOp(element), p.size
		if r == Min {
			p.op += opMin
		}
		p.fillIdentity(element)
	case r.IsSum():
		if refusal := p.planSums(element); refusal != "" {
			return nil, refusal
		}
	default:
		return nil, "there is none for " + r.String()
	}
	if spec.ChannelsFirst {
		p.inner = 1
	}
	p.line = x.In * p.inner * p.size
	p.plane = y.In * p.line
	p.image = z.In * p.plane
	p.taps = z.Size * y.Size
	few := 6 * y.Stride
	if p.op >= opAdd {
		few = 4 * y.Stride
	}
	p.sliding = y.Size > few && z.Size == 1 && y.Bounds == nil && y.Dilation == 1
	if !p.sliding && p.taps > mostDown {
		return nil, fmt.Sprintf("windows of %d rows, want at most %d, or one after another", p.taps, mostDown)
	}
	p.planTiles()
	p.planAcross()
	p.planBands()
	return p, ""
}

func (p *intRows) kernel() *Kernel {
	axes := &p.Geometry.Axes
	z, y, x := &axes[0], &axes[1], &axes[2]
	images := p.Geometry.N * p.Geometry.C / p.inner
	p.spans = p.Spec.spans()
	outBytes := p.Result().Size() * z.Out * y.Out * x.Out * p.inner
	p.stream = images*(p.image+outBytes) >= kernel.StreamFrom
	scratch := p.rowBytes + p.results + p.suffixes*(y.Size+1) + p.zeros + 8*p.taps + squeezed
	return &Kernel{Units: images * z.Out * p.bands * p.tiles, Scratch: scratch, run: p.run, Reach: p.reach}
}

func (p *intRows) fillIdentity(element int) {
	var least uint16 // of unsigned maxima
	if p.Reduction == Min {
		least = math.MaxUint16
	}
	if element&1 == 1 { // signed: the sign bit is the other way round
		if p.size == 1 {
			least ^= 0x8080
		} else {
			least ^= 0x8000
		}
	}
	p.identity = [2]byte{byte(least), byte(least >> 8)}
}

// planSums chooses sums of 16 bits where every window's fits, else of 32.
func (p *intRows) planSums(element int) (refusal string) {
	most := []int{255, 128, 65535, 32768}[element]
	cells := p.Geometry.Taps()
	if cells > math.MaxInt32/most {
		return fmt.Sprintf("sums of %d cells, want sums of 31 bits", cells)
	}
	total := cells * most
	p.op, p.sum, p.kind = opAdd+1, 4, 2+element
	short := total <= math.MaxUint16
	if element == 1 {
		short = total <= math.MaxInt16
	}
	if p.size == 1 && short && (!p.Picture || cells <= mostMagic) {
		p.op, p.sum, p.kind = opAdd, 2, element
	}
	p.large = total > exactSum || max(p.Divisor, -p.Divisor) > exactSum || cells > exactSum
	return ""
}

// planTiles cuts rows so that the accumulators of a tile stay in the cache. Tiles must
// be wide beside the windows, because cells that windows of two tiles share are read
// twice.
func (p *intRows) planTiles() {
	x, y := &p.Geometry.Axes[2], &p.Geometry.Axes[1]
	cell := p.inner * p.sum
	limit := tileBytes
	if p.sliding && p.op < opAdd {
		limit = min(limit, max(suffixBytes/y.Size, 2048))
	}
	limit = max(limit, 4*x.Effective()*cell)
	outputs := max(1, (limit/cell-x.Effective())/x.Stride+1)
	p.tiles = (x.Out + outputs - 1) / outputs
	p.tile = (x.Out + p.tiles - 1) / p.tiles
	p.tiles = (x.Out + p.tile - 1) / p.tile
	p.cells = (p.tile-1)*x.Stride + x.Effective()
}

// planAcross chooses how the row is reduced. Windows of up to seven cells go tap by
// tap. Larger ones are built from windows of 4, 16, 64, ... cells, each made of four
// of the level before. A maximum combines windows of the last level that cover it, a
// sum as many of each level as the digit of its size in base 4 says.
func (p *intRows) planAcross() {
	x := &p.Geometry.Axes[2]
	step := x.Dilation * p.inner * p.sum
	p.room = (p.cells*p.inner*p.sum + byteSlack + 63) &^ 63
	last := 1 // cells of the last level
	if x.Size > 7 {
		for 4*last < x.Size || p.op >= opAdd && 4*last <= x.Size {
			p.fours = append(p.fours, [4]int{0, last * step, 2 * last * step, 3 * last * step})
			last *= 4
		}
	}
	p.rowBytes = (len(p.fours) + 1) * p.room
	if p.op < opAdd {
		for t := 0; t+last < x.Size; t += last {
			p.across = append(p.across, len(p.fours)*p.room+t*step)
		}
		p.across = append(p.across, len(p.fours)*p.room+(x.Size-last)*step)
	} else {
		at := 0
		for level := len(p.fours); level >= 0; level-- {
			for ; at+last <= x.Size; at += last {
				p.across = append(p.across, level*p.room+at*step)
			}
			last /= 4
		}
		p.results = (p.tile*p.inner*p.sum + byteSlack + 63) &^ 63
	}
	p.shuffle = newShuffling(p.inner*p.sum, x.Stride*p.inner*p.sum)
}

func (p *intRows) planBands() {
	x, y := &p.Geometry.Axes[2], &p.Geometry.Axes[1]
	rowBytes := (x.Stride*y.Stride*p.size + p.Result().Size()) * p.tile * p.inner
	p.band = min(y.Out, max(1, bandBytes/rowBytes))
	p.bands = (y.Out + p.band - 1) / p.band
	if !p.sliding {
		return
	}
	inside := (p.cells*p.inner*p.size + 63) &^ 63
	if p.op >= opAdd {
		p.zeros = inside
		p.band = min(y.Out, max(p.band, (4*y.Size+y.Stride-1)/y.Stride))
		p.bands = (y.Out + p.band - 1) / p.band
		return
	}
	p.suffixes = inside
	p.band = y.Size
	p.bands = (((y.Out-1)*y.Stride + 1) + y.Size - 1) / y.Size
}

func (p *intRows) describe() string {
	down := "by taps"
	switch {
	case p.sliding && p.op >= opAdd:
		down = "by running sums"
	case p.sliding:
		down = "by blocks"
	}
	across := "by taps"
	if p.fours != nil {
		across = "by fours"
	}
	kind := p.DType.String()
	if p.op >= opAdd {
		kind = fmt.Sprintf("%d-bit sums", 8*p.sum)
	}
	isa := "go"
	if p.rows.vector > 0 {
		isa = p.Level.String()
	}
	return fmt.Sprintf("rows of %s %s (down %s, across %s), %s", kind, WindowSize(&p.Geometry), down, across, isa)
}
