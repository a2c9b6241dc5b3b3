"""One layer of a network, forward and backward, by every library that has it.

A setting is a Layer; its libraries are functions of the tensors by role (x, x1,
filter, bias, ...), channels last unless the layer says otherwise.  TensorFlow and
PyTorch differentiate what they computed; ONNX Runtime computes forward only; the
definition in numpy (layer_brute.py) is the second or fourth opinion on both.
"""

from dataclasses import dataclass, field

import golden  # before tensorflow: it pins the environment

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
import torch
from onnx import TensorProto, helper

from golden import CHANNELS_FIRST, SHORT, Family, agree, channels_first, data, float_of, wide
from pool_oracles import LIBRARIES  # sets the libraries to one thread

TOLERANCE = {"float16": 1e-3, "float32": 5e-6, "float64": 1e-12}


def families(name):
    """The families of one generator: of operations, and of their gradients."""
    return Family(name, LIBRARIES, zeros=True), Family(f"grad_{name}", LIBRARIES, "grad", generator=name, zeros=True)


@dataclass
class Layer:
    op: str
    tensors: dict                                   # by role; x first
    brute: object                                   # (tensors in float64, dy or None) -> (y, gradients by role)
    tensorflow: tuple = None                        # (what it is called, function of the tensors)
    torch: tuple = None
    onnx: tuple = None                              # (what it is called, function of the tensors -> nodes making y, and constants)
    params: dict = field(default_factory=dict)
    grad_params: dict = field(default_factory=dict)
    note: str = ""
    keeps: bool = False                             # integers stay integers
    exact: bool = False                             # nothing is rounded, or once: equal to the bit
    sums: bool = False                              # but for the gradient, which adds
    positive: bool = False                          # a zero is +0, whatever the libraries multiply it by
    tolerance: float = None                         # unless it is exact, or TOLERANCE has it
    first: bool = False                             # channels first, transposed here: the libraries see channels last
    upstream: object = "upstream"                   # kind of data; an array; None for ones, which are left out
    forward: bool = True                            # False: the gradient alone
    backward: bool = True

    @property
    def x(self):
        return self.tensors["x"]

    @property
    def dtype(self):
        return self.x.dtype

    def name(self):
        shapes = "_".join("x".join(map(str, (channels_first(t) if self.first else t).shape))
                          for role, t in self.tensors.items() if role.startswith("x"))
        words = [self.op, shapes]
        words += [k.replace("-", "") + v.replace(":", ".").replace(",", "_") for k, v in (self.params | self.grad_params).items()
                  if k != "data-format"]
        words += [role for role in self.tensors if not role.startswith(("x", "mean", "variance", "filter"))]
        words += [SHORT[self.dtype.name]] + ([CHANNELS_FIRST[self.x.ndim - 2]] if self.first else [])
        words += [self.params["data-format"]] if "data-format" in self.params else []
        return "_".join(words + [self.note] * bool(self.note) + ["ones"] * (self.upstream is None))


def computing(dtype, keeps):
    """The type that poolctl computes in."""
    dtype = np.dtype(dtype)
    return dtype if keeps and dtype.kind in "iu" else wide(dtype)


def by_tensorflow(c, tensors, dy):
    name, run = c.tensorflow
    values = {k: tf.constant(v) for k, v in tensors.items()}
    try:
        with tf.GradientTape() as tape:
            tape.watch([v for v in values.values() if v.dtype.is_floating])
            y = run(values)
        gradients = {} if dy is None else tape.gradient(y, values, tf.constant(dy))
    except tf.errors.NotFoundError:
        return None  # no kernel for the type
    except tf.errors.InvalidArgumentError as error:
        if "not in the list of allowed values" in str(error):
            return None
        raise
    return y.numpy(), {k: tf.convert_to_tensor(g).numpy() for k, g in gradients.items() if g is not None}, name


def by_torch(c, tensors, dy):
    name, run = c.torch
    values = {k: torch.from_numpy(v.copy()) for k, v in tensors.items()}
    for v in values.values():
        v.requires_grad_(v.is_floating_point() and dy is not None)
    try:
        y = run(values)
    except (NotImplementedError, RuntimeError) as error:
        if "not implemented" in str(error):
            return None
        raise
    if dy is not None:
        y.backward(torch.from_numpy(dy))
    return (y.detach().numpy(), {k: v.grad.numpy() for k, v in values.items() if v.grad is not None},
            name if dy is None else "torch autograd of " + name)


