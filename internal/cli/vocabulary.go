package cli

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// foreignCommands maps other libraries' names to commands. Names are compared
// without case, hyphens and underscores, and without the part before the last
// dot: torch.nn.MaxPool2d is maxpool2d.
var foreignCommands = []struct{ ours, theirs string }{
	{"pool --type max", "maxpool maxpool1d maxpool2d maxpool3d maxpooling maxpooling1d maxpooling2d maxpooling3d"},
	{"pool --type max --argmax INDICES", "maxpoolwithargmax"},
	{"pool --type avg", "avgpool avgpool1d avgpool2d avgpool3d averagepool averagepooling averagepooling1d averagepooling2d averagepooling3d meanpool"},
	{"pool --type min", "minpool minpool1d minpool2d minpool3d"},
	{"pool --type sum", "sumpool sumpool2d"},
	{"pool --type lp", "lppool lppool1d lppool2d lppool3d l2pool"},
	{"pool --type max --window global", "globalmaxpool globalmaxpool1d globalmaxpool2d globalmaxpool3d globalmaxpooling1d globalmaxpooling2d globalmaxpooling3d"},
	{"pool --type avg --window global", "globalavgpool globalavgpool1d globalavgpool2d globalavgpool3d globalaveragepool globalaveragepooling1d globalaveragepooling2d globalaveragepooling3d gap"},
	{"pool --type max --output-size LIST", "adaptivemaxpool adaptivemaxpool1d adaptivemaxpool2d adaptivemaxpool3d"},
	{"pool --type avg --output-size LIST", "adaptiveavgpool adaptiveavgpool1d adaptiveavgpool2d adaptiveavgpool3d"},
	{"pool --type max --fractional LIST", "fractionalmaxpool fractionalmaxpool2d fractionalmaxpool3d"},
	{"pool --type avg --fractional LIST", "fractionalavgpool"},
	{"pool --type avg --strides 1 --padding SAME", "blur boxfilter uniformfilter"},
	{"pool --type max --strides 1 --padding SAME", "maximumfilter"},
	{"pool --type min --strides 1 --padding SAME", "minimumfilter"},
	{"unpool", "maxunpool maxunpool1d maxunpool2d maxunpool3d unpooling"},
	{"conv2d", "conv convolution convolution2d correlate correlate2d convolve2d filter2d"},
	{"conv2d --filter sobel-x", "sobel"},
	{"conv2d --filter gaussian:SIZE:SIGMA", "gaussianblur gaussianfilter"},
	{"conv1d-transpose", "convtranspose1d deconv1d"},
	{"conv2d-transpose", "convtranspose convtranspose2d deconv deconv2d deconvolution transposedconv transposedconv2d"},
	{"conv3d-transpose", "convtranspose3d deconv3d"},
	{"depthwise-conv2d", "depthwise depthwiseconv dwconv"},
	{"dilation2d", "dilate dilation morphdilate greydilation"},
	{"erosion2d", "erode erosion morpherode greyerosion"},
	{"leaky-relu", "lrelu"},
	{"batch-norm", "batchnorm1d batchnorm2d batchnorm3d batchnormalization bn fusedbatchnorm"},
	{"lrn", "localresponsenorm localresponsenormalization"},
	{"pad", "zeropadding1d zeropadding2d zeropadding3d zeropad zeropad2d constantpad2d reflectionpad2d replicationpad2d circularpad2d copymakeborder"},
	{"resize", "interpolate upsample upsampling1d upsampling2d upsampling3d upsamplingnearest2d upsamplingbilinear2d"},
	{"dense", "linear gemm fc fullyconnected"},
	{"concat", "concatenate cat"},
	{"inspect", "info show"},
	{"compare", "diff allclose"},
	{"grad", "gradient gradients backward backprop backpropagation"},
}

