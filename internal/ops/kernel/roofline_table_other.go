//go:build !amd64 || purego

package kernel

func assembledMachine(Level) (Machine, bool) { return Machine{}, false }
