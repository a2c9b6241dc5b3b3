//go:build !amd64 || purego

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

func assembledRows[F tensor.Floating](Level) []depthwiseRows[F] { return nil }

func groupedRows[F tensor.Floating](Level, int) (rows depthwiseRows[F], ok bool) { return rows, false }
