//go:build !amd64 || purego

package conv

var planeTable *planeFunctions
