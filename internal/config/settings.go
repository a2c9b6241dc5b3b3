// Package config reads the tool's settings from flags, POOLCTL_… variables and
// a configuration file, in that order of precedence.
//
// A setting is a flag: the same name, the same values, the same error texts.
// The package looks values up and hands them to the flag's own parser, so that
// a number that is none is refused wherever it stands. Pipeline files do not
// pass through here.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	yaml "go.yaml.in/yaml/v4"
)

// Prefix begins the names of environment variables: the setting max-pixels is
// POOLCTL_MAX_PIXELS.
const Prefix = "POOLCTL"

// maxFile is the largest configuration file that is read.
const maxFile = 64 << 10

// Error is a setting that cannot be used. Where names its place: a variable, or
// a file with line and column.
type Error struct {
	Where string
	Err   error
}

func (e *Error) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Apply gives every flag of the set that the command line did not give its
// value from the environment or the configuration file. file is the value of
// --config; when it is empty, POOLCTL_CONFIG and then the user's own file
// (poolctl/config.yaml in the user's configuration folder) are taken, the
// latter only if it exists.
func Apply(flags *pflag.FlagSet, file string) error {
	v := viper.NewWithOptions(viper.EnvKeyReplacer(strings.NewReplacer("-", "_")))
	v.SetEnvPrefix(Prefix)
	v.AutomaticEnv()
	places, err := readFile(v, flags, file)
	if err != nil {
		return err
	}
	var failure error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || failure != nil || f.Name == "config" {
			return
		}
		variable := Prefix + "_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		where := variable
		if text, ok := os.LookupEnv(variable); !ok || text == "" { // viper takes an empty variable as unset
			where = places[f.Name]
			if where == "" {
				return
			}
		}
		if err := f.Value.Set(v.GetString(f.Name)); err != nil {
			failure = &Error{where, fmt.Errorf("%s: %w", f.Name, err)}
		}
	})
	return failure
}

// readFile loads the configuration file into v and returns where each setting
// stands in it, as file:line:column.
func readFile(v *viper.Viper, flags *pflag.FlagSet, file string) (map[string]string, error) {
	required := true
	if file == "" {
		file = os.Getenv(Prefix + "_CONFIG")
	}
	if file == "" {
		required = false
		folder, err := os.UserConfigDir()
		if err != nil {
			return nil, nil //nolint:nilerr // without a home folder there is no file of the user's
		}
		file = filepath.Join(folder, "poolctl", "config.yaml")
	}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !required:
		return nil, nil
	case err != nil:
		var cause *fs.PathError
		if errors.As(err, &cause) {
			err = cause.Err
		}
		return nil, &Error{file, err}
	case len(text) > maxFile:
		return nil, &Error{file, fmt.Errorf("got %d bytes, want at most %d", len(text), maxFile)}
	}
	places, err := checkFile(file, text, flags)
	if err != nil {
		return nil, err
	}
	v.SetConfigType("yaml")
	if err := v.ReadConfig(strings.NewReader(string(text))); err != nil {
		return nil, &Error{file, err}
	}
	return places, nil
}

// checkFile refuses keys that are no settings, and says where each key stands.
func checkFile(file string, text []byte, flags *pflag.FlagSet) (map[string]string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return nil, &Error{file, err}
	}
	places := map[string]string{}
	if len(root.Content) == 0 {
		return places, nil
	}
	table := root.Content[0]
	at := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d:%d", file, n.Line, n.Column) }
	if table.Kind != yaml.MappingNode {
		return nil, &Error{at(table), errors.New("want settings, one `name: value` a line")}
	}
	var known []string
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "config" && f.Name != "help" {
			known = append(known, f.Name)
		}
	})
	for i := 0; i+1 < len(table.Content); i += 2 {
		key, value := table.Content[i], table.Content[i+1]
		switch {
		case !slices.Contains(known, key.Value):
			return nil, &Error{at(key), fmt.Errorf("unknown setting %q, want one of %s", key.Value, strings.Join(known, ", "))}
		case value.Kind != yaml.ScalarNode:
			return nil, &Error{at(value), fmt.Errorf("%s: want a single value", key.Value)}
		case places[key.Value] != "":
			return nil, &Error{at(key), fmt.Errorf("%s: given twice", key.Value)}
		}
		places[key.Value] = at(value)
	}
	return places, nil
}
