package batch

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/imgio/input"
)

// stateFolder is the folder for the journal and the locks of a batch, in its output
// folder.
const stateFolder = ".poolctl"

// A journal is a file of JSON lines, one for each finished input. A line claims
// that this job made outputs of these contents from an input of this content. A
// claim is believed only after it has been compared with the files. So a damaged,
// forged or outdated line costs work but cannot cause a wrong result, and lines
// need not be synced.
//
// A run that has the folder to itself writes journal.jsonl. A shard writes a file
// of its own, so that no two processes write to one file. All files are read.

// entry is a line of a journal.
type entry struct {
	Input   Name     `json:"input"` // for people
	Content content  `json:"content"`
	Job     string   `json:"job"`
	Outputs []output `json:"outputs"`
}

type output struct {
	Name    Name    `json:"name"` // below the output folder, with slashes
	Content content `json:"content"`
}

// key identifies an entry by its first output. A later entry replaces an earlier
// one.
func (e *entry) key() Name {
	if len(e.Outputs) == 0 {
		return ""
	}
	return e.Outputs[0].Name
}

// Journal records in the output folder which inputs are done.
type Journal struct {
	folder string // of the outputs
	job    string
	shared bool // this is a shard: the other journals belong to other processes
	known  map[Name]entry

	mutex sync.Mutex // a dropped computation may still finish
	file  *os.File   // nil when closed

	Damaged int // lines that could not be read
}

// JournalError reports a journal that cannot be written. It stops the batch.
type JournalError struct {
	Name string
	Err  error
}

func (e *JournalError) Error() string { return e.Name + ": " + input.Plain(e.Err).Error() }

// Unwrap returns the cause.
func (e *JournalError) Unwrap() error { return e.Err }

// OpenJournal opens the journal of an output folder. The caller holds the folder's
// lock. job identifies everything beside the input that determines the outputs: the
// pipeline, its weights, the settings and the program's version. shard is the name
// of a shard, or "".
func OpenJournal(folder, job, shard string, resume bool) (*Journal, error) {
	j := &Journal{folder: folder, job: job, shared: shard != ""}
	if resume {
		j.known, j.Damaged = readJournals(j.files())
	}
	name := journalName(shard)
	f, err := os.OpenFile(filepath.Join(folder, stateFolder, name), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err == nil {
		err = endLine(f)
	}
	if err != nil {
		return nil, &JournalError{filepath.Join(folder, stateFolder, name), err}
	}
	j.file = f
	return j, nil
}

// journalName returns the name of the journal of a shard, or of a run without
// shards.
func journalName(shard string) string {
	if shard == "" {
		return "journal.jsonl"
	}
	return "journal-" + shard + ".jsonl"
}

// StateFiles returns the names of the files that a run or one of its shards writes
// into the output folder beside the outputs: journal and locks.
func StateFiles(folder, shard string) []string {
	names := []string{journalName(shard), "lock"}
	if shard != "" {
		names = append(names, "lock-"+shard, "lock-shards", "job")
	}
	for i, name := range names {
		names[i] = filepath.Join(folder, stateFolder, name)
	}
	return names
}

// endLine ends a line that a killed run left unfinished.
func endLine(f *os.File) error {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = f.Write([]byte("\n"))
	return err
}

// files lists the journals in the folder, journal.jsonl first.
func (j *Journal) files() []string {
	shards, _ := filepath.Glob(filepath.Join(literal(j.folder), stateFolder, "journal-*.jsonl")) // the pattern is valid
	slices.Sort(shards)
	return append([]string{filepath.Join(j.folder, stateFolder, "journal.jsonl")}, shards...)
}

// literal escapes the special characters of patterns.
func literal(name string) string {
	return strings.NewReplacer("*", "[*]", "?", "[?]", "[", "[[]").Replace(name)
}

// readJournals reads journals as far as they can be read.
func readJournals(files []string) (known map[Name]entry, damaged int) {
	known = map[Name]entry{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			continue // nothing is known, so everything is done again
		}
		in := bufio.NewReaderSize(f, 1<<16)
		for {
			line, err := readLine(in)
			var e entry
			if len(line) > 0 && (json.Unmarshal(line, &e) != nil || len(e.Outputs) == 0) {
				damaged++
			} else if len(line) > 0 {
				known[e.key()] = e
			}
			if err != nil {
				break
			}
		}
		_ = f.Close()
	}
	return known, damaged
}

// maxLine is the longest line that is kept in memory.
const maxLine = 1 << 20

// readLine returns a line without its line feed, cut at maxLine.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line) < maxLine {
			line = append(line, part...)
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return bytes.TrimSpace(line), err
		}
	}
}

// done reports whether the journal says that an item of that content is done and
// its outputs are as they were written.
func (j *Journal) done(item *Item, read fingerprint) bool {
	names := j.names(item)
	e, ok := j.known[names[0]]
	if !ok || read.SHA256 == "" || e.Job != j.job || e.Content != read.content || len(e.Outputs) != len(names) {
		return false
	}
	for i, out := range e.Outputs {
		if out.Name != names[i] {
			return false
		}
		path := filepath.Join(j.folder, filepath.FromSlash(string(out.Name)))
		if info, err := os.Stat(path); err != nil || info.Size() != out.Content.Bytes {
			return false
		}
		if is, err := fingerprintOf(path); err != nil || is.content != out.Content {
			return false
		}
	}
	return true
}

// names returns the names of an item's outputs below the folder.
func (j *Journal) names(item *Item) []Name {
	names := make([]Name, len(item.namer.products))
	for i, p := range item.namer.products {
		names[i] = Name(item.namer.name(item, p))
	}
	return names
}

// record adds an item whose outputs have been written.
func (j *Journal) record(item *Item, read fingerprint) error {
	if read.SHA256 == "" {
		return nil // a stream cannot be compared
	}
	e := entry{Input: Name(item.Path), Content: read.content, Job: j.job}
	for _, name := range j.names(item) {
		is, err := fingerprintOf(filepath.Join(j.folder, filepath.FromSlash(string(name))))
		if err != nil {
			return fmt.Errorf("%s: %w", name, input.Plain(err))
		}
		e.Outputs = append(e.Outputs, output{name, is.content})
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if j.file == nil {
		return nil
	}
	if _, err := j.file.Write(append(line, '\n')); err != nil {
		return &JournalError{j.file.Name(), err}
	}
	return nil
}

// Close closes the journal. If the run has the folder to itself, it rewrites the
// journal with one line for each input, sorted by outputs, so that the file does not
// depend on the order or the number of runs.
func (j *Journal) Close() error {
	j.mutex.Lock()
	defer j.mutex.Unlock()
	if j.file == nil {
		return nil
	}
	name := j.file.Name()
	err := j.file.Close()
	j.file = nil
	if err == nil && !j.shared {
		err = j.compact(name)
	}
	if err != nil {
		return &JournalError{name, err}
	}
	return nil
}

func (j *Journal) compact(name string) error {
	files := j.files()
	known, _ := readJournals(files)
	entries := make([]entry, 0, len(known))
	for _, e := range known {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key(), b.key()) })
	err := imgio.WriteFile(name, false, func(w io.Writer) error {
		for _, e := range entries {
			line, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := w.Write(append(line, '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, shard := range files[1:] {
		if err := os.Remove(shard); err != nil {
			return err
		}
	}
	return nil
}