// foreignFlags maps other libraries' and tools' names, without hyphens and
// underscores, to flags. If a row has several flags, the first that the command
// has is meant.
var foreignFlags = []struct{ ours, theirs string }{
	{"window filter-shape filter", "ksize kernelsize kernelshape kernel poolsize filtersize windowsize windowshape windowdimensions size k"},
	{"strides", "stride step windowstrides s"},
	{"dilations", "dilation dilationrate rate rates windowdilations"},
	{"padding paddings", "pad pads padwidth autopad"},
	{"filter", "weight weights kernelfile"},
	{"groups", "group featuregroupcount"},
	{"data-format", "layout format order"},
	{"filter-format", "kernelformat weightformat kernellayout"},
	{"argmax", "returnindices withargmax indices"},
	{"type", "mode method pool pooling pooltype poolingtype"},
	{"p", "normtype"},
	{"divisor", "divisoroverride"},
	{"fractional", "poolingratio outputratio"},
	{"alpha", "negativeslope slope"},
	{"epsilon", "eps"},
	{"scale", "gamma"},
	{"offset", "beta"},
	{"mode", "paddingmode bordertype"},
	{"value", "constantvalues cval fill"},
	{"method", "interpolation mode"},
	{"upstream", "gradoutput gradoutputs gradys dy outputgradients"},
	{"output", "out outfile dst"},
	{"input-shape shape", "inputsize insize"},
	{"threads", "jobs workers numthreads nthreads numworkers j"},
	{"max-memory", "memory memorylimit maxmem"},
	{"quiet", "silent q"},
	{"verbose", "v"},
}

// foreignValues translates values of flags from other libraries: a pattern for
// the value, without regard to case, and poolctl's form. $1 is the text of the
// first group, $0 the value, FLAG the flag's name.
var foreignValues = []struct{ flags, pattern, hint string }{
	{"type", `mean|average|averaged`, "the $0 of a window is --type avg"},
	{"type", `maximum`, "the $0 of a window is --type max"},
	{"type", `minimum`, "the $0 of a window is --type min"},
	{"type", `total|add`, "the sum of a window is --type sum"},
	{"type", `l2|norm`, "the Euclidean norm of a window is --type lp --p 2"},

	{"padding", `SAME_UPPER`, "ONNX's $0 is --padding SAME"},
	{"padding paddings", `(\d+)`, "PyTorch's padding $1 is --FLAG $1:$1, cells before and after"},
	{"padding paddings", `[\[(]?(\d+)[,x] *(\d+)[\])]?`, "PyTorch's padding $1,$2 is --FLAG $1:$1,$2:$2, cells before and after for each dimension"},
	{"padding paddings", `[\[(]?(\d+), *(\d+), *(\d+)[\])]?`, "PyTorch's padding $1,$2,$3 is --FLAG $1:$1,$2:$2,$3:$3, cells before and after for each dimension"},
	{"padding paddings", `[\[(]?(\d+), *(\d+), *(\d+), *(\d+)[\])]?`, "ONNX's pads $1,$2,$3,$4 are --FLAG $1:$3,$2:$4, cells before and after for each dimension"},
	{"padding", `NOTSET|EXPLICIT`, "give the cells before and after, such as --padding 1:1; without --padding there are none"},
	{"padding", `full`, "for a window of K cells, full is --padding K-1:K-1 with the number in place of K-1"},
	{"padding", `causal`, "Keras's causal is --padding N:0 with N = (window - 1) x dilation"},
	{"padding", `zeros|constant|reflect|symmetric|replicate|edge|circular|wrap`, "--padding says how many cells are added; `poolctl pad --mode` says what they hold"},

	{"window strides dilations", `1, *(\d+), *1`, "TensorFlow's $0 counts the batch and the channels too; here it is --FLAG $1"},
	{"window strides dilations", `1, *(\d+), *(\d+), *1`, "TensorFlow's $0 counts the batch and the channels too; here it is --FLAG $1,$2"},
	{"window strides dilations", `1, *(\d+), *(\d+), *(\d+), *1`, "TensorFlow's $0 counts the batch and the channels too; here it is --FLAG $1,$2,$3"},
	{"window strides dilations", `1, *1, *(\d+), *(\d+)`, "TensorFlow's $0 counts the batch and the channels too; here it is --FLAG $1,$2"},
	{"window strides dilations output-size size", `[\[(](\d+),? *[\])]`, "without brackets: --FLAG $1"},
	{"window strides dilations output-size size", `[\[(](\d+), *(\d+)[\])]`, "without brackets: --FLAG $1,$2"},
	{"window strides dilations output-size size", `[\[(](\d+), *(\d+), *(\d+)[\])]`, "without brackets: --FLAG $1,$2,$3"},
	{"window", `all|full|none`, "the whole input is --window global"},

	{"data-format", `channels[_-]?first|pytorch|torch|onnx`, "$0 is --data-format NCHW for pictures, NCW in 1-D and NCDHW in 3-D"},
	{"data-format", `channels[_-]?last|tensorflow|tf|keras`, "$0 is --data-format NHWC for pictures, NWC in 1-D and NDHWC in 3-D"},
	{"filter-format", `pytorch|torch|onnx|KCRS|channels[_-]?first`, "the filter of a 2-D convolution is OIHW there: --filter-format OIHW"},
	{"filter-format", `tensorflow|tf|keras|RSCK|channels[_-]?last`, "the filter of a 2-D convolution is HWIO there: --filter-format HWIO"},
	{"dtype", `double`, "$0 is --dtype float64"},
	{"dtype", `single|fp32|f32`, "$0 is --dtype float32"},
	{"dtype", `half|fp16|f16`, "$0 is --dtype float16"},
	{"dtype", `bf16`, "$0 is --dtype bfloat16"},
	{"dtype", `byte|uchar|u8`, "$0 is --dtype uint8"},
	{"argmax-index", `tf|keras`, "$0 is --argmax-index tensorflow"},
	{"argmax-index", `torch`, "$0 is --argmax-index pytorch"},

	{"mode", `replicate|nearest`, "$0 is --mode edge"},
	{"mode", `circular|periodic`, "$0 is --mode wrap"},
	{"mode", `zeros?`, "$0 is --mode constant"},
	{"mode", `mirror`, "SciPy's mirror is --mode reflect, and its reflect is --mode symmetric"},
	{"method", `(inter_)?linear`, "$0 is --method bilinear"},
	{"method", `(inter_)?cubic`, "$0 is --method bicubic"},
	{"method", `inter_nearest`, "$0 is --method nearest"},
	{"method", `inter_area`, "$0 is --method area"},
}

