package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
	yaml "go.yaml.in/yaml/v4"
)

// Prefix is the start of the names of environment variables: the setting
// max-pixels is POOLCTL_MAX_PIXELS.
const Prefix = "POOLCTL"

// Variable returns the name of a setting's environment variable.
func Variable(setting string) string {
	return Prefix + "_" + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// maxFile is the size limit of the configuration file.
const maxFile = MaxPipelineBytes

// Error is an invalid setting. Where is its place: a variable, or a file with
// line and column.
type Error struct {
	Where string
	Err   error
}

func (e *Error) Error() string { return e.Where + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Apply sets every flag that the command line did not set from the environment
// or the configuration file. file is the value of --config. If it is empty,
// POOLCTL_CONFIG is used, and then poolctl/config.yaml in the configuration
// folder of the user, if it exists.
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
		variable := Variable(f.Name)
		where := variable
		if text, ok := os.LookupEnv(variable); !ok || text == "" { // viper treats an empty variable as unset
			where = places[f.Name]
			if where == "" {
				return
			}
		}
		text := v.GetString(f.Name)
		if err := f.Value.Set(text); err != nil {
			failure = &Error{where, fmt.Errorf("%s: %w", f.Name, Fault(f, text, err))}
		}
	})
	return failure
}

// Fault returns the error for an invalid value of a flag, such as: got "x",
// want a whole number. Flags of poolctl return errors of that form already.
func Fault(f *pflag.Flag, value string, cause error) error {
	text := strings.TrimPrefix(cause.Error(), f.Name+": ")
	if strings.HasPrefix(text, "got ") {
		return errors.New(text)
	}
	want := map[string]string{
		"int": "a whole number", "float64": "a number", "bool": "true or false", "duration": "a time such as 1s or 500ms",
	}[f.Value.Type()]
	if want == "" {
		want = "a " + f.Value.Type()
	}
	return fmt.Errorf("got %q, want %s", value, want)
}

// File returns the name of the configuration file: the given one if it is not "",
// else the variable's, else the user's, which need not exist; "" if there is no
// home folder.
func File(given string) string {
	if given == "" {
		given = os.Getenv(Variable("config"))
	}
	if given != "" {
		return given
	}
	folder, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(folder, "poolctl", "config.yaml")
}

// readFile loads the configuration file into v and returns the place of each
// setting as file:line:column.
func readFile(v *viper.Viper, flags *pflag.FlagSet, file string) (map[string]string, error) {
	required := file != "" || os.Getenv(Variable("config")) != ""
	if file = File(file); file == "" {
		return nil, nil
	}
	text, err := readLimited(file)
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
		return nil, &Error{file, fmt.Errorf("got more than %d bytes, want at most that", maxFile)}
	}
	places, values, err := checkFile(file, text, flags)
	if err != nil {
		return nil, err
	}
	if err := v.MergeConfigMap(values); err != nil {
		return nil, &Error{file, err}
	}
	return places, nil
}

// readLimited reads at most maxFile bytes and one more.
func readLimited(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1))
}

// checkFile refuses keys that are not settings. It returns the place of each
// value and its text as written: 1e3 is not 1000 to a flag that takes whole
// numbers.
func checkFile(file string, text []byte, flags *pflag.FlagSet) (places map[string]string, values map[string]any, err error) {
	var root, more yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&root); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, &Error{file, err}
	}
	if err := decoder.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, nil, &Error{file, errors.New("got more than one document, want one")}
	}
	places, values = map[string]string{}, map[string]any{}
	if len(root.Content) == 0 {
		return places, values, nil
	}
	table := root.Content[0]
	at := func(n *yaml.Node) string { return fmt.Sprintf("%s:%d:%d", file, n.Line, n.Column) }
	if table.Kind != yaml.MappingNode {
		return nil, nil, &Error{at(table), errors.New("want settings, one `name: value` a line")}
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
			return nil, nil, &Error{at(key), fmt.Errorf("unknown setting %q, want one of %s", key.Value, oneOf(key.Value, known))}
		case value.Kind != yaml.ScalarNode:
			return nil, nil, &Error{at(value), fmt.Errorf("%s: want a single value", key.Value)}
		case places[key.Value] != "":
			return nil, nil, &Error{at(key), fmt.Errorf("%s: given twice", key.Value)}
		}
		places[key.Value], values[key.Value] = at(value), value.Value
	}
	return places, values, nil
}
