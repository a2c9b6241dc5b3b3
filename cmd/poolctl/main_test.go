package main

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/poolctl/poolctl/internal/cli"
)

// otherPrograms are the programs that this test's binary is under other names.
var otherPrograms = map[string]func(){}

func TestMain(m *testing.M) {
	// Built with -race every program waits a second before it ends, and the
	// scripts run about a thousand.
	if os.Getenv("GORACE") == "" {
		if err := os.Setenv("GORACE", "atexit_sleep_ms=10"); err != nil {
			panic(err)
		}
	}
	programs := map[string]func(){
		"poolctl": func() { os.Exit(cli.Main(os.Args[1:], cli.StandardStreams())) },
	}
	maps.Copy(programs, otherPrograms)
	testscript.Main(m, programs)
}

// TestScripts runs every script of testdata/script on the real program. They
// state the contract with scripts, sentence by sentence.
func TestScripts(t *testing.T) {
	var files []string
	err := filepath.WalkDir("testdata/script", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".txtar") {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	samples, err := filepath.Abs("../../samples")
	if err != nil {
		t.Fatal(err)
	}
	kinds, err := filepath.Abs("../../internal/imgio") // in the testdata of each format: a picture of every kind
	if err != nil {
		t.Fatal(err)
	}
	networks, err := filepath.Abs("../../internal/pipeline/testdata/networks") // with golden data
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files:              files,
		RequireUniqueNames: true,
		Cmds:               scriptCommands,
		Setup: func(env *testscript.Env) error {
			// A script sees no settings of the user's, and its files stay in
			// its folder.
			home := filepath.Join(env.WorkDir, ".home")
			for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
				env.Setenv(name, home)
			}
			env.Setenv("KINDS", kinds)
			env.Setenv("NETWORKS", networks)
			return os.Symlink(samples, filepath.Join(env.WorkDir, "samples"))
		},
	})
}
