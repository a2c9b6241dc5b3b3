package batch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func hardLink(from, to string) error { return os.Link(from, to) }

// resumed runs a batch with a journal and returns how many inputs were read.
func resumed(t *testing.T, in, out, job string, fresh bool) (read int) {
	t.Helper()
	j, lock := opened(t, out, job, "", !fresh)
	defer lock.Release()
	counting := upper
	counting.Load = func(i *Item) ([]byte, error) {
		read++
		return upper.Load(i)
	}
	results, err := Run(t.Context(), gather(t, in, out), counting, Options{Journal: j, Resume: !fresh})
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	return read
}

func opened(t *testing.T, out, job, shard string, resume bool) (*Journal, *Lock) {
	t.Helper()
	lock, err := Acquire(t.Context(), out, job, shard, false)
	if err != nil {
		t.Fatal(err)
	}
	j, err := OpenJournal(out, job, shard, resume)
	if err != nil {
		t.Fatal(err)
	}
	return j, lock
}

// contents returns the files below a folder, including the journal.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		rel, _ := filepath.Rel(folder, path)
		files[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestResumeRepeatsWhatChangedAndNothingElse(t *testing.T) {
	_, in, out := inputs(t, 12)
	journal := filepath.Join(out, stateFolder, "journal.jsonl")
	if n := resumed(t, in, out, "job", true); n != 12 {
		t.Fatalf("the first run read %d", n)
	}
	whole := contents(t, out)
	for _, c := range []struct {
		name   string
		change func()
		want   int
	}{
		{"nothing", func() {}, 0},
		{"an input, of the same size", func() { write(t, filepath.Join(in, "f0003.png"), "TEXT 3") }, 1},
		{"an input back", func() { write(t, filepath.Join(in, "f0003.png"), "text 3") }, 1},
		{"an output gone", func() { remove(t, filepath.Join(out, "f0004", "b.png")) }, 1},
		{"an output edited, of the same size", func() { write(t, filepath.Join(out, "f0005", "a.npy"), "TEXT 6") }, 1},
		{"an output cut", func() { write(t, filepath.Join(out, "f0005", "a.npy"), "TEXT") }, 1},
		{"an input touched", func() { write(t, filepath.Join(in, "f0006.png"), "text 6") }, 0},
		{"an input more", func() { write(t, filepath.Join(in, "g.png"), "g") }, 1},
		{"the journal gone", func() { remove(t, journal) }, 13},
		{"the journal empty", func() { write(t, journal, "") }, 13},
		{"the last line of the journal unfinished", func() {
			text, _ := os.ReadFile(journal)
			write(t, journal, string(text[:len(text)-10]))
		}, 1},
		{"the journal overwritten", func() { write(t, journal, strings.Repeat("\x00\xff{\"input\":", 5000)) }, 13},
	} {
		c.change()
		if n := resumed(t, in, out, "job", false); n != c.want {
			t.Errorf("%s: %d inputs were read again, want %d", c.name, n, c.want)
		}
		if n := resumed(t, in, out, "job", false); n != 0 {
			t.Errorf("%s: afterwards %d inputs were read again", c.name, n)
		}
	}
	if n := resumed(t, in, out, "another pipeline", false); n != 13 {
		t.Errorf("another job: %d inputs were read again, want all", n)
	}
	remove(t, filepath.Join(in, "g.png"))
	if n := resumed(t, in, out, "job", true); n != 12 {
		t.Errorf("without resume: %d inputs were read, want all", n)
	}
	got := contents(t, out)
	maps.DeleteFunc(got, func(name, _ string) bool { return strings.HasPrefix(name, "g") })
	delete(got, filepath.Join(stateFolder, "journal.jsonl"))
	delete(whole, filepath.Join(stateFolder, "journal.jsonl"))
	if !maps.Equal(got, whole) {
		t.Error("the folder does not hold what the first run wrote")
	}
}

func remove(t *testing.T, name string) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

// TestADamagedJournalIsNeverBelieved flips bytes of a journal and of its outputs. An
// output that is not made again is equal to what the job would write.
func TestADamagedJournalIsNeverBelieved(t *testing.T) {
	_, in, out := inputs(t, 6)
	resumed(t, in, out, "job", true)
	want := contents(t, out)
	journal := filepath.Join(stateFolder, "journal.jsonl")
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 40 {
		for name, text := range want {
			damaged := []byte(text)
			if name == journal || random.IntN(8) == 0 {
				for range 1 + random.IntN(3) {
					if len(damaged) > 0 {
						damaged[random.IntN(len(damaged))] ^= 1 << random.IntN(8)
					}
				}
			}
			write(t, filepath.Join(out, name), string(damaged))
		}
		resumed(t, in, out, "job", false)
		got := contents(t, out)
		for name := range want {
			if got[name] != want[name] && name != journal { // it may keep lines of outputs that do not exist
				t.Fatalf("round %d: %s holds %q, want %q", round, name, got[name], want[name])
			}
		}
	}
}

// TestAnInterruptedRunLeavesTheSameFolder stops a batch at every input and resumes
// it.
func TestAnInterruptedRunLeavesTheSameFolder(t *testing.T) {
	_, in, whole := inputs(t, 8)
	resumed(t, in, whole, "job", true)
	want := contents(t, whole)
	for stop := range 8 {
		out := t.TempDir()
		ctx, cancel := context.WithCancelCause(t.Context())
		j, lock := opened(t, out, "job", "", false)
		_, err := Run(ctx, gather(t, in, out), upper, Options{Journal: j, Finished: func(i *Item, _ Result) {
			if i.Index > stop {
				cancel(errors.New("interrupted"))
			}
		}})
		if err := errors.Join(err, j.Close()); stop < 7 && err == nil {
			t.Fatal("the run was not interrupted")
		}
		lock.Release()
		if n := resumed(t, in, out, "job", false); n != 7-stop {
			t.Errorf("stopped after %d: %d were read by the second run, want %d", stop+1, n, 7-stop)
		}
		if got := contents(t, out); !maps.Equal(got, want) {
			t.Errorf("stopped after %d: the folder differs from that of one run: %v", stop+1, slicesOf(got))
		}
	}
}

func slicesOf(files map[string]string) (names []string) {
	for name := range files {
		names = append(names, name)
	}
	return names
}

// TestShardsShareAFolder runs three shards one after another, each with a journal of
// its own. A run of the whole batch then finds everything done, and leaves the same
// folder as if it had run alone, except for the shards' locks.
func TestShardsShareAFolder(t *testing.T) {
	_, in, whole := inputs(t, 10)
	resumed(t, in, whole, "job", true)
	out := t.TempDir()
	for i := 1; i <= 3; i++ {
		j, lock := opened(t, out, "job", fmt.Sprintf("%d-of-3", i), false)
		results, err := Run(t.Context(), Shard(gather(t, in, out), i, 3), upper, Options{Journal: j})
		if err := errors.Join(err, j.Close()); err != nil {
			t.Fatal(err)
		}
		if got, want := len(results), []int{4, 3, 3}[i-1]; got != want {
			t.Errorf("shard %d had %d inputs, want %d", i, got, want)
		}
		lock.Release()
	}
	if n := resumed(t, in, out, "job", false); n != 0 {
		t.Errorf("%d inputs were read again", n)
	}
	want := contents(t, whole)
	for name, text := range contents(t, out) {
		if base := filepath.Base(name); strings.HasPrefix(base, "lock-") || base == "job" {
			continue
		}
		if want[name] != text {
			t.Errorf("%s differs", name)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", slicesOf(want))
	}
}

// TestAnInputThatChangesMeanwhileFails replaces an input after it has been read and
// before it is done.
func TestAnInputThatChangesMeanwhileFails(t *testing.T) {
	_, in, out := inputs(t, 3)
	j, lock := opened(t, out, "job", "", false)
	job := upper
	job.Compute = func(i *Item, text []byte) error {
		if i.Index == 2 {
			write(t, i.Path, "another text")
		}
		return upper.Compute(i, text)
	}
	results, err := Run(t.Context(), gather(t, in, out), job, Options{Journal: j})
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	lock.Release()
	if r := results[1]; r.Class != Failed || !errors.Is(r.Err, errChanged) {
		t.Errorf("got %s, %v", r.Class, r.Err)
	}
	if n := resumed(t, in, out, "job", false); n != 1 {
		t.Errorf("%d inputs were read again, want the one that changed", n)
	}
}

func TestNamesSurviveJSON(t *testing.T) {
	for _, name := range []Name{"a.png", "ä\x1b[31m\n", "\xff\xfe.png", "", "<&>"} {
		text, err := name.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		var back Name
		if err := back.UnmarshalJSON(text); err != nil || back != name {
			t.Errorf("%q became %q by %s, %v", name, back, text, err)
		}
		if bytes.ContainsAny(text, "\x1b\n") {
			t.Errorf("%q holds control characters", text)
		}
	}
}
