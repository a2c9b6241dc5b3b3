//go:build !amd64 || purego

package conv

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

func assembledRows[F tensor.Floating](kernel.Level) []depthwiseRows[F] { return nil }

func groupedRows[F tensor.Floating](kernel.Level, int) (rows depthwiseRows[F], ok bool) {
	return rows, false
}
