package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// batchPipeline is the pipeline of these tests' batches.
const batchPipeline = `version: 1
steps:
  - {name: conv1, op: conv2d, filter: "normal:3x3x3x4:1", padding: SAME}
  - {name: pool1, op: pool, type: max, window: 2}
save:
  conv1: [npy]
  pool1: [npy, png, argmax]
`

// batchFolder returns a new folder with a pipeline and n small pictures of
// three sizes.
func batchFolder(t *testing.T, n int) string {
	t.Helper()
	if exists("/dev/shm") {
		t.Setenv("TMPDIR", "/dev/shm") // thousands of files that are flushed to a disk take minutes
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "net.yaml"), []byte(batchPipeline), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(folder, "in"), 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		picture := image.NewNRGBA(image.Rect(0, 0, 24+8*(i%3), 32))
		for y := range 32 {
			for x := range picture.Rect.Dx() {
				picture.SetNRGBA(x, y, color.NRGBA{uint8(x*y + i), uint8(x * i), uint8(y + 3*i), 255})
			}
		}
		var text bytes.Buffer
		if err := png.Encode(&text, picture); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "in", fmt.Sprintf("p%04d.png", i)), text.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// runBatch is the command line of a batch into a folder.
func runBatch(out string, more ...string) []string {
	return append([]string{"run", "net.yaml", "in", "-o", out}, more...)
}

// outcome returns the files below an output folder, hidden ones too, except
// locks.
func outcome(t *testing.T, folder, out string) map[string]string {
	t.Helper()
	if !exists(filepath.Join(folder, out)) {
		return nil
	}
	files := tree(t, filepath.Join(folder, out))
	maps.DeleteFunc(files, func(name, _ string) bool {
		base := filepath.Base(name)
		return base == "job" || strings.HasPrefix(base, "lock")
	})
	return files
}

// sameOutcome compares an output folder with that of one undisturbed run.
func sameOutcome(t *testing.T, label string, got, want map[string]string) {
	t.Helper()
	for name, text := range want {
		if have, ok := got[name]; !ok {
			t.Errorf("%s: %s is missing", label, name)
		} else if have != text {
			t.Errorf("%s: %s differs", label, name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s should not be there", label, name)
		}
	}
}

// wholeOnly checks that every existing output is whole.
func wholeOnly(t *testing.T, label string, got, want map[string]string) {
	t.Helper()
	for name, text := range got {
		if strings.Contains(name, ".poolctl") { // the journal, and temporary files
			continue
		}
		if want[name] != text {
			t.Errorf("%s: %s is not as a whole run writes it", label, name)
		}
	}
}

// TestBatchMemoryIsFlat runs over 1,000 pictures: resident memory at the end is
// at most a tenth above that after 100, and descriptors do not grow. The garbage
// collector makes both go up and down, so each is a median.
func TestBatchMemoryIsFlat(t *testing.T) {
	folder := batchFolder(t, 1000)
	const small = "version: 1\nsteps:\n  - {name: conv1, op: conv2d, filter: \"normal:3x3x3x4:1\", padding: SAME}\n  - {name: pool1, op: pool, type: max, window: 2}\n"
	if err := os.WriteFile(filepath.Join(folder, "net.yaml"), []byte(small), 0o666); err != nil {
		t.Fatal(err)
	}
	var early, late, most int
	for try := range 3 { // a busy machine collects garbage late; a leak grows every time
		early, late, most = watchBatch(t, folder, fmt.Sprintf("out%d", try))
		t.Logf("resident memory: %d KiB after about 100 pictures, %d KiB at the end; at most %d descriptors", early, late, most)
		if early > 0 && late > 0 && late <= early*11/10 {
			break
		}
	}
	if early == 0 || late == 0 || late > early*11/10 {
		t.Errorf("resident memory grew from %d KiB to %d KiB", early, late)
	}
	if most > 32 {
		t.Errorf("%d descriptors were open at once", most)
	}
}

// watchBatch runs a batch over 1,000 pictures and returns its resident memory
// in KiB after about 100 of them and at the end, 0 where it is unknown, and the
// most descriptors that were open at once.
func watchBatch(t *testing.T, folder, out string) (early, late, most int) {
	t.Helper()
	cmd := program(t, folder, runBatch(out, "--quiet")...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	var first, last []int
	for running := true; running; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatal(err)
			}
			running = false
		case <-time.After(2 * time.Millisecond):
			// Reading fails before the process starts and after it has ended.
			done, _ := os.ReadDir(filepath.Join(folder, out))
			open, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
			most = max(most, len(open))
			switch kib := residentKiB(cmd.Process.Pid); {
			case kib == 0:
			case len(done) >= 75 && len(done) <= 175:
				first = append(first, kib)
			case len(done) >= 900:
				last = append(last, kib)
			}
		}
	}
	if got := len(outcome(t, folder, out)); got != 1000+1 {
		t.Errorf("%d files were written, want 1,001", got)
	}
	return median(first), median(last), most
}

