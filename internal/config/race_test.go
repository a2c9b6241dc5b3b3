//go:build race

package config_test

// raceDetector drops what sync.Pool keeps, at random, so that every regular
// expression takes its memory anew.
const raceDetector = true
