package pnm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// blanks are the characters that separate what a header says.
const blanks = " \t\n\v\f\r"

// maxHeader bounds the length of a header, comments included.
const maxHeader = 1 << 16

// header is what a file says before its samples.
type header struct {
	kind          byte // '1' to '7', the digit of the magic
	width, height int
	channels      int
	maxval        int // the sample that stands for the largest level
	size          int // of the header, in bytes
}

// plain reports whether samples are written as decimal numbers.
func (h *header) plain() bool { return h.kind <= '3' }

// bitmap reports whether the file is a PBM, whose samples are bits, 1 for black.
func (h *header) bitmap() bool { return h.kind == '1' || h.kind == '4' }

// depth returns the bits of a sample of the picture.
func (h *header) depth() int {
	if h.maxval > 255 {
		return 16
	}
	return 8
}

// row returns the samples of a row.
func (h *header) row() int { return h.width * h.channels }

// rowBytes returns the bytes of a raw row.
func (h *header) rowBytes() int {
	if h.bitmap() {
		return (h.width + 7) / 8
	}
	return h.row() * h.depth() / 8
}

// text reads a header byte by byte and counts the bytes.
type text struct {
	r    *bufio.Reader
	size int
}

var errLongHeader = input.TooMuch("header: got more than %d bytes", maxHeader)

// next returns the next byte.
func (t *text) next() (byte, error) {
	if t.size == maxHeader {
		return 0, errLongHeader
	}
	c, err := t.r.ReadByte()
	if err != nil {
		return 0, err
	}
	t.size++
	return c, nil
}

// skipped is next where a comment, from # to the end of its line, counts as that
// end.
func (t *text) skipped() (byte, error) {
	c, err := t.next()
	if err == nil && c == '#' {
		for err == nil && c != '\n' && c != '\r' {
			c, err = t.next()
		}
	}
	return c, err
}

// number reads a decimal number and the one blank or comment behind it.
func (t *text) number(what string) (int, error) {
	c, err := t.skipped()
	for err == nil && isBlank(c) {
		c, err = t.skipped()
	}
	n := 0
	for digits := 0; err == nil; digits++ {
		switch {
		case isDigit(c) && n > (1<<31-1)/10:
			return 0, fmt.Errorf("header: got %s %d%c…, want < 2^31", what, n, c)
		case isDigit(c):
			n = 10*n + int(c-'0')
		case isBlank(c) && digits > 0:
			return n, nil
		default:
			return 0, fmt.Errorf("header: got %q in the %s, want a number", c, what)
		}
		c, err = t.skipped()
	}
	return 0, err
}

func isBlank(c byte) bool { return strings.IndexByte(blanks, c) >= 0 }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// readHeader reads the header, and no byte more.
func readHeader(r *bufio.Reader) (*header, error) {
	t := &text{r: r}
	if _, err := t.next(); err != nil { // P
		return nil, err
	}
	kind, err := t.next()
	if err != nil {
		return nil, err
	}
	h := &header{kind: kind}
	if kind == '7' {
		err = h.readPAM(t)
	} else {
		err = h.readPNM(t)
	}
	if err != nil {
		return nil, err
	}
	h.size = t.size
	if h.maxval < 1 || h.maxval > 65535 {
		return nil, fmt.Errorf("header: got maxval %d, want 1 to 65535", h.maxval)
	}
	return h, nil
}

// readPNM reads the header of a PBM, PGM or PPM.
func (h *header) readPNM(t *text) (err error) {
	if h.width, err = t.number("width"); err != nil {
		return err
	}
	if h.height, err = t.number("height"); err != nil {
		return err
	}
	h.channels, h.maxval = 1, 1
	if h.kind == '3' || h.kind == '6' {
		h.channels = 3
	}
	if !h.bitmap() {
		h.maxval, err = t.number("maxval")
	}
	return err
}

// tupleTypes are the channels of PAM's types of tuples. Without a type, the depth
// says what the channels are.
var tupleTypes = map[string]int{
	"BLACKANDWHITE": 1, "GRAYSCALE": 1, "RGB": 3,
	"BLACKANDWHITE_ALPHA": 2, "GRAYSCALE_ALPHA": 2, "RGB_ALPHA": 4,
}

// readPAM reads the header of a PAM: lines of a name and a value.
func (h *header) readPAM(t *text) error {
	fields := map[string]*int{"WIDTH": &h.width, "HEIGHT": &h.height, "DEPTH": &h.channels, "MAXVAL": &h.maxval}
	seen := map[string]bool{}
	var tuple []string
	if _, err := t.line(); err != nil { // the rest of the magic's line
		return err
	}
	for {
		line, err := t.line()
		if err != nil {
			return err
		}
		name, value, _ := strings.Cut(line, " ")
		value = strings.Trim(value, blanks)
		field := fields[name]
		switch {
		case line == "" || line[0] == '#':
			continue
		case name == "ENDHDR":
			return h.checkPAM(seen, strings.Join(tuple, " "))
		case name == "TUPLTYPE":
			tuple = append(tuple, value)
			continue
		case field == nil:
			return fmt.Errorf("header: got line %q, want WIDTH, HEIGHT, DEPTH, MAXVAL, TUPLTYPE or ENDHDR", input.Shorten(line))
		case seen[name]:
			return fmt.Errorf("header: got %s twice", name)
		}
		seen[name] = true
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return fmt.Errorf("header: got %s %q, want a number < 2^31", name, input.Shorten(value))
		}
		*field = int(n)
	}
}

// line reads a line; blanks around its words are brought down to one space.
func (t *text) line() (string, error) {
	var line []byte
	for {
		c, err := t.next()
		if err != nil {
			return "", err
		}
		if c == '\n' {
			return strings.Join(strings.FieldsFunc(string(line), func(r rune) bool { return strings.ContainsRune(blanks, r) }), " "), nil
		}
		line = append(line, c)
	}
}

// checkPAM refuses what a PAM's header lacks and channels that are no picture's.
func (h *header) checkPAM(seen map[string]bool, tuple string) error {
	for _, name := range []string{"WIDTH", "HEIGHT", "DEPTH", "MAXVAL"} {
		if !seen[name] {
			return fmt.Errorf("header: %s is missing", name)
		}
	}
	if h.channels < 1 || h.channels > 4 {
		return fmt.Errorf("header: got depth %d, want 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB, alpha)", h.channels)
	}
	if tuple == "" {
		return nil
	}
	want, known := tupleTypes[tuple]
	if !known {
		return fmt.Errorf("header: got tuple type %q, want BLACKANDWHITE, GRAYSCALE or RGB, also with _ALPHA, or none", input.Shorten(tuple))
	}
	if want != h.channels {
		return fmt.Errorf("header: got depth %d with tuple type %s, want %d", h.channels, tuple, want)
	}
	return nil
}

// isEnd reports whether an error is the end of the file.
func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
