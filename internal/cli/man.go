package cli

import (
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/poolctl/poolctl/internal/ops"
)

func (a *app) newManCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "write the manual pages into a folder", GroupID: "about",
		Example: examples([]ops.Example{{Does: "read one of them", Command: "poolctl man man1"}}),
		Args:    oneFolder,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Title: "POOLCTL", Section: "1", Source: "poolctl " + versionText(), Manual: "poolctl"}
			if seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64); err == nil {
				date := time.Unix(seconds, 0).UTC() // the same pages from every build
				header.Date = &date
			}
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return err
			}
			pages, err := filepath.Glob(filepath.Join(args[0], "poolctl*.1"))
			if err != nil {
				return err
			}
			a.note("%d pages in %s", len(pages), args[0])
			return nil
		},
	}
}