// plain returns a name in the form of the tables.
func plain(name string) string {
	name = name[strings.LastIndexByte(name, '.')+1:]
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// has reports whether a row of words holds the word.
func has(row, word string) bool { return word != "" && slices.Contains(strings.Fields(row), word) }

// commandHint returns a hint that names the command below cmd for another
// library's command, or "".
func commandHint(cmd *cobra.Command, word string) string {
	for _, c := range foreignCommands {
		name, _, _ := strings.Cut(c.ours, " ")
		if !has(c.theirs, plain(word)) {
			continue
		}
		switch {
		case slices.Contains(cmd.ValidArgs, name): // a name alone
			return fmt.Sprintf("%s is `%s %s` here", word, cmd.CommandPath(), name)
		case slices.ContainsFunc(cmd.Commands(), func(below *cobra.Command) bool { return below.Name() == name }):
			return fmt.Sprintf("%s is `%s %s` here", word, cmd.CommandPath(), c.ours)
		}
	}
	return ""
}

// flagHint returns a hint that names the flag of cmd for another library's
// flag, or "". dashed is the flag as it was given.
func flagHint(cmd *cobra.Command, dashed string) string {
	for _, f := range foreignFlags {
		if !has(f.theirs, plain(strings.TrimLeft(dashed, "-"))) {
			continue
		}
		for _, name := range strings.Fields(f.ours) {
			switch {
			case cmd.Flag(name) == nil:
			case name == "filter" && strings.HasPrefix(f.ours, "window"):
				return "the window is as large as the filter: --filter names a file, or a filter such as box:3"
			default:
				return fmt.Sprintf("%s is --%s here", dashed, name)
			}
		}
	}
	return ""
}

// valueHint returns a hint with poolctl's form of another library's value of a
// flag, or "".
func valueHint(flag, value string) string {
	for _, v := range foreignValues {
		if !has(v.flags, flag) {
			continue
		}
		pattern := regexp.MustCompile(`(?i)^(?:` + v.pattern + `)$`)
		if at := pattern.FindStringSubmatchIndex(value); at != nil {
			return string(pattern.ExpandString(nil, strings.ReplaceAll(v.hint, "FLAG", flag), value, at))
		}
	}
	return ""
}
