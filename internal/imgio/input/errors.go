package input

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
)

// LimitError reports that a file is larger than a limit allows. Nothing large
// has been allocated when it is returned.
type LimitError struct {
	Name   string // the file; empty where what wraps the error names it
	Detail string // what the file has, the limit, and the flag that raises it, if there is one
}

func (e *LimitError) Error() string {
	if e.Name == "" {
		return e.Detail
	}
	return e.Name + ": " + e.Detail
}

// TooMuch returns a *LimitError that what wraps it names the file of.
func TooMuch(format string, args ...any) error {
	return &LimitError{Detail: fmt.Sprintf(format, args...)}
}

// ErrCut reports a file that ends too early.
var ErrCut = errors.New("the file is cut")

// Unexpected returns ErrCut for the end of a file where more was due, and any
// other error as it is.
func Unexpected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrCut
	}
	return err
}

// Guard turns a panic of a decoder into an error. Decoders meet hostile files;
// a fault in one must not end the program.
func Guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("internal error, please report it with the file: %v", p)
	}
}

// Named puts the file's name in front of an error that lacks it.
func Named(name string, err error) error {
	var limit *LimitError
	if err == nil || errors.As(err, &limit) && limit.Name != "" {
		return err
	}
	return fmt.Errorf("%s: %w", name, Plain(err))
}

// Plain drops what the operating system's errors repeat: the name, which every
// message has in front, and the call.
func Plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Shown is an array's name for a message without quotes; one with characters
// that do not print, such as a line break, has them all the same.
func Shown(name string) string {
	name = Shorten(name)
	if strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

// Shorten cuts an array's name to what fits a message.
func Shorten(name string) string {
	if len(name) > 60 {
		return name[:57] + "..."
	}
	return name
}
