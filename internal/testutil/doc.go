// Package testutil helps tests: it reads golden data and compares tensors. Only
// test files import it.
package testutil
