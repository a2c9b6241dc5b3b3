package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
)

// Value is a number as decimal text, so that 64-bit integers stay exact. An
// integer has all its digits, a float as many as it takes to read the same
// float64 back; NaN, Infinity and -Infinity are words. The empty Value means
// that there is no such number, such as the minimum of no elements.
//
// In JSON it is a number, the string "NaN", "Infinity" or "-Infinity", or null.
type Value string

// ValueOf returns a float64 as a Value.
func ValueOf(f float64) Value {
	switch {
	case math.IsNaN(f):
		return "NaN"
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	}
	return Value(strconv.FormatFloat(f, 'g', -1, 64))
}

// Float returns the value as a float64, NaN for the empty one.
func (v Value) Float() float64 {
	if f, err := strconv.ParseFloat(string(v), 64); err == nil {
		return f
	}
	return math.NaN()
}

// MarshalJSON implements json.Marshaler.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v {
	case "":
		return []byte("null"), nil
	case "NaN", "Infinity", "-Infinity":
		return []byte(`"` + v + `"`), nil
	}
	return []byte(v), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *Value) UnmarshalJSON(data []byte) error {
	switch text := string(bytes.Trim(data, `"`)); text {
	case "null":
		*v = ""
	case "NaN", "Infinity", "-Infinity":
		*v = Value(text)
	default:
		var n json.Number
		if err := json.Unmarshal(data, &n); err != nil {
			return fmt.Errorf("got %s, want a number, null, \"NaN\", \"Infinity\" or \"-Infinity\"", data)
		}
		*v = Value(n)
	}
	return nil
}

// String formats the value for people: integers whole, floats to 7 digits.
func (v Value) String() string {
	if v == "" {
		return "-"
	}
	if _, err := strconv.ParseUint(string(v), 10, 64); err == nil {
		return string(v)
	}
	if _, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return string(v)
	}
	f, err := strconv.ParseFloat(string(v), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return string(v)
	}
	return strconv.FormatFloat(f, 'g', 7, 64)
}

// writeJSON writes one object, indented, with a line break at its end.
func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// Count formats a number of things with groups of three digits: 1,234,567.
func Count(n int) string { return grouped(int64(n)) }

// Counted formats a number of things with their name, which takes an s unless
// there is one: 1 thread, 1,234 values.
func Counted(n int, name string) string {
	if n != 1 {
		name += "s"
	}
	return Count(n) + " " + name
}

// grouped does the same for an int64.
func grouped(n int64) string {
	text := strconv.FormatInt(n, 10)
	start := 0
	if n < 0 {
		start = 1
	}
	for i := len(text) - 3; i > start; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// byteSize formats a size with the binary unit that makes it shortest.
func byteSize(n int64) string {
	const unit = 1024
	if n < unit {
		return strconv.FormatInt(n, 10) + " B"
	}
	size, i := float64(n)/unit, 0
	for ; size >= unit && i < 5; i++ {
		size /= unit
	}
	return strconv.FormatFloat(size, 'f', 1, 64) + " " + string("KMGTPE"[i]) + "iB"
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
