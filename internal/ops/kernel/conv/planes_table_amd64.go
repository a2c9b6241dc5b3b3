//go:build amd64 && !purego

package conv

//go:generate go -C ../_gen run ./planes

// planeTable holds the functions of AVX2, which every level above has too.
var planeTable = &planeFunctions{
	convolve: [mostOutputs]planeRow{planes1AVX2, planes2AVX2, planes3AVX2, planes4AVX2},
	split2:   split2AVX2, split3: split3AVX2, join2: join2AVX2, join3: join3AVX2,
}
