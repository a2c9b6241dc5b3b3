package ops

// Table lists every operation. Operations are registered here only.
var Table = []Spec{
	poolSpec,
	unpoolSpec,
	conv1dSpec,
	conv2dSpec,
	conv3dSpec,
	conv1dTransposeSpec,
	conv2dTransposeSpec,
	conv3dTransposeSpec,
	depthwiseSpec,
	dilation2dSpec,
	erosion2dSpec,
	biasAddSpec,
	reluSpec,
	relu6Spec,
	leakyReluSpec,
	sigmoidSpec,
	tanhSpec,
	softmaxSpec,
	batchNormSpec,
	lrnSpec,
	padSpec,
	resizeSpec,
	flattenSpec,
	denseSpec,
	addSpec,
	concatSpec,
	rollSpec,
}

// Lookup returns the operation of that name. An underscore in the name stands
// for a hyphen.
func Lookup(name string) (Spec, error) {
	var names []string
	for _, s := range Table {
		if known := hyphened(name); s.Name == known || s.Alias != "" && s.Alias == known {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Spec{}, unknownWord(name, names)
}
