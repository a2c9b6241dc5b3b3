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
// itself holds the folder's lock alone. Shards of one job hold it together, and
// each a lock of its own. The system frees the locks of a process that ends,
// however it ends.
type Lock struct {
	folder, shard *flock.Flock
	// Unlocked is why there is no lock: the file system has none.
	Unlocked error
}

// BusyError is an output folder that another run works on.
type BusyError struct{ Folder, Why string }

func (e *BusyError) Error() string { return e.Folder + ": " + e.Why }

// poll is how often a waiting run tries again.
const poll = 100 * time.Millisecond

// Acquire takes the lock of an output folder, which it makes if need be: alone
// or, with a shard's name, together with other shards of the same job. If it
// cannot be had and wait is true, it waits until the context ends, otherwise the
// error is a *BusyError.
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
	// Shards come in one after the other: the first of them holds the folder alone
	// for a moment, which must not look like another run to the next.
	door := flock.New(filepath.Join(state, "lock-shards"))
	if err := door.Lock(); err != nil {
		return l, err
	}
	defer func() { _ = door.Close() }()
	// The job's name changes only under the lock that is held alone, so while
	// anybody holds it together with others the name stays, and each of them has
	// compared it with its own.
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

// taken turns the answer of a lock into an error.
func taken(ok bool, err error) func(folder, why string) error {
	return func(folder, why string) error {
		if err == nil && !ok {
			return &BusyError{folder, why}
		}
		return err
	}
}

// plainPath puts the name in front of an error of the operating system.
func plainPath(err error) error {
	var path *os.PathError
	if errors.As(err, &path) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// Release gives the lock back. Its files stay: one that is removed while another
// process opens it would be held twice.
func (l *Lock) Release() {
	for _, f := range []*flock.Flock{l.shard, l.folder} {
		if f != nil {
			_ = f.Close() // frees the lock, whatever else
		}
	}
}
