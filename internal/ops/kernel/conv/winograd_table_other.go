//go:build !amd64 || purego

package conv

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

func winogradTransformsOf[F tensor.Floating](_ kernel.Level, out int) winogradTransforms[F] {
	return plainTransforms[F](out)
}
