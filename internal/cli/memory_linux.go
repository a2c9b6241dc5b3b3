package cli

import "golang.org/x/sys/unix"

// defaultMemory returns half of the machine's memory in bytes.
func defaultMemory() int {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return 0
	}
	return int(uint64(info.Totalram) * uint64(info.Unit) / 2) //nolint:unconvert // Totalram has 32 bits on some machines
}
