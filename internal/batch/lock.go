package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/poolctl/poolctl/internal/imgio/input"
)

// Lock keeps other runs out of an output folder. A run that has the folder to
// itself holds an exclusive lock on it. Shards of one job hold a shared lock, and
// each an exclusive lock of its own. The system frees the locks when a process
// ends, even if it is killed.
type Lock struct {
	folder, shard *flock.Flock
	// Unlocked is why there is no lock: the file system does not support locks.
	Unlocked error
}

// BusyError reports an output folder that another run is using.
type BusyError struct{ Folder, Why string }

func (e *BusyError) Error() string { return e.Folder + ": " + e.Why }

// poll is how often a waiting run tries again.
const poll = 100 * time.Millisecond

// Acquire locks an output folder, creating it if necessary. With the name of a
// shard, it shares the folder with other shards of the same job. If the folder is
// busy and wait is set, it waits until the context ends; otherwise the error is a
// *BusyError.
func Acquire(ctx context.Context, folder, job, shard string, wait bool) (*Lock, error) {
	state := filepath.Join(folder, stateFolder)
	if err := os.MkdirAll(state, 0o777); err != nil {
		return nil, fmt.Errorf("%s: %w", folder, input.Plain(err))
	}
	for {
		l, err := try(folder, job, shard)
		var busy *BusyError
		switch {
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.ENOLCK):
			return &Lock{Unlocked: err}, nil
		case err == nil || !wait || !errors.As(err, &busy):
			return l, err
		}
		select {
		case <-time.After(poll):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// try takes the lock if it is free.
func try(folder, job, shard string) (l *Lock, err error) {
	state := filepath.Join(folder, stateFolder)
	l = &Lock{folder: flock.New(filepath.Join(state, "lock"))}
	defer func() {
		if err != nil {
			l.Release()
			err = plainPath(err)
		}
	}()
	if shard == "" {
		return l, taken(l.folder.TryLock())(folder, "another run is writing to it")
	}
	l.shard = flock.New(filepath.Join(state, "lock-"+shard))
	if err := taken(l.shard.TryLock())(folder, "another run is working on shard "+shard); err != nil {
		return l, err
	}
	// Shards enter one at a time. The first holds an exclusive lock for a moment,
	// which the next must not mistake for another run.
	door := flock.New(filepath.Join(state, "lock-shards"))
	if err := door.Lock(); err != nil {
		return l, err
	}
	defer func() { _ = door.Close() }()
	// The job's name changes only under the exclusive lock. While shards share the
	// lock, the name cannot change, and each has compared it with its own.
	name := filepath.Join(state, "job")
	alone, err := l.folder.TryLock()
	if err != nil {
		return l, err
	}
	if alone {
		if err := os.WriteFile(name, []byte(job), 0o666); err != nil {
			return l, err
		}
		if err := l.folder.Unlock(); err != nil {
			return l, err
		}
	}
	if err := taken(l.folder.TryRLock())(folder, "another run is writing to it"); err != nil {
		return l, err
	}
	current, err := os.ReadFile(name)
	if err == nil && string(current) != job {
		err = &BusyError{folder, "shards of another pipeline are being written to it"}
	}
	return l, err
}

// taken converts the result of a lock to an error.
func taken(ok bool, err error) func(folder, why string) error {
	return func(folder, why string) error {
		if err == nil && !ok {
			return &BusyError{folder, why}
		}
		return err
	}
}

// plainPath reduces an error of the operating system to the file name and the
// cause.
func plainPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// Release releases the lock. The lock files stay, since two processes could lock
// two files of one name if a file were removed while another process opens it.
func (l *Lock) Release() {
	for _, f := range []*flock.Flock{l.shard, l.folder} {
		if f != nil {
			_ = f.Close() // frees the lock even if it fails
		}
	}
}
