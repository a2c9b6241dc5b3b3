package tiff

// orientation returns the orientation of the picture, 0 if there is none. A field
// that cannot be read should not make the picture unreadable.
func (d *directory) orientation() int {
	o := d.number(tagOrientation, 0)
	if d.err != nil || o > 8 {
		d.err = nil
		return 0
	}
	return o
}
