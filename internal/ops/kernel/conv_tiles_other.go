//go:build !amd64 || purego

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

func assembledTiles[F tensor.Floating](Level) []registerTile[F] { return nil }

func assembledOuters[F tensor.Floating](Level) []outerTiles[F] { return nil }

func copyRows(_, _ *byte, _, _, _, _ int) {}

func accumulate[F tensor.Floating]([]float64, []F) {}
