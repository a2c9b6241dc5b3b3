package jpeg

import (
	"errors"
	"fmt"
)

// scan is a pass over some or all components.
type scan struct {
	*tables
	in           *stream
	parts        []scanPart
	across, down int // MCUs
	first, last  int // coefficients, in zigzag order
	high, low    int // bits that earlier scans and this one leave out

	before [4]int32 // DC coefficient of the previous block, by part
	skip   int      // blocks without more coefficients that follow (EOBRUN)
	left   int      // MCUs before the next restart marker
	marks  int      // restart markers so far
}

// scanPart is a component in a scan. An MCU has h*v blocks of it.
type scanPart struct {
	*component
	h, v   int
	dc, ac *huffman
}

// newScan parses the segment of a scan marker.
func newScan(b []byte, f *frame, t *tables, in *stream) (*scan, error) {
	damaged := errors.New("the scan header is damaged")
	if len(b) < 1 || len(b) != 4+2*int(b[0]) || b[0] < 1 || int(b[0]) > len(f.parts) {
		return nil, damaged
	}
	n := int(b[0])
	tail := b[1+2*n:]
	s := &scan{tables: t, in: in, across: f.across, down: f.down, left: t.restart, first: 0, last: 63}
	if f.progressive {
		s.first, s.last, s.high, s.low = int(tail[0]), int(tail[1]), int(tail[2]>>4), int(tail[2]&15)
		ac := s.first > 0
		if s.last > 63 || s.first > s.last || !ac && s.last > 0 || ac && n > 1 || s.low > 13 || s.high > 0 && s.low != s.high-1 {
			return nil, damaged
		}
	}
	blocks := 0
	for i := range n {
		at := 0
		for at < len(f.parts) && f.parts[at].id != b[1+2*i] {
			at++
		}
		if at == len(f.parts) {
			return nil, fmt.Errorf("the scan has component %d, which the frame has not", b[1+2*i])
		}
		c := &f.parts[at]
		for _, p := range s.parts {
			if p.component == c {
				return nil, damaged
			}
		}
		if c.quantiser == nil {
			c.quantiser = t.quantisers[c.table]
		}
		which := b[2+2*i]
		if which>>4 > 3 || which&15 > 3 {
			return nil, damaged
		}
		p := scanPart{c, c.h, c.v, t.dc[which>>4], t.ac[which&15]}
		needDC, needAC := s.first == 0 && s.high == 0, s.last > 0
		if c.quantiser == nil || needDC && p.dc == nil || needAC && p.ac == nil {
			return nil, errors.New("a scan needs a table that is not there")
		}
		s.parts = append(s.parts, p)
		blocks += c.h * c.v
		for k := s.first; k <= s.last; k++ {
			c.missing[k] = s.low > 0
		}
	}
	if n == 1 {
		p := &s.parts[0]
		p.h, p.v, s.across, s.down = 1, 1, p.width, p.height
	} else if blocks > 10 {
		return nil, fmt.Errorf("got %d blocks in an MCU, want <= 10", blocks)
	}
	return s, nil
}

// next begins an MCU. It moves past the restart marker if one is due.
func (s *scan) next() error {
	if s.tables.restart == 0 {
		return nil
	}
	if s.left == 0 {
		if err := s.in.restart(s.marks); err != nil {
			return err
		}
		s.marks++
		s.left, s.before, s.skip = s.tables.restart, [4]int32{}, 0
	}
	s.left--
	return nil
}
