package kernel

// doubles reports whether the pass reduces rows by doubling. Where cells are so
// small that merging them one by one is dear, whole rows are merged with
// themselves instead: S1 is the row, S2[i] = S1[i] ⊕ S1[i+1], S4[i] = S2[i] ⊕
// S2[i+2]: the logarithm of the window's size in merges of contiguous rows, where
// blocks need three merges of each cell. Windows clipped by the border grow by a
// cell each and are merged one from the other.
func (p *pass) doubles(run int) bool {
	a := &p.axis
	in0, in1 := a.Interior()
	return p.blocks && a.Stride == 1 && a.Dilation == 1 && run < 16 && in0 < in1
}

// reduceDoubling is reduce for such a pass. It destroys src. Where overlap is
// true, merging something twice changes nothing, as with maxima.
func reduceDoubling[A any](p *pass, merge merger[A], overlap bool, dst, src []A, run, o0, o1, i0, i1 int) {
	a := &p.axis
	src = src[:(i1-i0)*run]
	in0, in1 := a.Interior()
	in0, in1 = min(max(in0, o0), o1), max(min(in1, o1), o0)
	cell := func(i int) []A { return src[(i-i0)*run:][:run] }
	out := func(o int) []A { return dst[(o-o0)*run:][:run] }
	for o := o0; o < in0; o++ { // windows from the first cell on
		first, taps := a.Cells(o)
		if o > o0 {
			merge(out(o), out(o-1), cell(first+taps-1))
			continue
		}
		copy(out(o), cell(first))
		for t := 1; t < taps; t++ {
			merge(out(o), out(o), cell(first+t))
		}
	}
	for o := o1 - 1; o >= in1; o-- { // windows up to the last cell
		first, taps := a.Cells(o)
		if o < o1-1 {
			merge(out(o), cell(first), out(o+1))
			continue
		}
		copy(out(o), cell(first+taps-1))
		for t := taps - 2; t >= 0; t-- {
			merge(out(o), cell(first+t), out(o))
		}
	}
	if in0 >= in1 {
		return
	}
	all := dst[(in0-o0)*run : (in1-o0)*run]
	sums := src[(in0-a.Lo-i0)*run:] // of width cells from each on
	done := 0                       // cells of the windows that are merged into all
	for width := 1; ; width *= 2 {
		if a.Size&width != 0 && !overlap {
			part := sums[done*run:][:len(all)]
			if done == 0 {
				copy(all, part)
			} else {
				merge(all, all, part)
			}
			done += width
		}
		if 2*width > a.Size {
			if overlap {
				merge(all, sums[:len(all)], sums[(a.Size-width)*run:])
			}
			return
		}
		n := len(sums) - width*run
		merge(sums[:n], sums[:n], sums[width*run:])
		sums = sums[:n]
	}
}
