//go:build !amd64 || purego

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

func assembledTiles[F tensor.Floating](Level) []registerTile[F] { return nil }

func copyRowsOf(int) func(to, from *byte, rows, toStep, fromStep int) { return nil }
