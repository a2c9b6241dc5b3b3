package jpeg

import "github.com/poolctl/poolctl/internal/imgio/raster"

// progressive decodes a scan of a progressive file into the coefficients, as T.81,
// G.1.2 and G.2 say.
func (s *scan) progressive() error {
	read := s.refineAC
	switch {
	case s.first == 0 && s.high == 0:
		read = s.firstDC
	case s.first == 0:
		read = s.refineDC
	case s.high == 0:
		read = s.firstAC
	}
	for y := range s.down {
		for x := range s.across {
			if err := s.next(); err != nil {
				return err
			}
			for i := range s.parts {
				p := &s.parts[i]
				for v := range p.v {
					row := p.coefficients[(y*p.v+v)*p.stride/8+x*p.h:][:p.h]
					for h := range row {
						if !read(&row[h], i) {
							return s.in.damage()
						}
					}
				}
			}
		}
		if s.in.beyond() {
			return s.in.damage()
		}
	}
	return nil
}

// firstDC reads the first bits of a DC coefficient. Like the three below it returns
// false for an invalid code.
func (s *scan) firstDC(c *[64]int16, part int) bool {
	s.in.fill()
	size, length := s.in.symbol(s.parts[part].dc)
	if length == 0 {
		return false
	}
	s.before[part] += s.in.value(length, int(size))
	c[0] = int16(s.before[part] << s.low)
	return true
}

// refineDC reads one more bit of a DC coefficient.
func (s *scan) refineDC(c *[64]int16, _ int) bool {
	if s.in.bit() {
		c[0] |= 1 << s.low
	}
	return true
}

// firstAC reads the first bits of AC coefficients.
func (s *scan) firstAC(c *[64]int16, part int) bool {
	if s.skip > 0 {
		s.skip--
		return true
	}
	b, code := s.in, s.parts[part].ac
	for k := s.first; k <= s.last; k++ {
		b.fill()
		symbol, length := b.symbol(code)
		if length == 0 {
			return false
		}
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			b.bits(length)
			if run < 15 {
				s.skip = 1<<run - 1 + b.bits(run)
				break
			}
			k += 15
			continue
		}
		v := b.value(length, size) << s.low
		if k += run; k > 63 {
			return false
		}
		c[zigzag[k]] = int16(v)
	}
	return true
}

// refineAC reads one more bit of the AC coefficients that are not zero, and those
// that appear with this bit.
func (s *scan) refineAC(c *[64]int16, part int) bool {
	b, code := s.in, s.parts[part].ac
	k := s.first
	for ; s.skip == 0 && k <= s.last; k++ {
		b.fill()
		symbol, length := b.symbol(code)
		if length == 0 {
			return false
		}
		b.bits(length)
		run, size := int(symbol>>4), symbol&15
		value := int16(0)
		switch {
		case size > 1:
			return false
		case size == 1:
			value = -1 << s.low
			if b.bit() {
				value = 1 << s.low
			}
		case run < 15:
			b.fill()
			s.skip = 1<<run + b.bits(run)
		}
		if s.skip > 0 {
			break
		}
		k = s.refine(c, k, run)
		if value != 0 {
			if k > s.last {
				return false
			}
			c[zigzag[k]] = value
		}
	}
	if s.skip > 0 {
		s.refine(c, k, 64)
		s.skip--
	}
	return true
}

// refine reads one more bit of the coefficients from k on that are not zero. It
// stops at the zero after so many others, and returns its place.
func (s *scan) refine(c *[64]int16, k, zeros int) int {
	for ; k <= s.last; k++ {
		v := &c[zigzag[k]]
		if *v == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if s.in.bit() && *v>>s.low&1 == 0 {
			if *v > 0 {
				*v += 1 << s.low
			} else {
				*v -= 1 << s.low
			}
		}
	}
	return k
}

// transform computes the samples of a progressive file's components.
func (f *frame) transform() {
	for i := range f.parts {
		c := &f.parts[i]
		raster.Bands(c.height, 2, func(lo, hi int) {
			var k block
			for y := lo; y < hi; y++ {
				for x := range c.width {
					k.set(&c.coefficients[y*c.stride/8+x])
					k.transform(c.plane[y*8*c.stride+x*8:], c.stride, c.quantiser)
				}
			}
		})
	}
}
