package imgio

import (
	"io"

	"github.com/poolctl/poolctl/internal/imgio/input"
)

// WriteFile writes a file without a tensor, such as a report. As with WriteAll,
// the file is replaced completely or not at all; with noClobber, a file that exists
// is an error.
func WriteFile(name string, noClobber bool, write func(io.Writer) error) error {
	p, err := stage(disk{}, name, noClobber, write)
	if err == nil {
		err = p.commit()
	}
	return input.Named(name, err)
}
