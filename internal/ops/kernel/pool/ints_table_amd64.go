//go:build amd64 && !purego

package pool

import "github.com/poolctl/poolctl/internal/ops/kernel"

//go:generate go -C ../_gen run ./ints

// intTables holds the row functions of every level.
var intTables = [...]intTable{
	kernel.Generic: {},
	kernel.AVX2: {
		vector: 32,
		fold: [intOps]func(dst, src *byte, taps *int, ntaps, n, outputs, step, stream int){
			foldMaxUint8AVX2, foldMaxInt8AVX2, foldMaxUint16AVX2, foldMaxInt16AVX2,
			foldMinUint8AVX2, foldMinInt8AVX2, foldMinUint16AVX2, foldMinInt16AVX2,
			foldAdd16AVX2, foldAdd32AVX2,
		},
		halve: [intOps]func(dst, src *byte, taps *int, ntaps, n int, shuffle *byte, stream int){
			halveMaxUint8AVX2, halveMaxInt8AVX2, halveMaxUint16AVX2, halveMaxInt16AVX2,
			halveMinUint8AVX2, halveMinInt8AVX2, halveMinUint16AVX2, halveMinInt16AVX2,
			halveAdd16AVX2, halveAdd32AVX2,
		},
		squeeze: [intOps]func(dst, src *byte, taps *int, ntaps, groups, step, bytes int, shuffle *byte){
			squeezeMaxUint8AVX2, squeezeMaxInt8AVX2, squeezeMaxUint16AVX2, squeezeMaxInt16AVX2,
			squeezeMinUint8AVX2, squeezeMinInt8AVX2, squeezeMinUint16AVX2, squeezeMinInt16AVX2,
			squeezeAdd16AVX2, squeezeAdd32AVX2,
		},
		merge: [opAdd]func(dst, a, b *byte, n int){
			mergeMaxUint8AVX2, mergeMaxInt8AVX2, mergeMaxUint16AVX2, mergeMaxInt16AVX2,
			mergeMinUint8AVX2, mergeMinInt8AVX2, mergeMinUint16AVX2, mergeMinInt16AVX2,
		},
		advance: [opAdd]func(dst, longer, prefix, more, suffix *byte, n int){
			advanceMaxUint8AVX2, advanceMaxInt8AVX2, advanceMaxUint16AVX2, advanceMaxInt16AVX2,
			advanceMinUint8AVX2, advanceMinInt8AVX2, advanceMinUint16AVX2, advanceMinInt16AVX2,
		},
		sums: [6]func(dst, src *byte, taps *int, ntaps, n int){
			sumsUint8To16AVX2, sumsInt8To16AVX2, sumsUint8To32AVX2, sumsInt8To32AVX2,
			sumsUint16To32AVX2, sumsInt16To32AVX2,
		},
		slide: [6]func(dst, src, add, sub *byte, n int){
			slideUint8To16AVX2, slideInt8To16AVX2, slideUint8To32AVX2, slideInt8To32AVX2,
			slideUint16To32AVX2, slideInt16To32AVX2,
		},
		quotient: [3]func(dst, src *byte, n int, by float32, multiply, stream int){
			quotientUint16AVX2, quotientInt16AVX2, quotientInt32AVX2,
		},
		precise: preciseQuotientAVX2,
		magic:   roundMagicAVX2,
		round: [2]func(dst, src *byte, n int, by float32, multiply int){
			roundQuotient8AVX2, roundQuotient16AVX2,
		},
	},
	kernel.AVX512: {
		vector: 64,
		fold: [intOps]func(dst, src *byte, taps *int, ntaps, n, outputs, step, stream int){
			foldMaxUint8AVX512, foldMaxInt8AVX512, foldMaxUint16AVX512, foldMaxInt16AVX512,
			foldMinUint8AVX512, foldMinInt8AVX512, foldMinUint16AVX512, foldMinInt16AVX512,
			foldAdd16AVX512, foldAdd32AVX512,
		},
		halve: [intOps]func(dst, src *byte, taps *int, ntaps, n int, shuffle *byte, stream int){
			halveMaxUint8AVX512, halveMaxInt8AVX512, halveMaxUint16AVX512, halveMaxInt16AVX512,
			halveMinUint8AVX512, halveMinInt8AVX512, halveMinUint16AVX512, halveMinInt16AVX512,
			halveAdd16AVX512, halveAdd32AVX512,
		},
		squeeze: [intOps]func(dst, src *byte, taps *int, ntaps, groups, step, bytes int, shuffle *byte){
			squeezeMaxUint8AVX2, squeezeMaxInt8AVX2, squeezeMaxUint16AVX2, squeezeMaxInt16AVX2,
			squeezeMinUint8AVX2, squeezeMinInt8AVX2, squeezeMinUint16AVX2, squeezeMinInt16AVX2,
			squeezeAdd16AVX2, squeezeAdd32AVX2,
		},
		merge: [opAdd]func(dst, a, b *byte, n int){
			mergeMaxUint8AVX512, mergeMaxInt8AVX512, mergeMaxUint16AVX512, mergeMaxInt16AVX512,
			mergeMinUint8AVX512, mergeMinInt8AVX512, mergeMinUint16AVX512, mergeMinInt16AVX512,
		},
		advance: [opAdd]func(dst, longer, prefix, more, suffix *byte, n int){
			advanceMaxUint8AVX512, advanceMaxInt8AVX512, advanceMaxUint16AVX512, advanceMaxInt16AVX512,
			advanceMinUint8AVX512, advanceMinInt8AVX512, advanceMinUint16AVX512, advanceMinInt16AVX512,
		},
		sums: [6]func(dst, src *byte, taps *int, ntaps, n int){
			sumsUint8To16AVX512, sumsInt8To16AVX512, sumsUint8To32AVX512, sumsInt8To32AVX512,
			sumsUint16To32AVX512, sumsInt16To32AVX512,
		},
		slide: [6]func(dst, src, add, sub *byte, n int){
			slideUint8To16AVX512, slideInt8To16AVX512, slideUint8To32AVX512, slideInt8To32AVX512,
			slideUint16To32AVX512, slideInt16To32AVX512,
		},
		quotient: [3]func(dst, src *byte, n int, by float32, multiply, stream int){
			quotientUint16AVX512, quotientInt16AVX512, quotientInt32AVX512,
		},
		precise: preciseQuotientAVX512,
		magic:   roundMagicAVX512,
		round: [2]func(dst, src *byte, n int, by float32, multiply int){
			roundQuotient8AVX512, roundQuotient16AVX512,
		},
	},
}
