//go:build amd64 && !purego

package conv

//go:generate go -C ../_gen run ./planes -out ../conv/planes_asm_amd64.s -stubs ../conv/planes_asm_amd64.go -pkg conv

// planeTable holds the functions of AVX2, which every level above has too.
var planeTable = &planeFunctions{
	convolve: [mostOutputs]planeRow{planes1AVX2, planes2AVX2, planes3AVX2, planes4AVX2},
	split2:   split2AVX2, split3: split3AVX2, join2: join2AVX2, join3: join3AVX2,
}
