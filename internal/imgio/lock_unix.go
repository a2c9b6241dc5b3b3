//go:build unix

package imgio

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// lock locks a file that was just created. The lock outlasts the file's Close
// and ends with unlock. locked is false if a sweep got the file first. On file
// systems without locks the file stays unlocked.
func lock(f *os.File) (unlock func(), locked bool) {
	held, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return func() {}, true
	}
	unlock = func() { _ = unix.Close(held) }
	err = unix.Flock(held, unix.LOCK_EX|unix.LOCK_NB)
	var stat unix.Stat_t
	if err == unix.EWOULDBLOCK || unix.Fstat(held, &stat) == nil && stat.Nlink == 0 { // a sweep is removing it, or has
		unlock()
		return nil, false
	}
	return unlock, true
}

// removeAbandoned removes a temporary file that no process has locked.
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
