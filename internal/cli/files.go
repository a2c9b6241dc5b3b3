package cli

import (
	"io"
	"path/filepath"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
)

// reads returns the files of a command that reads the inputs of these names; the
// configuration file is always among them.
func (a *app) reads(inputs ...string) *imgio.Files {
	f := imgio.NewFiles(a.NoClobber)
	f.Read("configuration file", config.File(a.Config))
	f.Read("input", inputs...)
	return f
}

// writePages writes pages of text, by file name, into a folder.
func (a *app) writePages(folder string, pages map[string][]byte) error {
	files := a.reads()
	for name := range pages {
		if err := files.Write(filepath.Join(folder, name)); err != nil {
			return err
		}
	}
	for name, text := range pages {
		if err := imgio.WriteFile(filepath.Join(folder, name), a.NoClobber, func(w io.Writer) error {
			_, err := w.Write(text)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}
