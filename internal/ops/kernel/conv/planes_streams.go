package conv

// Streams are rows of numbers that begin room numbers apart in one slice.

// split splits n groups of count numbers into count streams. temp holds twice as
// many numbers.
func (f *planeFunctions) split(to []float32, room, count int, src []float32, n int, temp []float32) {
	switch {
	case count == 1:
		copy(to, src[:n])
	case count == 2:
		f.pairs(to, to[room:], src, n)
	case count == 3:
		a, b, c := to, to[room:], to[2*room:]
		whole := n &^ (planeLanes - 1)
		if whole > 0 {
			f.split3(&a[0], &b[0], &c[0], &src[0], whole)
		}
		for i := whole; i < n; i++ {
			a[i], b[i], c[i] = src[3*i], src[3*i+1], src[3*i+2]
		}
	case count%2 == 0: // split by pairs, then split each half
		half := n * count / 2
		even, odd, rest := temp[:half], temp[half:2*half], temp[2*half:]
		f.pairs(even, odd, src, half)
		f.split(to, 2*room, count/2, even, n, rest)
		f.split(to[room:], 2*room, count/2, odd, n, rest)
	default:
		for t := range count {
			stream := to[t*room:][:n]
			for i := range stream {
				stream[i] = src[i*count+t]
			}
		}
	}
}

// pairs splits n pairs.
func (f *planeFunctions) pairs(a, b, src []float32, n int) {
	whole := n &^ (planeLanes - 1)
	if whole > 0 {
		f.split2(&a[0], &b[0], &src[0], whole)
	}
	for i := whole; i < n; i++ {
		a[i], b[i] = src[2*i], src[2*i+1]
	}
}

// join is the inverse of split: dst holds whole groups.
func (f *planeFunctions) join(dst, from []float32, room, count int, temp []float32) {
	n := len(dst) / count
	whole := n &^ (planeLanes - 1)
	switch {
	case count == 1:
		copy(dst, from)
	case count == 2:
		f.zip(dst, from, from[room:], n)
	case count == 3:
		a, b, c := from, from[room:], from[2*room:]
		if whole > 0 {
			f.join3(&dst[0], &a[0], &b[0], &c[0], whole)
		}
		for i := whole; i < n; i++ {
			dst[3*i], dst[3*i+1], dst[3*i+2] = a[i], b[i], c[i]
		}
	case count%2 == 0:
		half := n * count / 2
		even, odd, rest := temp[:half], temp[half:2*half], temp[2*half:]
		f.join(even, from, 2*room, count/2, rest)
		f.join(odd, from[room:], 2*room, count/2, rest)
		f.zip(dst, even, odd, half)
	default:
		for t := range count {
			stream := from[t*room:][:n]
			for i, v := range stream {
				dst[i*count+t] = v
			}
		}
	}
}

// zip joins two streams to n pairs.
func (f *planeFunctions) zip(dst, a, b []float32, n int) {
	whole := n &^ (planeLanes - 1)
	if whole > 0 {
		f.join2(&dst[0], &a[0], &b[0], whole)
	}
	for i := whole; i < n; i++ {
		dst[2*i], dst[2*i+1] = a[i], b[i]
	}
}
