package conv

import "github.com/poolctl/poolctl/internal/geom"

// rows cuts the destinations of each image into pieces of rows, one unit each.
type rows struct {
	depth, height, width int
	piece                int // destinations of a unit
	pieces               int // units of a row
}

// leastPiece is the smallest number of destinations in a unit, unless the row is
// shorter. It is large enough to make fetching the next unit cheap.
const leastPiece = 256

func newRows(gather *[3]geom.Gather) rows {
	r := rows{depth: gather[0].Dst, height: gather[1].Dst, width: gather[2].Dst}
	r.piece = max(1, r.width)
	if r.depth*r.height < 16 { // few rows: cut them for the threads
		r.piece = max(leastPiece, (r.width+63)/64)
	}
	r.pieces = (r.width + r.piece - 1) / r.piece
	return r
}

// units returns the units of one image.
func (r *rows) units() int { return r.depth * r.height * r.pieces }

// place is the place of a unit: an image, a row, and a range of the row.
type place struct{ image, z, y, x0, x1 int }

func (r *rows) at(unit int) place {
	x0 := unit % r.pieces * r.piece
	unit /= r.pieces
	return place{
		y: unit % r.height, z: unit / r.height % r.depth, image: unit / r.height / r.depth,
		x0: x0, x1: min(x0+r.piece, r.width),
	}
}
