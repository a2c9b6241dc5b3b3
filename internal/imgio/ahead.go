package imgio

import "io"

// ahead reads from another reader on a goroutine of its own, some blocks ahead of
// whoever reads from it.
type ahead struct {
	full, empty chan []byte
	stop        chan struct{}
	block, rest []byte // the block that is being read, and what is left of it
	err         error  // of the other reader; set before full is closed
}

const (
	aheadBlock  = 1 << 16
	aheadBlocks = 4
)

// readAhead starts reading. The caller calls close, and leaves r alone until
// then.
func readAhead(r io.Reader) *ahead {
	a := &ahead{full: make(chan []byte, aheadBlocks), empty: make(chan []byte, aheadBlocks), stop: make(chan struct{})}
	for range aheadBlocks {
		a.empty <- nil // made when it is needed: a small picture takes one
	}
	go a.run(r)
	return a
}

func (a *ahead) run(r io.Reader) {
	defer close(a.full)
	defer guard(&a.err)
	for {
		select {
		case <-a.stop:
			return
		case block := <-a.empty:
			if block == nil {
				block = make([]byte, aheadBlock)
			}
			n, err := 0, error(nil)
			for n < len(block) && err == nil {
				var more int
				more, err = r.Read(block[n:])
				n += more
			}
			if n > 0 {
				a.full <- block[:n]
			}
			if err != nil {
				a.err = err
				return
			}
		}
	}
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	if len(a.rest) == 0 {
		if a.block != nil {
			a.empty <- a.block[:aheadBlock]
			a.block = nil
		}
		block, ok := <-a.full
		if !ok {
			return 0, a.err
		}
		a.block, a.rest = block, block
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close returns when r is not read any more.
func (a *ahead) close() {
	close(a.stop)
	for range a.full { // until run has ended
	}
}
