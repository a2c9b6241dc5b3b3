package tensor_test

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/poolctl/poolctl/internal/tensor"
)

// TestZerosAreZeroAtEverySize around the sizes of pages, again and again, so
// that memory that was written to comes back.
func TestZerosAreZeroAtEverySize(t *testing.T) {
	for _, n := range []int{0, 1, 4095, 1<<20 - 1, 1 << 20, 1<<20 + 1, 3<<19 - 1, 1 << 21, 1<<21 + 1023} {
		for range 3 {
			s := tensor.Zeros[float32](n)
			if len(s) != n || slices.ContainsFunc(s, func(v float32) bool { return v != 0 }) {
				t.Fatalf("%d zeros: got %d numbers that are not all zero", n, len(s))
			}
			for i := range s {
				s[i] = 1
			}
		}
	}
}

// TestLargeTensorsAskForHugePages: on Linux the kernel says of each mapping
// whether it was advised ("hg").
func TestLargeTensorsAskForHugePages(t *testing.T) {
	s := tensor.Zeros[float64](1 << 21)
	flags, known := mappingFlags(t, uintptr(unsafe.Pointer(&s[len(s)/2])))
	if known && !slices.Contains(flags, "hg") {
		t.Errorf("flags of the memory of a tensor of 16 MiB: got %q, want hg among them", flags)
	}
	runtime.KeepAlive(s)
}

// mappingFlags returns the flags of the mapping that an address lies in; not
// known where the system has no huge pages or does not tell.
func mappingFlags(t *testing.T, address uintptr) (flags []string, known bool) {
	t.Helper()
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		return nil, false
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return nil, false
	}
	inside := false
	for line := range strings.Lines(string(maps)) {
		var from, to uintptr
		if n, _ := fmt.Sscanf(line, "%x-%x ", &from, &to); n == 2 {
			inside = from <= address && address < to
		}
		if rest, ok := strings.CutPrefix(line, "VmFlags:"); ok && inside {
			return strings.Fields(rest), true
		}
	}
	return nil, false
}
