package main

// known lists names and files of other projects that comments and pages
// mention.
var known = []string{
	"pkg.go", // the site pkg.go.dev
	"WriteTo", "LeVeque", "arXiv", "BITMAPV4HEADER",
	"DataType", "GraphProto", "ModelProto", "SparseTensorProto", "StringStringEntryProto", "TensorProtos", // ONNX
	"AdaptivePooling", "AvgPool2d", "torch/nn/functional.py", // PyTorch
	"GuardedPhiloxRandom", "MetaGraphDef", "LaunchMaxPooling3dGradOp", "MaxPool3DGrad", "SpatialMaxPool", "VarianceScaling", // TensorFlow
	"python/framework/random_seed.py", "python/ops/nn_ops.py",
	"skimage/data/_fetchers.py",
}
