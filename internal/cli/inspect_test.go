package cli

import (
	"bytes"
	"strings"
	"testing"
)

// TestInspectGoesOn: a file that fails does not stop the others, whatever its
// error. With several files the exit code is 1, with one it is that of the
// error.
func TestInspectGoesOn(t *testing.T) {
	const good, bad, large = "../../samples/ramp_6x6.npy", "missing.npy", "../../samples/chelsea.png"
	for _, c := range []struct {
		files    []string
		code     int
		measured int
		errors   int
	}{
		{[]string{good}, exitDone, 1, 0},
		{[]string{good, good}, exitDone, 2, 0},
		{[]string{bad}, exitData, 0, 1},
		{[]string{large}, exitLimit, 0, 1},
		{[]string{bad, good}, exitData, 1, 2},
		{[]string{good, large, good, bad, good}, exitData, 3, 3},
		{[]string{bad, large}, exitData, 0, 3},
	} {
		var out, notes bytes.Buffer
		code := Main(append([]string{"inspect", "--max-memory", "100KiB"}, c.files...), Streams{strings.NewReader(""), &out, &notes})
		measured, errors := strings.Count(out.String(), "elements  "), strings.Count(notes.String(), "poolctl: error: ")
		if code != c.code || measured != c.measured || errors != c.errors {
			t.Errorf("%v: exit code %d, %d measured, %d errors, want %d, %d, %d\n%s", c.files, code, measured, errors, c.code, c.measured, c.errors, &notes)
		}
	}
}
