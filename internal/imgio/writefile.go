package imgio

import (
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// WriteFile writes a file that holds no tensor, such as a report, as WriteAll
// writes outputs: under its name is all of it or what was there before.
func WriteFile(name string, write func(io.Writer) error) error {
	p, err := stage(disk{}, name, false, write)
	if err == nil {
		err = p.commit()
	}
	return input.Named(name, err)
}
