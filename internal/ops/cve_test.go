package ops_test

import (
	"strings"
	"testing"
	"time"

	"github.com/poolctl/poolctl/internal/ops"
	"github.com/poolctl/poolctl/internal/tensor"
)

// TestForwardCVEs feeds the arguments that once crashed TensorFlow's forward
// operations, and their like. Each is refused with a reason, or planned where
// the arguments are legitimate; none takes time or memory.
func TestForwardCVEs(t *testing.T) {
	image := tensor.Shape{1, 5, 5, 1}
	volume := tensor.Shape{1, 5, 5, 5, 1}
	for _, c := range []struct {
		id, op, params string
		x, filter      tensor.Shape
		want           string // part of the error; "" for none
	}{
		{"CVE-2021-41196 window 0", "pool", "type=max window=0", image, nil, "window: got 0, want >= 1"},
		{"CVE-2021-41196 window -1", "pool", "type=avg window=1,-1,1", volume, nil, "window: got -1, want >= 1"},
		{"CVE-2022-35941 window 1e20", "pool", "type=avg window=100000000000000000000", image, nil, `window: got "100000000000000000000", want a whole number`},
		{"CVE-2022-35941 window 1e10", "pool", "type=avg window=10000000000", image, nil, "window: got 10000000000, want <= 2147483647"},
		{"CVE-2022-35941 window -9", "pool", "type=avg window=-9", image, nil, "window: got -9, want >= 1"},
		{"CVE-2022-35968 extents", "pool", "type=avg window=1", tensor.Shape{-536870912, 5, 5, 1}, nil, "got -536870912, want >= 0"},
		{"CVE-2022-35959 product", "pool", "type=avg window=1", tensor.Shape{1879048192, 1879048192, 1879048192, 1879048192, 1879048192}, nil, "does not fit"},
		{"CVE-2022-35989 window past the input", "pool", "type=max window=9,9", image, nil, "window: got 9 cells (size 9, dilation 1) in height, want <= 5"},
		{"CVE-2022-35989 channels first", "pool", "type=max window=9,9 data-format=NCHW", tensor.Shape{1, 1, 5, 5}, nil, "window: got 9 cells"},
		{"CVE-2021-29573 batch 0", "pool", "type=max window=2 argmax-index=tensorflow", tensor.Shape{0, 5, 5, 1}, nil, ""},
		{"CVE-2021-29573 batch 0 placed", "unpool", "argmax=a output-shape=0,5,5,1", tensor.Shape{0, 2, 2, 1}, nil, ""},
		{"CVE-2021-29574 no cells", "pool", "type=max window=2", tensor.Shape{1, 0, 5, 5, 1}, nil, "window: got 2 cells (size 2, dilation 1) in depth, want <= 0"},
		{"CVE-2021-29574 no channels", "pool", "type=max window=2", tensor.Shape{1, 5, 5, 0}, nil, ""},
		{"CVE-2021-29576 stride -5", "pool", "type=max window=2 strides=-5,1,1", volume, nil, "strides: got -5, want >= 1"},
		{"CVE-2021-29550 ratio past the extent", "pool", "type=avg fractional=6,1", image, nil, "fractional: got ratio 6 for an extent of 5, want at most the extent"},
		{"CVE-2021-29550 infinite ratio", "pool", "type=avg fractional=inf", image, nil, "fractional: got +Inf, want a finite ratio >= 1"},
		{"CVE-2022-21735 ratio 1.44 of 1", "pool", "type=max fractional=1.44", tensor.Shape{1, 1, 1, 1}, nil, "fractional: got ratio 1.44 for an extent of 1, want at most the extent"},
		{"CVE-2022-41900 ratio below 1", "pool", "type=max fractional=0.9", image, nil, "fractional: got 0.9, want a finite ratio >= 1"},
		{"CVE-2022-41900 ratio NaN", "pool", "type=max fractional=nan", image, nil, `fractional: got "nan", want a number`},
		{"CVE-2023-25801 ratio of the batch", "pool", "type=max fractional=2,1,1,1", image, nil, "fractional: got 4 numbers, want one for each spatial dimension"},
		{"CVE-2023-25801 ratio of the channels", "pool", "type=avg fractional=1,1,2", image, nil, "fractional: got 3 ratios, want 1 or 2"},
		{"CVE-2021-29526 no input channels", "conv2d", "filter=f", tensor.Shape{1, 5, 5, 0}, tensor.Shape{2, 2, 0, 1}, "with 0 channels, want at least 1"},
		{"CVE-2021-41209 filter of channels 0", "conv2d", "filter=f", image, tensor.Shape{2, 2, 0, 1}, "filter: got shape (2,2,0,1), want no extent of 0"},
		{"CVE-2021-41209 empty filter", "conv2d", "filter=f", image, tensor.Shape{0, 2, 1, 1}, "filter: got shape (0,2,1,1), want no extent of 0"},
		{"CVE-2021-29525 no output channels", "conv2d", "filter=f", image, tensor.Shape{2, 2, 1, 0}, "filter: got shape (2,2,1,0), want no extent of 0"},
		{"CVE-2021-37675 channels that do not divide", "conv2d", "filter=f", tensor.Shape{1, 5, 5, 3}, tensor.Shape{2, 2, 2, 2}, "filter: got 2 input channels in shape (2,2,2,2) (HWIO), want 3"},
		{"CVE-2021-37675 stride 0", "conv2d", "filter=f strides=0", image, tensor.Shape{2, 2, 1, 1}, "strides: got 0, want >= 1"},
		{"CVE-2021-37675 groups that do not divide", "conv2d", "filter=f groups=2", tensor.Shape{1, 5, 5, 4}, tensor.Shape{2, 2, 2, 3}, "groups: got 2, want a divisor of the filter's 3 output channels"},
		{"CVE-2022-35996 empty input", "conv2d", "filter=f padding=SAME", tensor.Shape{1, 0, 5, 1}, tensor.Shape{2, 2, 1, 1}, ""},
		{"CVE-2021-29517 volume filter extent 0", "conv3d", "filter=f", volume, tensor.Shape{2, 0, 2, 1, 1}, "filter: got shape (2,0,2,1,1), want no extent of 0"},
		{"CVE-2022-29196 filter of rank 0", "conv3d", "filter=f", volume, tensor.Shape{}, "filter: got shape () of rank 0, want rank 5 (DHWIO)"},
		{"CVE-2021-29517 transposed", "conv3d-transpose", "filter=f", volume, tensor.Shape{2, 2, 2, 0, 1}, "filter: got shape (2,2,2,0,1), want no extent of 0"},
		{"CVE-2021-29585 stride 0", "pool", "type=avg window=2 strides=0", image, nil, "strides: got 0, want >= 1"},
		{"CVE-2021-29586 stride 0 under SAME", "pool", "type=max window=2 strides=1,0 padding=SAME", image, nil, "strides: got 0, want >= 1"},
		{"CVE-2021-29602 depthwise without channels", "depthwise-conv2d", "filter=f", tensor.Shape{1, 5, 5, 0}, tensor.Shape{2, 2, 0, 1}, "with 0 channels, want at least 1"},
		{"CVE-2021-29602 multiplier 0", "depthwise-conv2d", "filter=f", image, tensor.Shape{2, 2, 1, 0}, "filter: got shape (2,2,1,0), want no extent of 0"},
		{"CVE-2021-29566 element of other channels", "dilation2d", "filter=f", image, tensor.Shape{2, 2, 3}, "filter: got shape (2,2,3), want (height,width,1)"},
		{"CVE-2021-29566 stride 0", "erosion2d", "filter=f strides=0", image, tensor.Shape{2, 2, 1}, "strides: got 0, want >= 1"},
		{"CVE-2022-41885 product of the output", "conv2d-transpose", "filter=f output-shape=1,1879048192,1879048192,1879048192", image, tensor.Shape{2, 2, 1, 1}, "does not fit"},
		{"CVE-2022-41885 padding", "conv2d", "filter=f padding=1879048192:1879048192", tensor.Shape{1, 5, 5, 1}, tensor.Shape{2, 2, 1, 9}, "does not fit"},
		{"CVE-2021-41199 extent", "pool", "type=max output-size=2147483647,2147483647", image, nil, "output-size: got 2147483647, want 1 to 16777216"},
		{"CVE-2021-41199 product", "unpool", "argmax=a output-shape=1,2147483647,2147483647,4", tensor.Shape{1, 5, 5, 4}, nil, "does not fit"},

		{"dilation 0", "pool", "type=max window=2 dilations=0", image, nil, "dilations: got 0, want >= 1"},
		{"dilation -1", "conv2d", "filter=f dilations=-1", image, tensor.Shape{2, 2, 1, 1}, "dilations: got -1, want >= 1"},
		{"padding below 0", "conv2d", "filter=f padding=-1:0", image, tensor.Shape{2, 2, 1, 1}, "padding: got -1, want >= 0"},
		{"padding of 7 numbers", "conv2d", "filter=f padding=1,1,1,1,1,1,1", image, tensor.Shape{2, 2, 1, 1}, `padding: got "1,1,1,1,1,1,1", want SAME, VALID, SAME_LOWER or pairs lo:hi`},
		{"padding on the batch", "conv2d", "filter=f padding=1:1,0:0,0:0,0:0", image, tensor.Shape{2, 2, 1, 1}, "padding: got 4 numbers, want one for each spatial dimension (1 to 3)"},
		{"padding of 2^30", "pool", "type=max window=2 padding=1073741824:0", image, nil, "padding: got 1073741824:0 in height, want each smaller than the window's 2 cells"},
		{"window of 2^31-1 under SAME", "pool", "type=max window=2147483647 strides=2147483647 padding=SAME", image, nil, ""},
		{"dilation of 2^31-1 under SAME", "pool", "type=max window=3 strides=2147483647 dilations=2147483647 padding=SAME", image, nil, ""},
		{"stride of 2^31-1 under SAME", "conv2d", "filter=f strides=2147483647 dilations=2147483647 padding=SAME", image, tensor.Shape{3, 3, 1, 1}, ""},
		{"everything of 2^31-1", "pool", "type=avg window=2147483647 strides=2147483647 dilations=2147483647 padding=SAME", image, nil, ""},
	} {
		t.Run(c.id, func(t *testing.T) {
			began := time.Now()
			spec, err := ops.Lookup(c.op)
			if err != nil {
				t.Fatal(err)
			}
			op := spec.New()
			for word := range strings.FieldsSeq(c.params) {
				name, value, _ := strings.Cut(word, "=")
				if err == nil {
					err = ops.Set(op, name, value)
				}
			}
			specs := []tensor.Spec{{DType: tensor.Float32, Shape: c.x}}
			if c.filter != nil {
				specs = append(specs, tensor.Spec{DType: tensor.Float32, Shape: c.filter})
			}
			if c.op == "unpool" {
				specs = append(specs, tensor.Spec{DType: tensor.Int64, Shape: c.x})
			}
			if err == nil {
				var p *ops.Plan
				if p, err = op.Plan(specs, wantAll(op)); err == nil {
					runZeros(t, p)
				}
			}
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// runZeros runs a plan over zeros.
func runZeros(t *testing.T, p *ops.Plan) {
	t.Helper()
	var in []*tensor.Tensor
	for _, s := range p.Buffers[:p.Inputs] {
		in = append(in, tensor.New(s))
	}
	out, _, err := ops.Run(p, 2, in...)
	if err != nil {
		t.Fatal(err)
	}
	for i := range out[0].Len() {
		if out[0].At(i) != 0 {
			t.Fatalf("output %d is %v", i, out[0].At(i))
		}
	}
}
