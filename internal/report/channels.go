package report

import (
	"strconv"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/poolctl/poolctl/internal/tensor"
)

// ChannelSummary measures one channel of a tensor as Summary does the whole:
// everything but the counts covers its finite elements only.
type ChannelSummary struct {
	Channel int   `json:"channel"`
	Min     Value `json:"min"`
	Max     Value `json:"max"`
	Mean    Value `json:"mean"`
	Std     Value `json:"std"`
	Median  Value `json:"median"`
	Zeros   int   `json:"zeros"`
	NaN     int   `json:"nan"`
	PosInf  int   `json:"pos_inf"`
	NegInf  int   `json:"neg_inf"`
}

// ChannelBytes returns the memory that InspectChannels needs beside the tensor:
// one channel, and counters for the median.
func ChannelBytes(spec tensor.Spec, layout tensor.Layout) (int, error) {
	e, err := layout.Split(spec.Shape)
	if err != nil {
		return 0, err
	}
	n, err := spec.Bytes()
	if err != nil {
		return 0, err
	}
	return n/max(1, e.C) + medianBytes, nil
}

// InspectChannels measures a tensor, the median too, and each of its channels.
func InspectChannels(t *tensor.Tensor, layout tensor.Layout) (Summary, error) {
	e, err := layout.Split(t.Shape)
	if err != nil {
		return Summary{}, err
	}
	s := Inspect(t)
	s.Median = median(t)
	plane := 1 // elements of one channel that lie together
	if layout.ChannelsFirst() {
		for _, n := range e.Spatial {
			plane *= n
		}
	}
	one := tensor.New(tensor.Spec{DType: t.DType, Shape: tensor.Shape{t.Len() / max(1, e.C)}})
	for c := range e.C {
		copyChannel.For(t.DType)(one, t, c, e.C, plane)
		m := Inspect(one)
		s.Channels = append(s.Channels, ChannelSummary{c, m.Min, m.Max, m.Mean, m.Std, median(one), m.Zeros, m.NaN, m.PosInf, m.NegInf})
	}
	return s, nil
}

var copyChannel = tensor.PerSize(channelOf[uint8], channelOf[uint16], channelOf[uint32], channelOf[uint64])

// channelOf copies channel c of so many: plane elements, and plane again for
// each further one.
func channelOf[B tensor.Bits](to, from *tensor.Tensor, c, channels, plane int) {
	dst, src := tensor.BitsOf[B](to), tensor.BitsOf[B](from)
	if plane == 1 {
		for i := range dst {
			dst[i] = src[i*channels+c]
		}
		return
	}
	for i := 0; i < len(dst); i += plane {
		first := i*channels + c*plane
		copy(dst[i:i+plane], src[first:first+plane])
	}
}

// channelTable is a row for each channel.
func channelTable(list []ChannelSummary) string {
	t := keyTable()
	t.AppendRow(table.Row{"channel", "min", "max", "mean", "deviation", "median", "zeros", "NaN", "Inf"})
	for _, c := range list {
		t.AppendRow(table.Row{strconv.Itoa(c.Channel), c.Min.String(), c.Max.String(), c.Mean.String(), c.Std.String(), c.Median.String(),
			grouped(int64(c.Zeros)), grouped(int64(c.NaN)), grouped(int64(c.PosInf + c.NegInf))})
	}
	return t.Render()
}
