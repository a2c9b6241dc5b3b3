//go:build !amd64 || purego

package conv

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

func assembledTiles[F tensor.Floating](kernel.Level) []registerTile[F] { return nil }

func assembledOuters[F tensor.Floating](kernel.Level) []outerTiles[F] { return nil }

func copyRows(_, _ *byte, _, _, _, _ int) {}

func accumulate[F tensor.Floating]([]float64, []F) {}