def by_onnx(c, tensors, _):
    name, nodes = c.onnx
    made = nodes(tensors)
    nodes = [n for n in made if isinstance(n, onnx.NodeProto)]
    constants = [n for n in made if isinstance(n, onnx.TensorProto)]
    kind = helper.np_dtype_to_tensor_dtype
    graph = helper.make_graph(nodes, "layer", [helper.make_tensor_value_info(k, kind(v.dtype), v.shape) for k, v in tensors.items()],
                              [helper.make_tensor_value_info("y", kind(c.result), None)], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    except onnxruntime.capi.onnxruntime_pybind11_state.NotImplemented:
        return None  # no kernel for the type
    except onnxruntime.capi.onnxruntime_pybind11_state.InvalidGraph:
        return None  # no such type in the operator's definition
    return session.run(None, tensors)[0], {}, name


def rounded(array, dtype):
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(array).astype(dtype)


def add(pair, c):
    """Computes a setting forward and backward by the first library that can, checks the others, and adds it to both families."""
    compute = computing(c.dtype, c.keeps)
    result = c.dtype if c.keeps else float_of(c.dtype)
    c.result = compute
    tensors = {k: v.astype(compute) for k, v in c.tensors.items()}
    suffix = "" if compute == c.dtype else f", input as {compute}" + ", rounded to float16" * (c.dtype == np.float16)
    tolerance = 0 if c.exact else c.tolerance or TOLERANCE[result.name]

    def libraries(tensors, dy):
        for run, given in [(by_tensorflow, c.tensorflow), (by_torch, c.torch), (by_onnx, c.onnx)]:
            if given and (answer := run(c, tensors, dy)):
                yield answer

    with np.errstate(all="ignore"):
        exact, _ = c.brute({k: v if c.keeps else v.astype("float64") for k, v in tensors.items()}, None)
    if c.forward:
        answers = [(rounded(y, result), by) for y, _, by in libraries(tensors, None)]
        if not answers:
            raise AssertionError(f"{c.name()}: no library computes it")
        for y, by in answers:
            agree(f"{c.name()}: {by}", y, rounded(exact, result), tolerance / 2)
        y, by = answers[0]
        store(pair[0], c, by + suffix, c.params, {}, {"y": y}, tolerance)
    if not c.backward:
        return
    real = float_of(c.dtype)
    tolerance = 0 if c.exact and not c.sums else c.tolerance or TOLERANCE[real.name]
    compute = wide(c.dtype)
    kind = c.upstream
    dy = np.ones(exact.shape, real) if kind is None else data(exact.shape, real.name, kind) if isinstance(kind, str) else kind
    tensors = {k: v.astype(compute) for k, v in c.tensors.items()}
    with np.errstate(all="ignore"):
        _, want = c.brute({k: v.astype("float64") for k, v in tensors.items()}, dy.astype("float64"))
    c.result = compute
    answers = [a for a in libraries(tensors, dy.astype(compute)) if a[1]]
    if not answers:
        raise AssertionError(f"{c.name()}: no library differentiates it")
    for _, gradients, by in answers:
        for role, w in want.items():
            agree(f"{c.name()}: {by}: d{role}", rounded(gradients[role], real), rounded(w, real), tolerance / 2)
    _, gradients, by = answers[0]
    outputs = {"d" + role: rounded(gradients[role], real) for role in want}
    by = by if by.startswith("torch") else "tf.GradientTape of " + by
    store(pair[1], c, by + suffix, c.params | c.grad_params, {"upstream": None if kind is None else dy}, outputs, tolerance)


def store(family, c, by, params, more, outputs, tolerance):
    """Adds a case; its tensors of the input's rank are brought to channels first if it is."""
    if c.positive:
        outputs = {k: v + v.dtype.type(0) for k, v in outputs.items()}
    inputs = {k: v if k.startswith("x") else v.astype(float_of(c.dtype)) for k, v in c.tensors.items()} | more
    if c.first:
        params = params | {"data-format": CHANNELS_FIRST[c.x.ndim - 2]}

        def turn(arrays):
            return {k: channels_first(v) if v is not None and k in ("x", "y", "upstream", "dx") or k[:1] == "x" or k[:2] == "dx" else v
                    for k, v in arrays.items()}
        inputs, outputs = turn(inputs), turn(outputs)
    family.add(c.name(), by, c.op, params, inputs, outputs, tolerance)
