package kernel_test

import (
	"bytes"
	"testing"

	"github.com/poolctl/poolctl/internal/ops/kernel"
)

// The copy that measures bandwidth is a copy, at every level, for every length
// around whole blocks and every alignment, and writes nothing outside its output.
func TestMachineCopies(t *testing.T) {
	const guard = 0xA5
	for level := kernel.Generic; level <= kernel.Detected(); level++ {
		m := kernel.MachineOf(level)
		src := make([]byte, 900)
		for i := range src {
			src[i] = byte(i*7 + i>>8)
		}
		for n := range 600 {
			for shift := range 65 {
				memory := bytes.Repeat([]byte{guard}, 800)
				m.Copy(memory[shift:shift+n:shift+n], src[shift/2:])
				if !bytes.Equal(memory[shift:shift+n], src[shift/2:shift/2+n]) {
					t.Fatalf("%s: %d bytes at offset %d differ", level, n, shift)
				}
				if bytes.Count(memory[:shift], []byte{guard}) != shift || bytes.Count(memory[shift+n:], []byte{guard}) != 800-shift-n {
					t.Fatalf("%s: %d bytes at offset %d: bytes beside were written", level, n, shift)
				}
			}
		}
	}
}

func TestMachineMultiplies(t *testing.T) {
	for level := kernel.Generic; level <= kernel.Detected(); level++ {
		m := kernel.MachineOf(level)
		if m.RoundFlops <= 0 {
			t.Errorf("%s: %d operations a round", level, m.RoundFlops)
		}
		m.MultiplyAdd(1)
		m.MultiplyAdd(1000)
	}
}

// BenchmarkMachine times the loops on one thread.
func BenchmarkMachine(b *testing.B) {
	dst, src := make([]byte, 64<<20), bytes.Repeat([]byte{1}, 64<<20)
	const rounds = 100_000
	for level := kernel.Generic; level <= kernel.Detected(); level++ {
		m := kernel.MachineOf(level)
		b.Run("copy/"+level.String(), func(b *testing.B) {
			b.SetBytes(2 * int64(len(dst)))
			for b.Loop() {
				m.Copy(dst, src)
			}
		})
		b.Run("multiply/"+level.String(), func(b *testing.B) {
			for b.Loop() {
				m.MultiplyAdd(rounds)
			}
			b.ReportMetric(float64(rounds*m.RoundFlops)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
