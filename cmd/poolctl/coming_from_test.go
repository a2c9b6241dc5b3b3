package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/cli"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// TestComingFrom runs the commands of docs/coming-from.md, and compares their
// results with those of the calls beside them. tools/golden/coming_from.py made
// the calls.
func TestComingFrom(t *testing.T) {
	page, err := os.ReadFile("../../docs/coming-from.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `(.+?)` \\| `(poolctl .+)` \\|$").FindAllStringSubmatch(string(page), -1)
	if all := strings.Count(string(page), "\n| `"); len(rows) != all || all == 0 {
		t.Fatalf("got %d rows of a call and a command, want all %d", len(rows), all)
	}
	golden := testutil.Arrays(t, "testdata/coming_from.npz")
	t.Chdir(t.TempDir())
	for _, name := range []string{"x", "w", "b", "g", "k"} {
		outputs := []imgio.Output{{Name: name + ".npy", Tensor: golden[name]}}
		if _, err := imgio.WriteAll(outputs, imgio.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		delete(golden, name)
	}
	for _, row := range rows {
		t.Run(row[1], func(t *testing.T) {
			key := fmt.Sprintf("%x", sha256.Sum256([]byte(row[1])))[:16]
			want := golden[key]
			if want == nil {
				t.Fatal("no result of the call, tools/golden/coming_from.py writes it")
			}
			var data []byte
			for command := range strings.SplitSeq(row[2], ` \| `) {
				data = pipe(t, command, data)
			}
			compare(t, "y.npy", want)
			if at := golden[key+"-1"]; at != nil {
				compare(t, "at.npy", at)
			}
			delete(golden, key)
			delete(golden, key+"-1")
		})
	}
	for key := range golden {
		t.Errorf("%s: the result of no call on the page, tools/golden/coming_from.py leaves it out", key)
	}
}

// pipe runs a command with its standard input and returns its standard output.
func pipe(t *testing.T, command string, in []byte) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	words := strings.Fields(command)
	if code := cli.Main(words[1:], cli.Streams{In: bytes.NewReader(in), Out: &out, Err: &errs}); code != 0 {
		t.Fatalf("%s: exit code %d\n%s", command, code, &errs)
	}
	return out.Bytes()
}

// compare compares an array file with an array, and removes it.
func compare(t *testing.T, file string, want *tensor.Tensor) {
	t.Helper()
	source, err := imgio.Open(file, imgio.Options{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := source.Read()
	_ = source.Close()
	if err == nil {
		err = testutil.Equal(got, want, 2e-6)
	}
	if err != nil {
		t.Errorf("%s: %v", filepath.Base(file), err)
	}
	if err := os.Remove(file); err != nil {
		t.Error(err)
	}
}
