package jpeg

import "github.com/poolctl/poolctl/internal/imgio/input"

// mcuRow is a decoded row of MCUs, its blocks in the order of the file.
type mcuRow struct {
	blocks []block
	err    error
}

// rowsAhead is how many rows of MCUs are decoded ahead.
const rowsAhead = 4

// sequential decodes a scan of a file that is not progressive into the planes. A
// second goroutine decodes the Huffman codes; this one transforms, and calls ready
// after every row of MCUs.
func (s *scan) sequential(ready func(m int)) error {
	perMCU := 0
	for _, p := range s.parts {
		perMCU += p.h * p.v
	}
	full, empty := make(chan *mcuRow, rowsAhead), make(chan *mcuRow, rowsAhead)
	for range min(rowsAhead, s.down) {
		empty <- &mcuRow{blocks: make([]block, s.across*perMCU)}
	}
	var fault error
	go func() {
		defer close(full)
		defer input.Guard(&fault)
		for range s.down {
			row, ok := <-empty
			if !ok {
				return
			}
			row.err = s.readRow(row.blocks)
			full <- row
			if row.err != nil {
				return
			}
		}
	}()
	defer func() { // until the goroutine has ended, the stream is its own
		close(empty)
		for range full {
		}
	}()
	for m := range s.down {
		row, ok := <-full
		if !ok {
			return fault
		}
		if row.err != nil {
			return row.err
		}
		s.transform(row.blocks, m)
		empty <- row
		ready(m)
	}
	return nil
}

// readRow decodes a row of MCUs.
func (s *scan) readRow(blocks []block) error {
	for range s.across {
		if err := s.next(); err != nil {
			return err
		}
		for i := range s.parts {
			p := &s.parts[i]
			for range p.h * p.v {
				if !blocks[0].read(s.in, p.dc, p.ac, &s.before[i]) {
					return s.in.damage()
				}
				blocks = blocks[1:]
			}
		}
	}
	if s.in.beyond() {
		return s.in.damage()
	}
	return nil
}

// transform computes the samples of a row of MCUs.
func (s *scan) transform(blocks []block, m int) {
	for x := range s.across {
		for i := range s.parts {
			p := &s.parts[i]
			for v := range p.v {
				for h := range p.h {
					blocks[0].transform(p.plane[(m*p.v+v)*8*p.stride+(x*p.h+h)*8:], p.stride, p.quantiser)
					blocks = blocks[1:]
				}
			}
		}
	}
}
