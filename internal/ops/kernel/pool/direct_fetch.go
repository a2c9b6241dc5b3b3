package pool

import "github.com/poolctl/poolctl/internal/geom"

// Cells are fetched early, at most so many of a window, where the input does not
// stay in the caches and the processor, which fetches linear streams by itself,
// would have to wait: maxima and minima of few taps are as fast as it fetches.
const (
	MostFetches = 8
	FetchBytes  = 1 << 20
	fetchTaps   = 9
)

// AddFetches puts behind the taps of a window of count cells, where MostFetches have
// room, the offsets of those cells that the window below it adds, and that no
// other window of a row does. It returns how many there are. Cells have so many
// bytes.
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
