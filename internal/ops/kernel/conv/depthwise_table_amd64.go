//go:build amd64 && !purego

package conv

import (
	"github.com/poolctl/poolctl/internal/ops/kernel"
	"github.com/poolctl/poolctl/internal/tensor"
)

//go:generate go -C ../_gen run ./depthwise

// The functions of a level, by Morphology.
var (
	avx2Rows = []depthwiseRows[float32]{
		{8, depthwiseSingleAVX2, depthwiseNarrowAVX2, depthwiseWideAVX2, depthwiseStreamAVX2, depthwisePairAVX2, depthwisePairStreamAVX2},
		{8, dilateSingleAVX2, dilateNarrowAVX2, dilateWideAVX2, dilateWideAVX2, dilatePairAVX2, dilatePairAVX2},
		{8, erodeSingleAVX2, erodeNarrowAVX2, erodeWideAVX2, erodeWideAVX2, erodePairAVX2, erodePairAVX2},
	}
	avx2DoubleRows = []depthwiseRows[float64]{
		{4, depthwiseSingleAVX2Double, depthwiseNarrowAVX2Double, depthwiseWideAVX2Double, depthwiseStreamAVX2Double, depthwisePairAVX2Double, depthwisePairStreamAVX2Double},
		{4, dilateSingleAVX2Double, dilateNarrowAVX2Double, dilateWideAVX2Double, dilateWideAVX2Double, dilatePairAVX2Double, dilatePairAVX2Double},
		{4, erodeSingleAVX2Double, erodeNarrowAVX2Double, erodeWideAVX2Double, erodeWideAVX2Double, erodePairAVX2Double, erodePairAVX2Double},
	}
	avx512Rows = []depthwiseRows[float32]{
		{16, depthwiseSingleAVX512, depthwiseNarrowAVX512, depthwiseWideAVX512, depthwiseStreamAVX512, nil, nil},
		{16, dilateSingleAVX512, dilateNarrowAVX512, dilateWideAVX512, dilateWideAVX512, nil, nil},
		{16, erodeSingleAVX512, erodeNarrowAVX512, erodeWideAVX512, erodeWideAVX512, nil, nil},
	}
	avx512DoubleRows = []depthwiseRows[float64]{
		{8, depthwiseSingleAVX512Double, depthwiseNarrowAVX512Double, depthwiseWideAVX512Double, depthwiseStreamAVX512Double, nil, nil},
		{8, dilateSingleAVX512Double, dilateNarrowAVX512Double, dilateWideAVX512Double, dilateWideAVX512Double, nil, nil},
		{8, erodeSingleAVX512Double, erodeNarrowAVX512Double, erodeWideAVX512Double, erodeWideAVX512Double, nil, nil},
	}
)

// The functions for groups of two and of four channels.
var (
	avx2Groups   = map[int]depthwiseRows[float32]{2: {lanes: 8, single: twosSingleAVX2, narrow: twosNarrowAVX2}, 4: {lanes: 8, single: foursSingleAVX2, narrow: foursNarrowAVX2}}
	avx512Groups = map[int]depthwiseRows[float32]{2: {lanes: 16, single: twosSingleAVX512, narrow: twosNarrowAVX512}, 4: {lanes: 16, single: foursSingleAVX512, narrow: foursNarrowAVX512}}
)

// groupedRows returns the functions of a level for groups of so many channels.
func groupedRows[F tensor.Floating](level kernel.Level, channels int) (rows depthwiseRows[F], ok bool) {
	groups := ofLevel[F, map[int]depthwiseRows[F]](level, avx2Groups, map[int]depthwiseRows[float64](nil), avx512Groups, map[int]depthwiseRows[float64](nil))
	rows, ok = groups[channels]
	return rows, ok
}

// assembledRows returns the functions of a level, nil where there are none.
func assembledRows[F tensor.Floating](level kernel.Level) []depthwiseRows[F] {
	return ofLevel[F, []depthwiseRows[F]](level, avx2Rows, avx2DoubleRows, avx512Rows, avx512DoubleRows)
}
