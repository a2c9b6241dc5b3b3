package pool

import "github.com/poolctl/poolctl/internal/geom"

// Kernels fetch at most MostFetches cells of a window early, where the input does not
// stay in the caches. The processor fetches linear streams by itself, and maxima and
// minima of few taps are no faster than that.
const (
	MostFetches = 8
	FetchBytes  = 1 << 20
	fetchTaps   = 9
)

// AddFetches appends to the taps of a window of count cells the offsets of the cells
// that the window below adds and no other window of the row reads. There must be
// room for MostFetches behind the taps. It returns the number of offsets. A cell has
// the given number of bytes.
func AddFetches(axes *[3]geom.Axis, cell int, taps []int, count [3]int) int {
	z, y, x := &axes[0], &axes[1], &axes[2]
	if y.Dilation > 1 {
		return 0
	}
	list := taps[len(taps):len(taps):cap(taps)]
	for k := range count[0] {
		for i := max(y.Stride, count[1]); i < y.Stride+count[1]; i++ {
			for j := range min(x.Stride, count[2]) {
				if len(list) == MostFetches {
					return MostFetches
				}
				list = append(list, cell*((k*z.Dilation*y.In+i)*x.In+j*x.Dilation))
			}
		}
	}
	return len(list)
}
