package pool

// part returns the outputs of a unit: those of rows y0 <= y < y1 of plane z of an
// image that stand in one tile of the width. There may be none.
func (p *intRows) part(unit int) (image, z, y0, y1, tile int) {
	axes := &p.Geometry.Axes
	unit, tile = unit/p.tiles, unit%p.tiles
	unit, band := unit/p.bands, unit%p.bands
	image, z = unit/axes[0].Out, unit%axes[0].Out
	y := &axes[1]
	if p.sliding && p.op < opAdd { // windows that begin in a block
		y0 = (band*y.Size + y.Stride - 1) / y.Stride
		y1 = ((band+1)*y.Size + y.Stride - 1) / y.Stride
	} else {
		y0, y1 = band*p.band, (band+1)*p.band
	}
	return image, z, min(y0, y.Out), min(y1, y.Out), tile
}

// reach is Kernel.Reach. Units go through images, planes, bands and tiles in this
// order, and windows never begin or end before those of earlier units.
func (p *intRows) reach(unit int) (in, out int) {
	axes := &p.Geometry.Axes
	image, z, y0, y1, tile := p.part(unit)
	if tile < p.tiles-1 {
		out = y0 // the other tiles of these rows are to come
	} else {
		out = y1
	}
	out = ((image*axes[0].Out+z)*axes[1].Out + out) * axes[2].Out * p.inner
	if y1 == 0 {
		return 0, out
	}
	plane, planes := axes[0].Cells(z)
	row, rows := axes[1].Cells(y1 - 1)
	plane += (planes - 1) * axes[0].Dilation
	row += (rows - 1) * axes[1].Dilation
	return ((image*axes[0].In+plane)*axes[1].In + row + 1) * axes[2].In * p.inner, out
}
