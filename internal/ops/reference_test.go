package ops_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/poolctl/poolctl/internal/ops"
)

// The reference below is written from the definitions alone, in float64 and cell
// by cell. It calls nothing of the packages under test but for parsing.

// grid is a tensor of the reference: (N, spatial…, C), or (N, C).
type grid struct {
	shape []int
	data  []float64
}

func newGrid(shape ...int) grid {
	n := 1
	for _, extent := range shape {
		n *= extent
	}
	return grid{shape, make([]float64, n)}
}

func (a grid) offset(index []int) int {
	at := 0
	for i, n := range a.shape {
		at = at*n + index[i]
	}
	return at
}

func (a grid) at(index ...int) float64 { return a.data[a.offset(index)] }

// spatial returns the extents between batch and channels.
func (a grid) spatial() []int { return a.shape[1 : len(a.shape)-1] }

func (a grid) channels() int { return a.shape[len(a.shape)-1] }

// each calls do for every index of a shape in row-major order.
func each(shape []int, do func(index []int)) {
	for _, n := range shape {
		if n == 0 {
			return
		}
	}
	index := make([]int, len(shape))
	for {
		do(index)
		axis := len(shape) - 1
		for ; axis >= 0; axis-- {
			if index[axis]++; index[axis] < shape[axis] {
				break
			}
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// fill makes a grid of the numbers that do returns for its indices.
func fill(shape []int, do func(index []int) float64) grid {
	y := newGrid(shape...)
	at := 0
	each(shape, func(index []int) {
		y.data[at] = do(index)
		at++
	})
	return y
}

// call is a call of an operation: its parameters as they are in force, the main
// inputs, and the tensors beside them by parameter.
type call struct {
	values    map[string]string
	layout    string // of the main inputs: HW and HWC have got axes of 1
	in        []grid
	beside    map[string]grid
	sequences [][]int // of fractional pooling, as the plan drew them
}

// number returns a parameter's value.
func (c *call) number(name string) float64 {
	v, err := strconv.ParseFloat(c.values[name], 64)
	if err != nil {
		panic(fmt.Sprintf("no number %s: %v", name, err))
	}
	return v
}

// ints returns a list with a number for each of n axes; otherwise where it was
// not given.
func (c *call) ints(name string, n int, otherwise []int) []int {
	if c.values[name] == "" {
		return otherwise
	}
	list, err := ops.ParseInts(c.values[name])
	if err != nil {
		panic(err)
	}
	if len(list) == 1 {
		return slices.Repeat(list, n)
	}
	return list
}

// axis returns the axis of a grid that --axis names, by default the channels.
func (c *call) axis() int { return c.axes([]int{-1})[0] }

// axes returns the axes of a grid that --axis names.
func (c *call) axes(otherwise []int) []int {
	full := map[int]string{2: "NC", 3: "NWC", 4: "NHWC", 5: "NDHWC"}[len(c.in[0].shape)]
	list := otherwise
	if text := c.values["axis"]; text != "" {
		list = nil
		for word := range strings.SplitSeq(text, ",") {
			at, err := strconv.Atoi(word)
			if err != nil {
				panic(err)
			}
			list = append(list, at)
		}
	}
	list = slices.Clone(list)
	for i, at := range list {
		list[i] = strings.IndexByte(full, c.layout[(at+len(c.layout))%len(c.layout)])
	}
	return list
}

// pairs parses lo:hi pairs; nil where the text is none.
func pairs(text string) [][2]int {
	var list [][2]int
	for word := range strings.SplitSeq(text, ",") {
		var p [2]int
		if n, err := fmt.Sscanf(word, "%d:%d", &p[0], &p[1]); n != 2 || err != nil {
			return nil
		}
		list = append(list, p)
	}
	return list
}

// Taps that are on no cell of the input.
const (
	inPadding = -1
	overhang  = -2 // behind the padding, in ceil mode
)

// windowsOf lists the windows of each spatial axis: for every output, the cell
// under each tap.
func (c *call) windowsOf(size, stride, dilation []int) [][][]int {
	var axes [][][]int
	for i, in := range c.in[0].spatial() {
		eff := (size[i]-1)*dilation[i] + 1
		lo, hi, out := 0, 0, -1
		switch rule := c.values["padding"]; rule {
		case "SAME", "SAME_LOWER":
			out = (in + stride[i] - 1) / stride[i]
			total := max(0, (out-1)*stride[i]+eff-in)
			if lo, hi = total/2, total-total/2; rule == "SAME_LOWER" {
				lo, hi = hi, lo
			}
		case "VALID", "":
		default:
			list := pairs(rule)
			lo, hi = list[min(i, len(list)-1)][0], list[min(i, len(list)-1)][1]
		}
		var windows [][]int
		for start := 0; out < 0 || len(windows) < out; start += stride[i] {
			if out < 0 && start+eff > lo+in+hi { // no whole window is left
				hangs := c.values["ceil-mode"] == "true" && start < lo+in && start-stride[i]+eff < lo+in+hi
				if !hangs || len(windows) == 0 {
					break
				}
				out = len(windows) + 1
			}
			var cells []int
			for t := range size[i] {
				cell := start + t*dilation[i] - lo
				switch {
				case cell >= in+hi:
					cell = overhang
				case cell < 0 || cell >= in:
					cell = inPadding
				}
				cells = append(cells, cell)
			}
			windows = append(windows, cells)
		}
		axes = append(axes, windows)
	}
	return axes
}

// adaptive lists the windows of adaptive pooling.
func adaptive(in, out int) (windows [][]int) {
	for i := range out {
		var cells []int
		for cell := i * in / out; cell < ((i+1)*in+out-1)/out; cell++ {
			cells = append(cells, cell)
		}
		windows = append(windows, cells)
	}
	return windows
}

// fractional lists the windows between the borders of a sequence.
func fractional(sequence []int, overlapping bool, in int) (windows [][]int) {
	for i := range len(sequence) - 1 {
		end := sequence[i+1]
		if overlapping {
			end = min(end+1, in)
		}
		var cells []int
		for cell := sequence[i]; cell < end; cell++ {
			cells = append(cells, cell)
		}
		windows = append(windows, cells)
	}
	return windows
}

// counts returns how many windows each axis has.
func counts(windows [][][]int) []int {
	list := make([]int, len(windows))
	for i, w := range windows {
		list[i] = len(w)
	}
	return list
}

// eachTap calls do for every tap of a window in row-major order, with the cell
// below it: -1 in padding, -2 beyond.
func eachTap(windows [][][]int, window []int, do func(tap, cell []int, where int)) {
	size, cell := make([]int, len(windows)), make([]int, len(windows))
	for i, o := range window {
		size[i] = len(windows[i][o])
	}
	each(size, func(tap []int) {
		where := 0
		for i, t := range tap {
			cell[i] = windows[i][window[i]][t]
			where = min(where, cell[i])
		}
		do(tap, cell, where)
	})
}

// within joins batch, cell and channel to an index.
func within(n int, cell []int, c int) []int { return slices.Concat([]int{n}, cell, []int{c}) }

// poolWindows lists the windows of a call of pool.
func (c *call) poolWindows() [][][]int {
	in := c.in[0].spatial()
	ones := slices.Repeat([]int{1}, len(in))
	var windows [][][]int
	switch {
	case c.values["output-size"] != "":
		for i, out := range c.ints("output-size", len(in), nil) {
			windows = append(windows, adaptive(in[i], out))
		}
	case c.sequences != nil:
		for i, sequence := range c.sequences {
			windows = append(windows, fractional(sequence, c.values["overlapping"] == "true", in[i]))
		}
	case c.values["window"] == "global":
		return c.windowsOf(in, c.ints("strides", len(in), in), ones)
	default:
		size := c.ints("window", len(in), nil)
		return c.windowsOf(size, c.ints("strides", len(in), size), c.ints("dilations", len(in), ones))
	}
	return windows
}

// poolReference is pooling: what is kept of a window's cells.
func poolReference(c *call) []grid {
	x, windows := c.in[0], c.poolWindows()
	shape := within(x.shape[0], counts(windows), x.channels())
	var winners []float64
	y := fill(shape, func(o []int) float64 {
		n, channel := o[0], o[len(o)-1]
		var values []float64
		var places [][]int
		counted, skipped := 0, 0
		eachTap(windows, o[1:len(o)-1], func(_, cell []int, where int) {
			if where > overhang && c.values["count-include-pad"] == "true" {
				counted++
			}
			if where < 0 {
				return
			}
			v := x.at(within(n, cell, channel)...)
			if c.values["nan"] == "ignore" && math.IsNaN(v) {
				if len(places) == 0 { // it counts where there is nothing else
					places = append(places, slices.Clone(cell))
				}
				skipped++
				return
			}
			if len(values) == 0 {
				places = nil
			}
			values, places = append(values, v), append(places, slices.Clone(cell))
		})
		if counted == 0 {
			counted = len(values)
		}
		if c.values["divisor"] != "" {
			counted = int(c.number("divisor"))
		}
		if kind := c.values["type"]; (kind == "std" || kind == "var") && len(values) > 0 {
			values = append(values, make([]float64, counted-len(values)-skipped)...) // the padding's zeros
		}
		y, at := c.reduce(values, counted)
		winners = append(winners, float64(c.indexOf(n, places[at], channel)))
		return y
	})
	if kind := c.values["type"]; kind != "max" && kind != "min" {
		return []grid{y}
	}
	return []grid{y, {shape, winners}}
}

// reduce returns what --type keeps of numbers, and where a maximum or minimum is:
// at the first NaN if there is one.
func (c *call) reduce(values []float64, counted int) (y float64, at int) {
	if len(values) == 0 {
		return math.NaN(), 0
	}
	if i := slices.IndexFunc(values, math.IsNaN); i >= 0 {
		return math.NaN(), i
	}
	sum, powers, largest := 0.0, 0.0, 0.0
	for _, v := range values {
		sum += v
		largest = max(largest, math.Abs(v))
		if c.values["type"] == "lp" {
			powers += math.Pow(math.Abs(v), c.number("p"))
		}
	}
	switch kind := c.values["type"]; kind {
	case "max":
		y = slices.Max(values)
		return y, slices.Index(values, y)
	case "min":
		y = slices.Min(values)
		return y, slices.Index(values, y)
	case "sum":
		return sum, 0
	case "avg":
		return sum / float64(counted), 0
	case "lp":
		if p := c.number("p"); !math.IsInf(p, 1) {
			return math.Pow(powers, 1/p), 0
		}
		return largest, 0
	case "rank":
		if rank := int(c.number("rank")); rank < len(values) {
			y = slices.Sorted(slices.Values(values))[rank]
			return y, slices.Index(values, y)
		}
		return math.NaN(), 0
	case "std", "var":
		mean, squares := sum/float64(len(values)), 0.0
		for _, v := range values {
			squares += (v - mean) * (v - mean)
		}
		if squares /= float64(len(values)); kind == "std" {
			squares = math.Sqrt(squares)
		}
		return squares, 0
	case "median":
		sorted := slices.Sorted(slices.Values(values))
		return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2, 0
	default:
		panic("the reference has no --type " + kind)
	}
}

// indexOf numbers a cell of the input as --argmax-index says.
func (c *call) indexOf(n int, cell []int, channel int) int {
	x := c.in[0]
	in := x.spatial()
	places := func(extents, cell []int) int { return grid{shape: extents}.offset(cell) }
	switch rule := c.values["argmax-index"]; rule {
	case "tensorflow":
		i := places(in, cell)*x.channels() + channel
		if c.values["include-batch-in-index"] == "true" {
			i = x.offset(within(n, cell, channel))
		}
		return i
	case "pytorch":
		return places(in, cell)
	case "onnx":
		return places(slices.Concat([]int{x.shape[0], x.channels()}, in), slices.Concat([]int{n, channel}, cell))
	case "onnx-column-major":
		in, cell = slices.Clone(in), slices.Clone(cell)
		slices.Reverse(in)
		slices.Reverse(cell)
		return places(slices.Concat([]int{x.shape[0], x.channels()}, in), slices.Concat([]int{n, channel}, cell))
	default:
		panic("the reference has no --argmax-index " + rule)
	}
}

// outputShape is --output-shape with the axes that HW and HWC lack.
func (c *call) outputShape() []int {
	shape := c.ints("output-shape", 0, nil)
	if strings.HasPrefix(c.layout, "H") {
		shape = append([]int{1}, shape...)
	}
	if c.layout == "HW" {
		shape = append(shape, 1)
	}
	return shape
}

// unpoolReference puts each value where its index says.
func unpoolReference(c *call) []grid {
	x, index := c.in[0], c.beside["argmax"]
	y := newGrid(c.outputShape()...)
	target := call{values: c.values, in: []grid{y}}
	cells := map[[3]int][]int{} // image, channel and number to offset
	each(y.shape, func(o []int) {
		i := target.indexOf(o[0], o[1:len(o)-1], o[len(o)-1])
		key := target.key(o[0], o[len(o)-1], i)
		cells[key] = append(cells[key], y.offset(o))
	})
	taken := map[int]bool{}
	each(x.shape, func(o []int) {
		v := x.at(o...)
		at := cells[target.key(o[0], o[len(o)-1], int(index.at(o...)))][0]
		switch rule := c.values["duplicates"]; {
		case !taken[at], rule == "last":
			y.data[at] = v
		case rule == "sum":
			y.data[at] += v
		case rule == "max":
			y.data[at] = max(y.data[at], v)
		default:
			panic("the reference has no --duplicates " + rule + ", or two values for one cell")
		}
		taken[at] = true
	})
	return []grid{y}
}

// key tells indices apart that count from 0 again in each image, or channel.
func (c *call) key(n, channel, index int) [3]int {
	switch {
	case c.values["argmax-index"] == "pytorch":
		return [3]int{n, channel, index}
	case c.values["argmax-index"] == "tensorflow" && c.values["include-batch-in-index"] == "false":
		return [3]int{n, 0, index}
	default:
		return [3]int{0, 0, index}
	}
}

// weight returns a filter's number for a tap by the letters of its format; i and
// o are the channels.
func weight(filter grid, format string, tap []int, i, o int) float64 {
	var index []int
	next := 0
	for _, letter := range format {
		switch letter {
		case 'I', 'C':
			index = append(index, i)
		case 'O', 'M':
			index = append(index, o)
		default:
			index = append(index, tap[next])
			next++
		}
	}
	return filter.at(index...)
}

// extents returns a filter's spatial sizes and its numbers of channels.
func extents(filter grid, format string) (size []int, i, o int) {
	i, o = 1, 1
	for axis, letter := range format {
		switch letter {
		case 'I', 'C':
			i = filter.shape[axis]
		case 'O', 'M':
			o = filter.shape[axis]
		default:
			size = append(size, filter.shape[axis])
		}
	}
	return size, i, o
}

func (c *call) bias(o int) float64 {
	if b, ok := c.beside["bias"]; ok {
		return b.data[o]
	}
	return 0
}

// convReference is convolution in groups.
func convReference(c *call) []grid {
	x, format := c.in[0], c.values["filter-format"]
	size, inputs, outputs := extents(c.beside["filter"], format)
	ones := slices.Repeat([]int{1}, len(size))
	windows := c.windowsOf(size, c.ints("strides", len(size), ones), c.ints("dilations", len(size), ones))
	perGroup := outputs / int(c.number("groups"))
	return []grid{fill(within(x.shape[0], counts(windows), outputs), func(o []int) float64 {
		channel := o[len(o)-1]
		sum := c.bias(channel)
		eachTap(windows, o[1:len(o)-1], func(tap, cell []int, where int) {
			for i := range inputs {
				if where >= 0 {
					sum += x.at(within(o[0], cell, channel/perGroup*inputs+i)...) * weight(c.beside["filter"], format, tap, i, channel)
				}
			}
		})
		return sum
	})}
}

// transposeReference is a transposed convolution: every input cell adds a filter
// to the output.
func transposeReference(c *call) []grid {
	x, format := c.in[0], c.values["filter-format"]
	size, inputs, perGroup := extents(c.beside["filter"], format)
	groups := int(c.number("groups"))
	ones := slices.Repeat([]int{1}, len(size))
	stride, dilation := c.ints("strides", len(size), ones), c.ints("dilations", len(size), ones)
	shape := within(x.shape[0], ones, groups*perGroup)
	lo := make([]int, len(size))
	for i, in := range x.spatial() {
		eff := (size[i]-1)*dilation[i] + 1
		amounts, rule := [2]int{}, c.values["padding"]
		if list := pairs(rule); list != nil {
			amounts = list[min(i, len(list)-1)]
		}
		shape[1+i] = (in-1)*stride[i] + eff - amounts[0] - amounts[1]
		if strings.HasPrefix(rule, "SAME") {
			shape[1+i] = in * stride[i]
		}
		if given := c.outputShape(); len(given) > 2 {
			shape[1+i] = given[1+i]
		}
		lo[i] = amounts[0]
		if total := max(0, (in-1)*stride[i]+eff-shape[1+i]); rule == "SAME" {
			lo[i] = total / 2
		} else if rule == "SAME_LOWER" {
			lo[i] = total - total/2
		}
	}
	y := fill(shape, func(o []int) float64 { return c.bias(o[len(o)-1]) })
	each(x.shape, func(at []int) {
		channel := at[len(at)-1]
		first := channel / (inputs / groups) * perGroup
		each(size, func(tap []int) {
			cell := make([]int, len(tap))
			for i, t := range tap {
				if cell[i] = at[1+i]*stride[i] + t*dilation[i] - lo[i]; cell[i] < 0 || cell[i] >= shape[1+i] {
					return
				}
			}
			for o := range perGroup {
				y.data[y.offset(within(at[0], cell, first+o))] += x.at(at...) * weight(c.beside["filter"], format, tap, channel, o)
			}
		})
	})
	return []grid{y}
}

// depthwiseReference gives each channel its own filters.
func depthwiseReference(c *call) []grid {
	x := c.in[0]
	size, inputs, multiplier := extents(c.beside["filter"], "HWIM")
	windows := c.windowsOf(size, c.ints("strides", 2, []int{1, 1}), c.ints("dilations", 2, []int{1, 1}))
	return []grid{fill(within(x.shape[0], counts(windows), inputs*multiplier), func(o []int) float64 {
		i, m := o[3]/multiplier, o[3]%multiplier
		sum := c.bias(o[3])
		eachTap(windows, o[1:3], func(tap, cell []int, where int) {
			if where >= 0 {
				sum += x.at(within(o[0], cell, i)...) * weight(c.beside["filter"], "HWIM", tap, i, m)
			}
		})
		return sum
	})}
}

// morphologyReference is the largest sum with an element, or with sign -1 the
// least difference from the reversed one.
func morphologyReference(sign float64) func(c *call) []grid {
	return func(c *call) []grid {
		x := c.in[0]
		size, _, _ := extents(c.beside["filter"], "HWC")
		windows := c.windowsOf(size, c.ints("strides", 2, []int{1, 1}), c.ints("dilations", 2, []int{1, 1}))
		return []grid{fill(within(x.shape[0], counts(windows), x.channels()), func(o []int) float64 {
			best := math.NaN()
			broken := false
			eachTap(windows, o[1:3], func(tap, cell []int, where int) {
				if where < 0 {
					return
				}
				v := x.at(within(o[0], cell, o[3])...)
				if math.IsNaN(v) {
					broken = broken || c.values["nan"] != "ignore"
					return
				}
				if sign < 0 {
					tap = []int{size[0] - 1 - tap[0], size[1] - 1 - tap[1]}
				}
				v = sign * (v + sign*weight(c.beside["filter"], "HWC", tap, o[3], 0))
				if math.IsNaN(best) || v > best {
					best = v
				}
			})
			if broken {
				return math.NaN()
			}
			return sign * best
		})}
	}
}
