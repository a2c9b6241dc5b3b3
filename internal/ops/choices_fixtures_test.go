package ops_test

import "github.com/poolctl/poolctl/internal/tensor"

// choices are calls that use what fixtures do not: together they take every
// choice of every parameter. An input of two or three axes is a picture where
// data-format says so.
var choices = map[string][]fixture{
	"pool": {
		{params: "type=max window=2 strides=1 padding=SAME_LOWER argmax-index=pytorch", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=min window=3,2 padding=VALID argmax-index=onnx-column-major", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=avg window=2 strides=1 nan=ignore", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=sum window=2 strides=1 nan=ignore", x: tensor.Shape{2, 40, 3}},
		{params: "type=lp window=2 strides=1 nan=propagate p=inf", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=median window=3 strides=1 padding=SAME nan=ignore", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=median window=9,8 strides=1 padding=SAME", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=median output-size=4,3", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=rank rank=0 window=3 strides=1 padding=SAME nan=ignore", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=rank rank=20 window=8 strides=1", x: tensor.Shape{2, 40, 8, 3}},
		{params: "type=std window=3 strides=1 padding=SAME nan=ignore count-include-pad=true", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=var window=12 strides=1 padding=SAME", x: tensor.Shape{2, 40, 3}},
		{params: "type=std output-size=4,3", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=max window=4 strides=3 dilations=7 empty=allow", x: tensor.Shape{2, 9, 8, 3}},
		{params: "type=avg fractional=1.5 seed=3 overlapping=false pseudo-random=false", x: tensor.Shape{2, 19, 18, 3}},
	},
	"unpool": {
		{params: "argmax=a.npy output-shape=2,4,5,3 argmax-index=onnx-column-major", x: tensor.Shape{2, 2, 2, 3}},
		{params: "argmax=a.npy output-shape=2,7,5,3 duplicates=error", x: tensor.Shape{2, 2, 2, 3}},
		{params: "argmax=a.npy output-shape=7,8 data-format=HW", x: tensor.Shape{3, 4}},
		{params: "argmax=a.npy output-shape=5,4,2 data-format=HWC", x: tensor.Shape{3, 4, 2}},
	},
	"conv1d": {
		{params: "filter=f.npy filter-format=OIW padding=SAME_LOWER algorithm=gemm", x: tensor.Shape{2, 30, 4}, filter: tensor.Shape{6, 4, 3}},
		{params: "filter=f.npy filter-format=IOW padding=VALID", x: tensor.Shape{2, 30, 4}, filter: tensor.Shape{4, 6, 3}},
		{params: "filter=f.npy empty=allow", x: tensor.Shape{2, 3, 4}, filter: tensor.Shape{5, 4, 6}},
	},
	"conv2d": {
		{params: "filter=f.npy filter-format=HWOI padding=VALID algorithm=direct", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 2, 6, 4}},
		{params: "filter=f.npy filter-format=IOHW algorithm=gemm", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{4, 6, 3, 2}},
		{params: "filter=f.npy padding=SAME algorithm=winograd", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 4, 6}},
		{params: "filter=f.npy padding=SAME algorithm=winograd-4x4", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 4, 6}},
		{params: "filter=f.npy data-format=HW", x: tensor.Shape{9, 8}, filter: tensor.Shape{3, 2, 1, 4}},
		{params: "filter=f.npy empty=allow", x: tensor.Shape{2, 9, 2, 4}, filter: tensor.Shape{3, 3, 4, 6}},
	},
	"conv3d": {
		{params: "filter=f.npy filter-format=DHWOI padding=VALID algorithm=direct", x: tensor.Shape{2, 3, 5, 4, 4}, filter: tensor.Shape{2, 3, 2, 5, 4}},
		{params: "filter=f.npy filter-format=IODHW padding=SAME_LOWER algorithm=gemm", x: tensor.Shape{2, 3, 5, 4, 4}, filter: tensor.Shape{4, 5, 2, 3, 2}},
		{params: "filter=f.npy empty=allow", x: tensor.Shape{2, 3, 1, 4, 4}, filter: tensor.Shape{2, 3, 2, 4, 5}},
	},
	"conv1d-transpose": {
		{params: "filter=f.npy filter-format=WIO padding=SAME_LOWER strides=2 algorithm=gemm", x: tensor.Shape{2, 20, 4}, filter: tensor.Shape{5, 4, 6}},
		{params: "filter=f.npy filter-format=OIW padding=VALID", x: tensor.Shape{2, 20, 4}, filter: tensor.Shape{6, 4, 5}},
	},
	"conv2d-transpose": {
		{params: "filter=f.npy filter-format=OIHW padding=SAME_LOWER strides=2 algorithm=direct", x: tensor.Shape{2, 5, 4, 4}, filter: tensor.Shape{6, 4, 3, 3}},
		{params: "filter=f.npy filter-format=IOHW padding=VALID algorithm=gemm", x: tensor.Shape{2, 5, 4, 4}, filter: tensor.Shape{4, 6, 2, 3}},
		{params: "filter=f.npy padding=SAME algorithm=winograd", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 6, 4}},
		{params: "filter=f.npy padding=SAME algorithm=winograd-4x4", x: tensor.Shape{2, 9, 8, 4}, filter: tensor.Shape{3, 3, 6, 4}},
		{params: "filter=f.npy data-format=HW", x: tensor.Shape{5, 4}, filter: tensor.Shape{3, 2, 4, 1}},
	},
	"conv3d-transpose": {
		{params: "filter=f.npy filter-format=DHWIO padding=SAME strides=2 algorithm=gemm", x: tensor.Shape{1, 2, 3, 2, 4}, filter: tensor.Shape{2, 3, 2, 4, 3}},
		{params: "filter=f.npy filter-format=OIDHW padding=SAME_LOWER strides=2", x: tensor.Shape{1, 2, 3, 2, 4}, filter: tensor.Shape{3, 4, 2, 3, 2}},
		{params: "filter=f.npy filter-format=IODHW padding=VALID", x: tensor.Shape{1, 2, 3, 2, 4}, filter: tensor.Shape{4, 3, 2, 3, 2}},
	},
	"depthwise-conv2d": {
		{params: "filter=f.npy padding=VALID", x: tensor.Shape{2, 9, 8, 3}, filter: tensor.Shape{3, 2, 3, 2}},
		{params: "filter=f.npy padding=SAME_LOWER", x: tensor.Shape{2, 9, 8, 3}, filter: tensor.Shape{2, 2, 3, 2}},
		{params: "filter=f.npy data-format=HW", x: tensor.Shape{9, 8}, filter: tensor.Shape{3, 2, 1, 2}},
		{params: "filter=f.npy empty=allow", x: tensor.Shape{2, 9, 2, 3}, filter: tensor.Shape{3, 3, 3, 1}},
	},
	"dilation2d": {
		{params: "filter=f.npy padding=VALID nan=propagate", x: tensor.Shape{2, 9, 8, 3}, filter: tensor.Shape{3, 2, 3}},
		{params: "filter=f.npy padding=SAME_LOWER", x: tensor.Shape{2, 9, 8, 3}, filter: tensor.Shape{2, 2, 3}},
		{params: "filter=f.npy data-format=HW", x: tensor.Shape{9, 8}, filter: tensor.Shape{3, 2, 1}},
		{params: "filter=f.npy empty=allow", x: tensor.Shape{2, 9, 2, 3}, filter: tensor.Shape{3, 3, 3}},
	},
	"erosion2d": {
		{params: "filter=f.npy padding=VALID nan=propagate", x: tensor.Shape{2, 9, 8, 3}, filter: tensor.Shape{3, 2, 3}},
		{params: "filter=f.npy padding=SAME_LOWER", x: tensor.Shape{2, 9, 8, 3}, filter: tensor.Shape{2, 2, 3}},
		{params: "filter=f.npy data-format=HW", x: tensor.Shape{9, 8}, filter: tensor.Shape{3, 2, 1}},
		{params: "filter=f.npy empty=allow", x: tensor.Shape{2, 9, 2, 3}, filter: tensor.Shape{3, 3, 3}},
	},
	"bias-add": {
		{params: "bias=b.npy", x: tensor.Shape{2, 5, 3}, bias: tensor.Shape{3}},
		{params: "bias=b.npy data-format=HW", x: tensor.Shape{4, 5}, bias: tensor.Shape{1}},
	},
	"relu":       lineAndVolume,
	"relu6":      lineAndVolume,
	"sigmoid":    lineAndVolume,
	"tanh":       lineAndVolume,
	"leaky-relu": lineAndVolume,
	"lrn":        lineAndVolume,
	"flatten":    {{x: tensor.Shape{2, 5, 3}, memory: true}},
	"add": {
		{x: tensor.Shape{2, 5, 3}, more: []tensor.Shape{{2, 5, 3}}},
		{x: tensor.Shape{2, 3, 2, 4, 5}, more: []tensor.Shape{{2, 3, 2, 4, 5}}},
	},
	"softmax": {
		{x: tensor.Shape{2, 5, 3}},
		{params: "axis=1 data-format=HW", x: tensor.Shape{4, 5}},
	},
	"batch-norm": {
		{params: "mean=m.npy variance=v.npy", x: tensor.Shape{2, 3, 2, 4, 5}, rest: []tensor.Shape{{5}, {5}}},
		{params: "mean=m.npy variance=v.npy data-format=HW", x: tensor.Shape{4, 5}, rest: []tensor.Shape{{1}, {1}}},
	},
	"pad": {
		{params: "paddings=1:2", x: tensor.Shape{2, 5, 3}},
	},
	"dense": {
		{params: "filter=f.npy", x: tensor.Shape{2, 4, 5, 7}, filter: tensor.Shape{7, 6}},
		{params: "filter=f.npy data-format=HW", x: tensor.Shape{4, 5}, filter: tensor.Shape{1, 3}},
	},
	"concat": {
		{x: tensor.Shape{2, 5, 3}, more: []tensor.Shape{{2, 5, 1}}},
		{x: tensor.Shape{2, 3, 2, 4, 5}, more: []tensor.Shape{{2, 3, 2, 4, 2}}},
		{params: "axis=0 data-format=HW", x: tensor.Shape{4, 5}, more: []tensor.Shape{{1, 5}}},
	},
}

// lineAndVolume are inputs of one and of three dimensions.
var lineAndVolume = []fixture{{x: tensor.Shape{2, 5, 3}}, {x: tensor.Shape{2, 3, 2, 4, 5}}}
