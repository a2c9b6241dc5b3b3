//go:build unix

package imgio

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// lock locks a file that was just made, also beyond its Close, until unlock.
// Locked is false when another process was faster. On file systems without
// locks the file goes unlocked.
func lock(f *os.File) (unlock func(), locked bool) {
	held, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return func() {}, true
	}
	unlock = func() { _ = unix.Close(held) }
	if unix.Flock(held, unix.LOCK_EX|unix.LOCK_NB) == unix.EWOULDBLOCK {
		unlock()
		return nil, false
	}
	return unlock, true
}

// removeAbandoned removes a temporary file that no process holds locked.
func removeAbandoned(path string) {
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeType != 0 {
		return // not a file
	}
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		_ = os.Remove(path)
	}
}