// residentKiB returns the resident memory of a process; 0 when it has ended.
func residentKiB(process int) (kib int) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", process)) // it may have ended
	if _, after, found := strings.Cut(string(status), "VmRSS:"); found {
		_, _ = fmt.Sscanf(after, "%d kB", &kib)
	}
	return kib
}

// median returns the middle value, 0 for none.
func median(list []int) int {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// TestBatchKills kills a batch at random moments, again and again until it is
// done: existing outputs are whole, --resume computes only missing ones, and
// the final folder equals that of one undisturbed run.
func TestBatchKills(t *testing.T) {
	const n = 40
	folder := batchFolder(t, n)
	began := time.Now()
	succeed(t, folder, runBatch("whole")...)
	whole := time.Since(began)
	want := outcome(t, folder, "whole")
	random := rand.New(rand.NewPCG(9, 10))
	killed := 0
	for round := range repeats(4, 250) {
		out := fmt.Sprintf("out%d", round)
		for kill := range 4 {
			cmd := program(t, folder, runBatch(out, "--resume", "--quiet")...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(random.Int64N(int64(whole))))
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // says that it was killed
			if !cmd.ProcessState.Success() {
				killed++
			}
			wholeOnly(t, fmt.Sprintf("round %d, kill %d", round, kill), outcome(t, folder, out), want)
		}
		if round%2 == 1 { // a journal that was cut in the middle of a line
			journal := filepath.Join(folder, out, ".poolctl", "journal.jsonl")
			if text, err := os.ReadFile(journal); err == nil {
				if err := os.WriteFile(journal, text[:random.IntN(len(text)+1)], 0o666); err != nil {
					t.Fatal(err)
				}
			}
		}
		complete := 0 // inputs in the journal with all outputs present
		text, _ := os.ReadFile(filepath.Join(folder, out, ".poolctl", "journal.jsonl"))
		for line := range bytes.Lines(text) {
			if json.Valid(line) {
				complete++
			}
		}
		var summary struct {
			Counts struct{ Done, Skipped int }
		}
		if err := json.Unmarshal([]byte(succeed(t, folder, runBatch(out, "--resume", "--json", "--quiet")...)), &summary); err != nil {
			t.Fatal(err)
		}
		if summary.Counts.Skipped != complete || summary.Counts.Done != n-complete {
			t.Errorf("round %d: %d done and %d skipped, the journal had %d of %d", round, summary.Counts.Done, summary.Counts.Skipped, complete, n)
		}
		sameOutcome(t, fmt.Sprintf("round %d", round), outcome(t, folder, out), want)
		if err := os.RemoveAll(filepath.Join(folder, out)); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d killed", killed)
	if killed == 0 {
		t.Error("every run ended before it was killed")
	}
}

// TestBatchInterrupts stops a batch by signals at random moments: it reports and
// ends within a second with the documented code, nothing is left half-written,
// and --resume ends as one undisturbed run does.
func TestBatchInterrupts(t *testing.T) {
	heedSignals(t)
	const n = 400 // a third of a second or more, so that every signal comes before the end
	folder := batchFolder(t, n)
	succeed(t, folder, runBatch("whole")...)
	want := outcome(t, folder, "whole")
	random := rand.New(rand.NewPCG(11, 12))
	for round := range repeats(6, 200) {
		signal, code, word := os.Interrupt, 130, "interrupted"
		if round%3 > 0 {
			signal, code, word = []os.Signal{syscall.SIGTERM, syscall.SIGHUP}[round%3-1], 143, "terminated"
		}
		label := fmt.Sprintf("round %d, %v", round, signal)
		out := fmt.Sprintf("out%d", round)
		var notes strings.Builder
		cmd := program(t, folder, runBatch(out)...)
		cmd.Stderr = &notes
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for !exists(filepath.Join(folder, out, "p0000", "pool1.png")) {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(random.Int64N(int64(30 * time.Millisecond))))
		sent := time.Now()
		_ = cmd.Process.Signal(signal)
		_ = cmd.Wait() // says the exit code
		if took, most := time.Since(sent), within(time.Second); took > most {
			t.Errorf("%s: took %v to end, want at most %v", label, took, most)
		}
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Errorf("%s: exit code %d, want %d: %s", label, got, code, notes.String())
		}
		if !strings.Contains(notes.String(), "poolctl: error: "+word+": ") || !strings.Contains(notes.String(), fmt.Sprintf(" of %d inputs are done\n", n)) {
			t.Errorf("%s: standard error holds %q", label, notes.String())
		}
		got := outcome(t, folder, out)
		wholeOnly(t, label, got, want)
		for name := range got {
			if strings.HasPrefix(filepath.Base(name), ".poolctl-") {
				t.Errorf("%s: left %s", label, name)
			}
		}
		succeed(t, folder, runBatch(out, "--resume")...)
		sameOutcome(t, label, outcome(t, folder, out), want)
		if err := os.RemoveAll(filepath.Join(folder, out)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBatchInterruptsALongComputation stops batches that are in the middle of
// something that takes half a minute: one signal drops it within a second, two
// at once.
func TestBatchInterruptsALongComputation(t *testing.T) {
	heedSignals(t)
	folder := batchFolder(t, 2)
	const slow = "version: 1\nsteps:\n  - {name: a, op: dilation2d, filter: \"normal:301x301x3:1\", padding: SAME}\ninput: {resize: {size: [1200, 1200], filter: nearest}}\n"
	if err := os.WriteFile(filepath.Join(folder, "net.yaml"), []byte(slow), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, signals := range []int{1, 2} {
		var notes strings.Builder
		cmd := program(t, folder, runBatch("out", "--verbose")...)
		cmd.Stderr = &notes
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(300 * time.Millisecond)
		sent := time.Now()
		for range signals {
			_ = cmd.Process.Signal(os.Interrupt)
			time.Sleep(20 * time.Millisecond)
		}
		_ = cmd.Wait() // says the exit code
		took, most := time.Since(sent), within(time.Second)
		if signals == 2 {
			most = within(400 * time.Millisecond)
		}
		if code := cmd.ProcessState.ExitCode(); code != 130 || took > most {
			t.Errorf("%d signals: exit code %d after %v, want 130 within %v: %s", signals, code, took, most, notes.String())
		}
		for name := range outcome(t, folder, "out") {
			if !strings.HasPrefix(name, ".poolctl") {
				t.Errorf("%d signals: left %s", signals, name)
			}
		}
	}
}

// TestBatchesOnOneFolder lets eight programs work into one folder, some of
// which are killed: those that do not wait are refused, and the final folder
// equals that of one undisturbed run. Shards work at the same time.
func TestBatchesOnOneFolder(t *testing.T) {
	const n = 24
	folder := batchFolder(t, n)
	succeed(t, folder, runBatch("whole")...)
	want := outcome(t, folder, "whole")
	random := rand.New(rand.NewPCG(13, 14))
	for round := range repeats(1, 20) {
		out := fmt.Sprintf("out%d", round)
		var all []*exec.Cmd
		notes := make([]strings.Builder, 8)
		for i := range notes {
			args := runBatch(out, "--resume", "--wait", "--quiet")
			if i%4 == 3 {
				args = runBatch(out, "--resume", "--quiet")
			}
			cmd := program(t, folder, args...)
			cmd.Stderr = &notes[i]
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, cmd)
			if i%4 == 2 {
				time.AfterFunc(time.Duration(random.Int64N(int64(300*time.Millisecond))), func() { _ = cmd.Process.Kill() })
			}
		}
		for i, cmd := range all {
			_ = cmd.Wait() // says the exit code
			code, killed := cmd.ProcessState.ExitCode(), i%4 == 2
			refused := i%4 == 3 && code == 1 && strings.Contains(notes[i].String(), out+": another run is writing to it")
			if code != 0 && !killed && !refused {
				t.Errorf("round %d: run %d: exit code %d: %s", round, i, code, notes[i].String())
			}
		}
		succeed(t, folder, runBatch(out, "--resume")...)
		sameOutcome(t, fmt.Sprintf("round %d", round), outcome(t, folder, out), want)

		out = fmt.Sprintf("shards%d", round)
		all = nil
		for i := 1; i <= 3; i++ {
			cmd := program(t, folder, runBatch(out, "--shard", fmt.Sprintf("%d/3", i), "--quiet")...)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			all = append(all, cmd)
		}
		for i, cmd := range all {
			if err := cmd.Wait(); err != nil {
				t.Errorf("round %d: shard %d: %v", round, i+1, err)
			}
		}
		var summary struct {
			Counts struct{ Skipped int }
		}
		if err := json.Unmarshal([]byte(succeed(t, folder, runBatch(out, "--resume", "--json", "--quiet")...)), &summary); err != nil || summary.Counts.Skipped != n {
			t.Errorf("round %d: after the shards %d of %d were skipped, %v", round, summary.Counts.Skipped, n, err)
		}
		sameOutcome(t, fmt.Sprintf("round %d: shards", round), outcome(t, folder, out), want)
	}
}

// TestBatchSummariesAgree runs a batch with different numbers of threads: the
// summaries differ only in their times.
func TestBatchSummariesAgree(t *testing.T) {
	folder := batchFolder(t, 6)
	var all []string
	for _, threads := range []string{"1", "3", "64"} {
		var summary map[string]any
		text := succeed(t, folder, runBatch("out", "--json", "--quiet", "--threads", threads)...)
		if err := json.Unmarshal([]byte(text), &summary); err != nil {
			t.Fatal(err)
		}
		delete(summary, "started")
		delete(summary, "seconds")
		for _, input := range summary["inputs"].([]any) {
			delete(input.(map[string]any), "seconds")
		}
		masked, err := json.Marshal(summary)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(masked))
	}
	if slices.Sort(all); all[0] != all[len(all)-1] {
		t.Errorf("the summaries differ: %q", all)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
