// Package config reads the tool's settings and its pipeline files.
//
// Settings come from flags, POOLCTL_… variables and a configuration file, in that
// order of precedence. A setting is a flag: it has the same name, the same values
// and the same error texts. The package looks values up and hands them to the
// flag's own parser, so an invalid number is refused wherever it stands.
//
// Pipeline files are YAML. They are read strictly: every fault is reported, with
// its line and column. Values of parameters go through the parsers of the
// operations that have them, as flags do.
package config
