//go:build amd64 && !purego

package conv

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

//go:generate go -C ../_gen run ./winograd

// The transforms of a level, for outputs of 2x2 and of 4x4.
var (
	avx2Winograd = []winogradTransforms[float32]{
		{8, winogradFilter2x2AVX2, winogradInput2x2AVX2, winogradOutput2x2AVX2},
		{8, winogradFilter4x4AVX2, winogradInput4x4AVX2, winogradOutput4x4AVX2},
	}
	avx2DoubleWinograd = []winogradTransforms[float64]{
		{4, winogradFilter2x2AVX2Double, winogradInput2x2AVX2Double, winogradOutput2x2AVX2Double},
		{4, winogradFilter4x4AVX2Double, winogradInput4x4AVX2Double, winogradOutput4x4AVX2Double},
	}
	avx512Winograd = []winogradTransforms[float32]{
		{16, winogradFilter2x2AVX512, winogradInput2x2AVX512, winogradOutput2x2AVX512},
		{16, winogradFilter4x4AVX512, winogradInput4x4AVX512, winogradOutput4x4AVX512},
	}
	avx512DoubleWinograd = []winogradTransforms[float64]{
		{8, winogradFilter2x2AVX512Double, winogradInput2x2AVX512Double, winogradOutput2x2AVX512Double},
		{8, winogradFilter4x4AVX512Double, winogradInput4x4AVX512Double, winogradOutput4x4AVX512Double},
	}
)

// winogradTransformsOf returns the transforms for outputs of out x out.
func winogradTransformsOf[F tensor.Floating](level kernel.Level, out int) winogradTransforms[F] {
	if level == kernel.Generic {
		return plainTransforms[F](out)
	}
	return ofLevel[F, []winogradTransforms[F]](level, avx2Winograd, avx2DoubleWinograd, avx512Winograd, avx512DoubleWinograd)[out/2-1]
}
