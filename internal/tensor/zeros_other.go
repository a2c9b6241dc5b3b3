//go:build !linux

package tensor

// adviseHuge does nothing: other systems choose the pages themselves.
func adviseHuge([]byte) {}
