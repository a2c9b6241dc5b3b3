package tensor

import (
	"fmt"
	"slices"
	"strings"
)

// Layout names the axes of a tensor that holds signals, pictures or volumes,
// outermost first: N the batch, D, H and W the spatial axes, C the channels.
type Layout string

// The layouts that poolctl reads and writes. HW and HWC are one picture
// without a batch axis. NC is a batch of feature vectors; only layers of a
// network have it, and the command line does not accept it.
const (
	NWC   Layout = "NWC"
	NHWC  Layout = "NHWC"
	NDHWC Layout = "NDHWC"
	NCW   Layout = "NCW"
	NCHW  Layout = "NCHW"
	NCDHW Layout = "NCDHW"
	HW    Layout = "HW"
	HWC   Layout = "HWC"
	NC    Layout = "NC"
)

var layouts = []Layout{NWC, NHWC, NDHWC, NCW, NCHW, NCDHW, HW, HWC}

// LayoutNames lists the names that ParseLayout accepts.
func LayoutNames() []string {
	names := make([]string, len(layouts))
	for i, l := range layouts {
		names[i] = string(l)
	}
	return names
}

// ParseLayout returns the layout of that name, in upper or lower case.
func ParseLayout(name string) (Layout, error) {
	if l := Layout(strings.ToUpper(name)); slices.Contains(layouts, l) {
		return l, nil
	}
	return "", fmt.Errorf("got %q, want one of %s", name, strings.Join(LayoutNames(), ", "))
}

// DefaultLayout returns the layout of a tensor for which none is given: HW, NWC,
// NHWC, NDHWC for rank 2, 3, 4, 5.
func DefaultLayout(rank int) (Layout, error) {
	switch rank {
	case 2:
		return HW, nil
	case 3:
		return NWC, nil
	case 4:
		return NHWC, nil
	case 5:
		return NDHWC, nil
	default:
		return "", fmt.Errorf("got rank %d, want 2 (HW), 3 (NWC), 4 (NHWC) or 5 (NDHWC)", rank)
	}
}

// ChannelsLast returns NWC, NHWC or NDHWC for 1, 2 or 3 spatial axes.
func ChannelsLast(spatial int) Layout { return [...]Layout{NWC, NHWC, NDHWC}[spatial-1] }

// Rank returns the number of axes.
func (l Layout) Rank() int { return len(l) }

// Spatial returns the number of spatial axes: 1, 2 or 3; 0 for NC.
func (l Layout) Spatial() int {
	n := 0
	for axis := range l {
		if l.IsSpatial(axis) {
			n++
		}
	}
	return n
}

// IsSpatial reports whether an axis is neither the batch nor the channels.
func (l Layout) IsSpatial(axis int) bool { return l[axis] != 'N' && l[axis] != 'C' }

// ChannelsFirst reports whether the channel axis comes before the spatial axes.
func (l Layout) ChannelsFirst() bool {
	return strings.Contains(string(l), "C") && !strings.HasSuffix(string(l), "C")
}

// Extents are a tensor's sizes by the meaning of the axes. Spatial sizes are
// listed outermost first.
type Extents struct {
	N, C    int
	Spatial []int
}

// Split reads a shape by the layout. Axes that the layout lacks (the batch of
// HWC, the channels of HW) have extent 1. It refuses a shape of another rank.
func (l Layout) Split(shape Shape) (Extents, error) {
	if len(shape) != l.Rank() {
		return Extents{}, fmt.Errorf("got shape %s of rank %d, want rank %d for %s", shape, len(shape), l.Rank(), l)
	}
	e := Extents{N: 1, C: 1}
	for i, axis := range l {
		switch axis {
		case 'N':
			e.N = shape[i]
		case 'C':
			e.C = shape[i]
		default:
			e.Spatial = append(e.Spatial, shape[i])
		}
	}
	return e, nil
}

// With returns the layout for that many channels: HW becomes HWC unless there is
// exactly one channel.
func (l Layout) With(channels int) Layout {
	if l == HW && channels != 1 {
		return HWC
	}
	return l
}

// Join is the inverse of Split, in the layout that With returns for e.C.
func (l Layout) Join(e Extents) Shape {
	var shape Shape
	spatial := e.Spatial
	for _, axis := range l.With(e.C) {
		switch axis {
		case 'N':
			shape = append(shape, e.N)
		case 'C':
			shape = append(shape, e.C)
		default:
			shape = append(shape, spatial[0])
			spatial = spatial[1:]
		}
	}
	return shape
}

// Permutation returns the axes of from in the order of to: axis i of the
// result is axis perm[i] of the source. Both must name the same axes.
func Permutation(from, to string) []int {
	perm := make([]int, len(to))
	for i, axis := range to {
		perm[i] = strings.IndexRune(from, axis)
	}
	return perm
}
