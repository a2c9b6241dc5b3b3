"""A workload as an ONNX model, channels first; None where ONNX has no such operator."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


def first(shape):
    """An (N, …, C) shape as (N, C, …)."""
    return (shape[0], shape[-1], *shape[1:-1])


def model(w):
    """The serialised model, the shape of its input, and the shapes of its outputs."""
    x, y = first(w.shape), first(w.out_shape)
    outputs, weights = ["y"], []
    if w.op == "pool" and not w.grad:
        kind = {"max": "MaxPool", "avg": "AveragePool"}[w.type]
        outputs = ["y", "at"] if w.argmax else ["y"]
        axes = w.axes if w.type == "avg" else [(w.window, w.strides, w.pads)]  # whichever is faster
        names = ["x", *(f"axis{i}" for i in range(1, len(axes)))]
        nodes = [helper.make_node(kind, [names[i]], outputs if i + 1 == len(names) else [names[i + 1]], kernel_shape=k, strides=s,
                                  pads=[lo for lo, _ in p] + [hi for _, hi in p]) for i, (k, s, p) in enumerate(axes)]
    elif w.op != "pool" and w.grad in ("", "input"):
        groups = w.shape[-1] if w.op == "depthwise-conv2d" else 1
        shape = (w.out_channels, w.shape[-1] // groups, *w.window)
        values = np.random.default_rng(1).uniform(-0.5, 0.5, shape).astype(np.float32)
        weights = [numpy_helper.from_array(values, "f")]
        kind = "Conv"
        if w.grad:  # the gradient of the input is the transposed convolution
            kind, x, y = "ConvTranspose", y, x
        pads = [lo for lo, _ in w.pads] + [hi for _, hi in w.pads]
        nodes = [helper.make_node(kind, ["x", "f"], outputs, kernel_shape=w.window, strides=w.strides, pads=pads, group=groups)]
    else:
        return None
    values = [helper.make_tensor_value_info(name, TensorProto.INT64 if name == "at" else TensorProto.FLOAT, y) for name in outputs]
    graph = helper.make_graph(nodes, "workload", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)], values, weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    return made.SerializeToString(), x, [y] * len(outputs)
