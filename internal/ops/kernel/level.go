package kernel

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// Level is a class of CPU that kernels are written for.
type Level uint8

// The levels. Generic kernels are plain Go and run everywhere.
const (
	Generic Level = iota
	AVX2          // with FMA
	AVX512        // F, BW, DQ and VL
)

var levelNames = []string{"generic", "avx2", "avx512"}

// String returns the level's name, as POOLCTL_CPU takes it.
func (l Level) String() string { return levelNames[l] }

// Variable is the environment variable that caps the level.
const Variable = "POOLCTL_CPU"

// Detected returns the highest level that this machine has.
func Detected() Level {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL:
		return AVX512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		return AVX2
	default:
		return Generic
	}
}

// Capped returns the level that kernels may use: the machine's, or less when
// the variable says so.
func Capped() (Level, error) {
	text, set := os.LookupEnv(Variable)
	if !set || text == "" {
		return Detected(), nil
	}
	i := slices.Index(levelNames, strings.ToLower(text))
	if i < 0 {
		return Generic, fmt.Errorf("%s: got %q, want one of %s", Variable, text, strings.Join(levelNames, ", "))
	}
	return min(Level(i), Detected()), nil
}

// Features lists the CPU's vector features by name, for people.
func Features() []string {
	var list []string
	for _, f := range []struct {
		name string
		has  bool
	}{
		{"sse4.2", cpu.X86.HasSSE42}, {"avx", cpu.X86.HasAVX}, {"avx2", cpu.X86.HasAVX2}, {"fma", cpu.X86.HasFMA},
		{"avx512f", cpu.X86.HasAVX512F}, {"avx512bw", cpu.X86.HasAVX512BW}, {"avx512dq", cpu.X86.HasAVX512DQ}, {"avx512vl", cpu.X86.HasAVX512VL},
		{"asimd", runtime.GOARCH == "arm64" && cpu.ARM64.HasASIMD},
	} {
		if f.has {
			list = append(list, f.name)
		}
	}
	return list
}
