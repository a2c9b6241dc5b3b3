package report

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"testing"
)

var (
	inf = math.Inf(1)
	nan = math.NaN()
)

// strictJSON writes a report as JSON and reads it back into a T without
// unknown keys or trailing data.
func strictJSON[T any](t *testing.T, write func(io.Writer) error) T {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	var v T
	d := json.NewDecoder(&b)
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("not the JSON that was promised: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("data after the object: %v", err)
	}
	return v
}

func textOf(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
