package geom

// Unread returns the number of input cells that no window sees, and how many of
// them are the tail, after the last cell that is seen. ok is false if counting
// would take too long, as with dilation and many millions of cells.
func (a Axis) Unread() (cells, tail int, ok bool) {
	switch {
	case a.Out == 0:
		return a.In, a.In, true
	case a.Bounds == nil && a.Dilation == 1:
		cells, tail = a.gaps()
		return cells, tail, true
	case a.Bounds == nil && a.In > mostCounted/a.Stride:
		return 0, 0, false
	}
	g := a.Backward()
	for i := range a.In {
		o0, o1 := a.Reach(i)
		if o0 < o1 && (a.Bounds != nil || g.At(i).N > 0) {
			tail = 0
		} else {
			cells, tail = cells+1, tail+1
		}
	}
	return cells, tail, true
}

// mostCounted bounds the cells that are counted one by one.
const mostCounted = 1 << 22

// gaps is Unread without dilation, in closed form.
func (a Axis) gaps() (cells, tail int) {
	last := min(a.Out-1, FloorDiv(a.In-1+a.Lo, a.Stride)) // the last window that starts before the end
	tail = min(a.In, max(0, a.In-(last*a.Stride-a.Lo+a.Size)))
	if a.Stride <= a.Size {
		return tail, tail
	}
	// Windows that do not touch: those inside the input, and one across each
	// end.
	o0, o1 := a.Interior()
	seen := (o1 - o0) * a.Size
	for _, o := range [2]int{o0 - 1, o1} {
		if 0 <= o && o < a.Out {
			t0, t1 := a.Span(o)
			seen += t1 - t0
		}
	}
	return a.In - seen, tail
}
