package kernel

// Machine holds the loops whose speed limits the kernels of a level: nothing copies
// memory faster or multiplies faster.
type Machine struct {
	// Copy copies src to dst, which has the same length, past the caches where the
	// level can. It is for memory much larger than the caches.
	Copy func(dst, src []byte)

	// MultiplyAdd does the given number of rounds in registers. A round is
	// RoundFlops floating-point operations of float32.
	MultiplyAdd func(rounds int)
	RoundFlops  int
}

// MachineOf returns the loops of a level.
func MachineOf(level Level) Machine {
	if m, ok := assembledMachine(level); ok {
		return m
	}
	return Machine{
		Copy:        func(dst, src []byte) { copy(dst, src) },
		MultiplyAdd: multiplyAdds,
		RoundFlops:  2 * 8,
	}
}

// multiplyAdds keeps eight sums in registers, which stay 0. It checks them at the
// end, so that the compiler cannot leave them out.
func multiplyAdds(rounds int) {
	var a, b, c, d, e, f, g, h float32
	x := zero
	for range rounds {
		a += x * x
		b += x * x
		c += x * x
		d += x * x
		e += x * x
		f += x * x
		g += x * x
		h += x * x
	}
	if a+b+c+d+e+f+g+h != 0 {
		panic("kernel: products of zeros are not zero")
	}
}

var zero float32 // never written; the compiler does not know
