//go:build unix

// Command corpora runs poolctl over folders of damaged and hostile files and
// prints the results:
//
//	go run ./tools/corpora [-binary FILE] [-differences] FOLDER…
//
// A picture or array is decoded by `poolctl inspect`, a pipeline file checked
// by `poolctl shape`. A run crashes when it ends by a signal or after ten
// seconds, with a code that is not documented, with a trace or an internal
// error on standard error, with more than one line of error there, or leaving a
// file. A folder's GO-DECODE.tsv says how other decoders treated its files;
// -differences lists those that poolctl treats differently. The exit code is 1
// when a run crashed or took more than two seconds of processor time.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

const (
	slow     = 2 * time.Second
	deadline = 10 * time.Second
)

// result is the outcome for one file.
type result struct {
	path    string
	code    int
	message string        // the first line of standard error
	fault   string        // why the run counts as a crash
	took    time.Duration // of all processors together
	peak    int64         // bytes
}

func main() {
	binary := flag.String("binary", "", "the poolctl to run (default: built from this repository)")
	differences := flag.Bool("differences", false, "list files that another decoder treats otherwise")
	verbose := flag.Bool("v", false, "print every file")
	flag.Parse()
	if err := run(*binary, flag.Args(), *differences, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "corpora:", err)
		os.Exit(1)
	}
}

func run(binary string, folders []string, differences, verbose bool) error {
	if len(folders) == 0 {
		return errors.New("want a folder")
	}
	work, err := os.MkdirTemp("", "corpora-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if binary == "" {
		binary = filepath.Join(work, "poolctl")
		build := exec.Command("go", "build", "-o", binary, "./cmd/poolctl")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return err
		}
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return err
	}
	files, err := list(folders)
	if err != nil {
		return err
	}
	results := make([]result, len(files))
	next := make(chan int)
	var all sync.WaitGroup
	for range runtime.NumCPU() {
		all.Go(func() {
			for i := range next {
				results[i] = try(binary, work, files[i])
			}
		})
	}
	for i := range files {
		next <- i
	}
	close(next)
	all.Wait()
	if verbose {
		for _, r := range results {
			fmt.Printf("%d %6.3f s %4d MiB  %s  %s\n", r.code, r.took.Seconds(), r.peak>>20, r.path, r.message)
		}
	}
	if differences {
		if err := compare(results); err != nil {
			return err
		}
	}
	return table(results)
}

// list walks the folders, without the files that describe a corpus.
func list(folders []string) ([]string, error) {
	var files []string
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			switch filepath.Ext(path) {
			case ".tsv", ".txt", ".md":
				return nil
			}
			path, err = filepath.Abs(path)
			files = append(files, path)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if len(files) == 0 {
		return nil, errors.New("no files in the folders")
	}
	return files, nil
}

// try runs poolctl on one file, in an empty folder.
func try(binary, work, path string) result {
	r := result{path: path}
	folder, err := os.MkdirTemp(work, "run-")
	if err != nil {
		r.fault = err.Error()
		return r
	}
	defer func() { _ = os.RemoveAll(folder) }()
	args := []string{"inspect", path}
	if ext := filepath.Ext(path); ext == ".yaml" || ext == ".yml" {
		args = []string{"shape", path, "--input-shape", "1,64,64,3"}
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	var notes bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Stderr = folder, &notes
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+folder)
	_ = cmd.Run() // the process state says how it ended
	if cmd.ProcessState == nil {
		r.fault = "did not start"
		return r
	}
	r.code = cmd.ProcessState.ExitCode()
	r.took = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		r.peak = usage.Maxrss << 10
	}
	r.message, _, _ = strings.Cut(notes.String(), "\n")
	r.fault = fault(r.code, notes.String())
	if left, err := os.ReadDir(folder); err == nil && len(left) > 0 {
		r.fault = "left " + left[0].Name()
	}
	return r
}

// fault returns what is wrong with the way a run ended, or "".
func fault(code int, notes string) string {
	if !slices.Contains([]int{0, 1, 2, 5}, code) {
		return fmt.Sprintf("exit code %d", code)
	}
	for _, word := range []string{"panic", "goroutine ", "fatal error", "SIG", "internal error", "runtime error"} {
		if strings.Contains(notes, word) {
			return "says " + word
		}
	}
	errorLines := strings.Count(notes, "poolctl: error: ")
	others := strings.Count(notes, "\n") - strings.Count(notes, "\n  ") // all but a pipeline file's further faults
	if code != 0 && errorLines != 1 || code == 0 && errorLines != 0 || others > 2 {
		return fmt.Sprintf("%d lines of error with exit code %d", errorLines, code)
	}
	return ""
}

// table prints the results of each folder.
func table(results []result) error {
	type row struct {
		tried, decoded, refused, limited, crashed, slow int
		longest                                         time.Duration
		peak                                            int64
	}
	rows := map[string]*row{}
	var names []string
	bad := 0
	at := func(name string) *row {
		if rows[name] == nil {
			rows[name] = &row{}
			names = append(names, name)
		}
		return rows[name]
	}
	for _, r := range results {
		folder := filepath.Dir(r.path)
		for _, t := range []*row{at(filepath.Join(filepath.Base(filepath.Dir(folder)), filepath.Base(folder))), at("~all")} {
			t.tried++
			switch {
			case r.fault != "":
				t.crashed++
			case r.code == 0:
				t.decoded++
			case r.code == 5:
				t.limited++
			default:
				t.refused++
			}
			if r.took > slow {
				t.slow++
			}
			t.longest, t.peak = max(t.longest, r.took), max(t.peak, r.peak)
		}
		if r.fault != "" || r.took > slow {
			bad++
			fmt.Printf("%s: %s, %.2f s: %s\n", r.path, r.fault, r.took.Seconds(), r.message)
		}
	}
	slices.Sort(names)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "folder\ttried\tdecoded\trefused\tby a limit\tcrashed\tslow\tlongest\tpeak MiB\t")
	for _, name := range names {
		t := rows[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.2f s\t%d\t\n",
			strings.TrimPrefix(name, "~"), t.tried, t.decoded, t.refused, t.limited, t.crashed, t.slow, t.longest.Seconds(), t.peak>>20)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d files crashed or were slow", bad)
	}
	return nil
}

// compare lists the files whose result differs from the corpus' GO-DECODE.tsv.
func compare(results []result) error {
	said := map[string]string{} // by path: the class and the rest of the line
	seen := map[string]bool{}
	for _, r := range results {
		for folder := filepath.Dir(r.path); folder != filepath.Dir(folder) && !seen[folder]; folder = filepath.Dir(folder) {
			seen[folder] = true
			text, err := os.ReadFile(filepath.Join(folder, "GO-DECODE.tsv"))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			for line := range strings.Lines(string(text)) {
				name, rest, ok := strings.Cut(strings.TrimSpace(line), "\t")
				if ok {
					said[filepath.Join(folder, name)] = rest
				}
			}
		}
	}
	for _, r := range results {
		other, ok := said[r.path]
		if ok && strings.HasPrefix(other, "ok") != (r.code == 0) {
			fmt.Printf("%s\n  there: %s\n  here:  %d %s\n", r.path, strings.ReplaceAll(other, "\t", " "), r.code, r.message)
		}
	}
	return nil
}
