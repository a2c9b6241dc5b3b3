package pipeline_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/poolctl/poolctl/internal/config"
	"github.com/poolctl/poolctl/internal/imgio"
	"github.com/poolctl/poolctl/internal/pipeline"
	"github.com/poolctl/poolctl/internal/tensor"
	"github.com/poolctl/poolctl/internal/testutil"
)

// Tolerances of whole networks, relative to the largest magnitude of each
// tensor: TensorFlow and PyTorch agreed with each other to half of them. They
// grow with the number of layers that rounding passes through.
const (
	networkTolerance       = 4e-5
	networkToleranceDouble = 2e-11
)

// TestNetworksAreTensorFlowsAndPyTorchs runs LeNet-5, an Inception block,
// VGG-11's features and ResNet-18's beginning forward and backward, with
// weights from npz, ONNX and safetensors files, and compares every kept tensor
// with the results of tools/golden/networks.py: in float32, and both ends in
// float64.
func TestNetworksAreTensorFlowsAndPyTorchs(t *testing.T) {
	for _, name := range []string{"lenet5", "inception", "vgg11", "resnet18"} {
		t.Run(name, func(t *testing.T) {
			golden := testutil.Arrays(t, filepath.Join("testdata", "networks", name+".golden.npz"))
			double := map[string]*tensor.Tensor{}
			for key, a := range golden {
				if rest, ok := strings.CutPrefix(key, "double."); ok {
					double[rest] = a
					delete(golden, key)
				}
			}
			x, dy := golden["x"], golden["upstream"]
			delete(golden, "x")
			delete(golden, "upstream")
			for _, threads := range []int{1, 3} {
				found := network(t, name, threads, x, dy)
				for key := range found {
					if golden[key] == nil {
						t.Errorf("%s is saved, and has no golden data", key)
					}
				}
				compareAll(t, found, golden, networkTolerance)
			}
			x, _ = tensor.Converted(x, tensor.Float64)
			dy, _ = tensor.Converted(dy, tensor.Float64)
			compareAll(t, network(t, name, 2, x, dy), double, networkToleranceDouble)
		})
	}
}

// network runs a network forward and backward and returns all that it saves, by
// the names of files without .npy.
func network(t *testing.T, name string, threads int, x, dy *tensor.Tensor) map[string]*tensor.Tensor {
	t.Helper()
	p, err := config.ReadPipeline(filepath.Join("testdata", "networks", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in := pipeline.Input{Spec: x.Spec}
	weights := pipeline.NewWeights(imgio.Options{})
	forward, err := pipeline.Compile(p, weights, in)
	if err != nil {
		t.Fatal(err)
	}
	backward, err := pipeline.CompileGradient(p, weights, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*tensor.Tensor{}
	for _, run := range []struct {
		graph *pipeline.Graph
		given []*tensor.Tensor
	}{{forward, []*tensor.Tensor{x}}, {backward, []*tensor.Tensor{x, dy}}} {
		r := ready(t, run.graph, threads)
		if err := r.Run(run.given...); err != nil {
			t.Fatal(err)
		}
		for _, s := range run.graph.Saved {
			found[strings.TrimSuffix(s.Step+s.Ext(), ".npy")] = r.Tensor(s)
		}
	}
	return found
}

// compareAll compares the found tensors with the wanted ones, which must all
// exist.
func compareAll(t *testing.T, found, want map[string]*tensor.Tensor, tolerance float64) {
	t.Helper()
	if len(want) < 3 {
		t.Fatalf("only %d golden tensors", len(want))
	}
	for key, w := range want {
		if found[key] == nil {
			t.Errorf("%s: not saved", key)
		} else if err := testutil.Equal(found[key], w, tolerance); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}
