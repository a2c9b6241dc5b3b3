package kerneltest

import (
	"fmt"

	"github.com/poolctl/poolctl/internal/geom"
	"github.com/poolctl/poolctl/internal/ops/kernel/pool"
	"github.com/poolctl/poolctl/internal/tensor"
	"pgregory.net/rapid"
)

// DrawGeometry draws windows over one to three axes; no window is hollow, and
// all windows together see at most work cells.
func DrawGeometry(t *rapid.T, work int) geom.Geometry {
	rank := rapid.IntRange(1, 3).Draw(t, "rank")
	most := []int{0, 90, 24, 9}[rank]
	in := rapid.SliceOfN(rapid.IntRange(1, most), rank, rank).Draw(t, "in")
	n, c := rapid.IntRange(1, 2).Draw(t, "n"), rapid.SampledFrom([]int{1, 2, 3, 5, 17}).Draw(t, "c")
	if rapid.IntRange(0, 7).Draw(t, "kind") == 0 {
		return Within(drawIrregular(t, n, c, in), work)
	}
	axes := func(name string, lo, hi int) []int {
		return rapid.SliceOfN(rapid.IntRange(lo, hi), rank, rank).Draw(t, name)
	}
	w := geom.Window{
		Size: axes("size", 1, []int{0, 40, 40, 12}[rank]), Stride: axes("stride", 1, 5), Dilation: axes("dilation", 1, 4),
		Padding: rapid.SampledFrom([]geom.Padding{geom.Valid, geom.Same, geom.SameLower, geom.Explicit}).Draw(t, "padding"),
		Ceil:    rapid.Bool().Draw(t, "ceil"), Pooling: true,
	}
	for i := range rank {
		if rapid.Bool().Draw(t, "dense") {
			w.Dilation[i] = 1
		}
		if rapid.Bool().Draw(t, "close") {
			w.Stride[i] = 1
		}
		eff := (w.Size[i]-1)*w.Dilation[i] + 1
		if eff > in[i]+6 { // keep most windows within reach
			w.Dilation[i] = 1
		}
		if w.Padding == geom.Explicit {
			eff = (w.Size[i]-1)*w.Dilation[i] + 1
			w.Amounts = append(w.Amounts, [2]int{rapid.IntRange(0, eff-1).Draw(t, "lo"), rapid.IntRange(0, eff-1).Draw(t, "hi")})
		}
	}
	g, err := geom.Resolve(n, in, c, w)
	if err != nil || g.Empty() { // a hollow window, or none: the plainest windows instead
		g, err = geom.Resolve(n, in, c, geom.Window{Size: in, Padding: geom.Same, Pooling: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	return Within(g, work)
}

// DrawFarGeometry draws windows whose size, strides, dilations and channels may be
// up to 100,000, over an input in which one to four of them fit along each axis. So
// strides far beyond windows, windows far beyond strides and cells of many channels
// all come up. The input has at most 200,000 numbers; mostly the windows see few.
func DrawFarGeometry(t *rapid.T) (geom.Geometry, geom.Window) {
	const most = 100_000
	rank := rapid.IntRange(1, 3).Draw(t, "rank")
	number := func(name string, limit int) int { // as likely to be small as large
		bits := rapid.IntRange(0, 17).Draw(t, name+" bits")
		return 1 + rapid.IntRange(0, max(1, min(1<<bits, most, limit))-1).Draw(t, name)
	}
	seen := 1 << rapid.IntRange(4, 11).Draw(t, "seen bits")
	if rapid.IntRange(0, 31).Draw(t, "all") == 0 {
		seen = most
	}
	c := number("c", seen)
	seen /= c
	left := max(1, (2*most>>rapid.IntRange(0, 6).Draw(t, "room"))/c)
	w := geom.Window{Pooling: true, Padding: rapid.SampledFrom([]geom.Padding{geom.Valid, geom.Same, geom.SameLower}).Draw(t, "padding")}
	var in []int
	for range rank {
		out := rapid.IntRange(1, max(1, min(4, seen))).Draw(t, "out")
		size := number("size", min(left, seen/out))
		seen = max(1, seen/out/size)
		dilation := number("dilation", (left-1)/max(1, size-1))
		eff := (size-1)*dilation + 1
		stride := number("stride", (left-eff)/max(1, out-1))
		if (out-1)*stride+eff > left {
			out = 1
		}
		extent := (out-1)*stride + eff
		extent += rapid.IntRange(0, min(stride-1, left-extent)).Draw(t, "beyond")
		w.Size, w.Stride, w.Dilation = append(w.Size, size), append(w.Stride, stride), append(w.Dilation, dilation)
		in = append(in, extent)
		left /= extent
	}
	g, err := geom.Resolve(1, in, c, w)
	if err != nil || g.Empty() { // SAME with dilation may leave a window without a cell
		w.Padding = geom.Valid
		g, err = geom.Resolve(1, in, c, w)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g, w
}

func drawIrregular(t *rapid.T, n, c int, in []int) geom.Geometry {
	axes := make([]geom.Axis, len(in))
	adaptive := rapid.Bool().Draw(t, "adaptive")
	for i, extent := range in {
		if adaptive {
			axes[i] = geom.Adaptive(extent, rapid.IntRange(1, extent+3).Draw(t, "out"))
			continue
		}
		sequence := []int{0}
		for last := 0; last < extent; last = sequence[len(sequence)-1] {
			sequence = append(sequence, rapid.IntRange(last+1, min(last+4, extent)).Draw(t, "s"))
		}
		axes[i] = geom.Fractional(sequence, rapid.Bool().Draw(t, "overlapping"))
	}
	return geom.New(n, c, axes)
}

// Within drops images and channels until all windows see at most work cells.
func Within(g geom.Geometry, work int) geom.Geometry {
	seen := 1
	for _, a := range g.Axes {
		cells := 0
		for o := range a.Out {
			list, _ := CellsOf(a, o)
			cells += len(list)
		}
		seen *= cells
	}
	g.C = max(1, min(g.C, work/seen))
	if seen*g.C*g.N > work {
		g.N = 1
	}
	return g
}

// DrawSpec draws what is computed, but for the geometry and the reduction.
func DrawSpec(t *rapid.T, g geom.Geometry, d tensor.DType) pool.Spec {
	s := pool.Spec{
		Geometry: g, DType: d,
		ChannelsFirst: rapid.Bool().Draw(t, "channels first"), IgnoreNaN: rapid.Bool().Draw(t, "ignore NaN"),
	}
	s.Index = pool.Index{
		Convention: rapid.SampledFrom([]pool.Convention{pool.TensorFlow, pool.PyTorch, pool.ONNX, pool.ONNXColumnMajor}).Draw(t, "convention"),
		N:          g.N, Channels: g.C,
	}
	s.Index.Batch = s.Index.Convention == pool.TensorFlow && rapid.Bool().Draw(t, "batch in index")
	for i, a := range g.Axes {
		s.Index.Extent[i] = a.In
	}
	return s
}

// Text describes a pooling in a failure.
func Text(s *pool.Spec) string {
	return fmt.Sprintf("%v %s reduction %d, ignore NaN %v, channels first %v, bounds %v", s.Geometry, s.DType, s.Reduction, s.IgnoreNaN, s.ChannelsFirst,
		[][][2]int{s.Geometry.Axes[0].Bounds, s.Geometry.Axes[1].Bounds, s.Geometry.Axes[2].Bounds})
}
