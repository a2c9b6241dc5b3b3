package tensor_test

import (
	"errors"
	"testing"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestProgressHandsOverWhatIsWritten in pieces of several sizes: a reader that
// waited for elements finds them written.
func TestProgressHandsOverWhatIsWritten(t *testing.T) {
	const n = 10_000
	data, p := make([]int, n), tensor.NewProgress()
	go func() {
		for i := range data {
			data[i] = i
			if i%7 == 0 {
				p.Reach(i + 1)
			}
		}
		p.End(nil)
	}()
	for at := 0; at < n; {
		there, err := p.Wait(at + 1)
		if err != nil || there <= at || there > n {
			t.Fatalf("Wait(%d) = %d, %v", at+1, there, err)
		}
		for ; at < there; at++ {
			if data[at] != at {
				t.Fatalf("element %d of %d is %d", at, there, data[at])
			}
		}
	}
	if err := p.Ended(); err != nil {
		t.Error(err)
	}
}

// TestProgressNeverGoesBackward: what is ready stays ready, whatever is told later.
func TestProgressNeverGoesBackward(t *testing.T) {
	p := tensor.NewProgress()
	p.Reach(10)
	for _, n := range []int{3, 0, -1, 10} {
		p.Reach(n)
		if there, err := p.Wait(1); there != 10 || err != nil {
			t.Fatalf("after Reach(%d): Wait(1) = %d, %v, want the 10 from before", n, there, err)
		}
	}
}

// TestProgressEndsWithItsError for those who wait and for those who come later.
func TestProgressEndsWithItsError(t *testing.T) {
	p, cause := tensor.NewProgress(), errors.New("cut")
	p.Reach(5)
	go p.End(cause)
	if _, err := p.Wait(6); !errors.Is(err, cause) {
		t.Errorf("Wait = %v, want %v", err, cause)
	}
	if err := p.Ended(); !errors.Is(err, cause) {
		t.Errorf("Ended = %v, want %v", err, cause)
	}
}

// TestNoProgressIsComplete: nothing has to be waited for.
func TestNoProgressIsComplete(t *testing.T) {
	var p *tensor.Progress
	p.Reach(1)
	p.End(errors.New("told to nobody"))
	if n, err := p.Wait(7); n != 7 || err != nil || p.Ended() != nil {
		t.Errorf("Wait(7) = %d, %v", n, err)
	}
}
