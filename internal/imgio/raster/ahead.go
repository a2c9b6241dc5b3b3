package raster

import (
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// Ahead is a reader that reads from another one on a goroutine of its own, a few
// blocks ahead.
type Ahead struct {
	full, empty chan []byte
	stop        chan struct{}
	block, rest []byte // the current block, and what is left of it
	err         error  // of the other reader; set before full is closed
}

const (
	aheadBlock  = 1 << 16
	aheadBlocks = 4
)

// ReadAhead starts to read from r. The caller must call Close, and must not use r
// before that.
func ReadAhead(r io.Reader) *Ahead {
	a := &Ahead{full: make(chan []byte, aheadBlocks), empty: make(chan []byte, aheadBlocks), stop: make(chan struct{})}
	for range aheadBlocks {
		a.empty <- nil // allocated when needed: a small picture needs one
	}
	go a.run(r)
	return a
}

func (a *Ahead) run(r io.Reader) {
	defer close(a.full)
	defer input.Guard(&a.err)
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
func (a *Ahead) Read(p []byte) (int, error) {
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

// Close stops reading and waits for the goroutine to end.
func (a *Ahead) Close() {
	close(a.stop)
	for range a.full { // until run has ended
	}
}
