package input

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode"

	"github.com/poolctl/poolctl/internal/tensor"
)

// LimitError reports a file that exceeds a limit. It is returned before anything
// large is allocated.
type LimitError struct {
	Name   string // the file, or empty if a wrapping error names it
	Detail string // the value, the limit, and the flag that raises it, if any
}

func (e *LimitError) Error() string {
	if e.Name == "" {
		return e.Detail
	}
	return e.Name + ": " + e.Detail
}

// TooMuch returns a *LimitError without the name of the file.
func TooMuch(format string, args ...any) error {
	return &LimitError{Detail: fmt.Sprintf(format, args...)}
}

// ErrCut reports a file that ends too early.
var ErrCut = errors.New("the file is cut")

// Unexpected returns ErrCut for io.EOF and io.ErrUnexpectedEOF, and other errors
// unchanged.
func Unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCut
	}
	return err
}

// TypeError reports an array whose elements are of a type that poolctl does not
// compute with. The file is in order, and its other arrays can be read.
type TypeError struct {
	Type  string       // as the file names it, as Shown returns it
	Shape tensor.Shape // nil if it is not known
	Why   string       // such as "strings are not numbers"
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("dtype %s: %s", cmp.Or(e.Type, "''"), e.Why)
}

// Guard turns a panic into an error when it is deferred. Decoders read hostile
// files, and a bug in one must not end the program.
func Guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("internal error, please report it with the file: %v", p)
	}
}

// Named puts the file's name in front of an error that does not have it.
func Named(name string, err error) error {
	var limit *LimitError
	if err == nil || errors.As(err, &limit) && limit.Name != "" {
		return err
	}
	return fmt.Errorf("%s: %w", name, Plain(err))
}

// Plain drops the file name and the call from an error of the operating system.
// Messages name the file themselves.
func Plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Shown returns an array's name for a message: quoted if it has characters that do
// not print, such as a line break, else without quotes.
func Shown(name string) string {
	name = Shorten(name)
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// Shorten cuts a name to 60 bytes.
func Shorten(name string) string {
	if len(name) > 60 {
		return name[:57] + "..."
	}
	return name
}
