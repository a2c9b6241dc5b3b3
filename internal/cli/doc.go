// Package cli is the command line: cobra commands, streams, errors and exit codes.
// It is the only package that prints or exits, and may import every other.
//
// A command is a file named after it. Its new…Command function declares the flags;
// its run… function does the work and returns an error. Only Main turns errors into
// text and exit codes.
package cli
