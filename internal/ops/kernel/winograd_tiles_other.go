//go:build !amd64 || purego

package kernel

import "github.com/poolctl/poolctl/internal/tensor"

func winogradTransformsOf[F tensor.Floating](_ Level, out int) winogradTransforms[F] {
	return plainTransforms[F](out)
}
