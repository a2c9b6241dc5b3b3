"""PyTorch, contiguous and channels_last, with its output memory supplied where an operator takes it.

Where TensorFlow pads more at the end than at the start, pooling uses ceil_mode, which has the same windows, and a
convolution pads the larger amount on both sides and so does the same work one row and column further out.
"""

import torch
import torch.nn.functional as F

aten = torch.ops.aten


def prepare(w, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    rank, ways = len(w.spatial), {}
    layouts = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last if rank == 2 else torch.channels_last_3d}
    for name, layout in layouts.items():
        x = (torch.rand(w.shape[0], w.shape[-1], *w.spatial) * 2 - 1).to(memory_format=layout)
        make = pooling if w.op == "pool" else convolution
        for way, function in make(w, rank, x, layout).items():
            ways[f"{name} {way}".strip()] = quiet(function)
    return ways


def quiet(function):
    def run():
        with torch.inference_mode():
            function()
    return run


def pooling(w, rank, x, layout):
    if len(w.axes) > 1:
        return axis_by_axis(w, x)
    ceil = any(lo != hi for lo, hi in w.pads)
    pad = [min(lo, hi) for lo, hi in w.pads]
    k, s, ones = list(w.window), list(w.strides), [1] * rank
    if w.type == "max":
        forward = (aten.max_pool2d_with_indices, aten.max_pool3d_with_indices)[rank - 2]
        y, at = forward(x, k, s, pad, ones, ceil)
        if w.grad:
            dy, dx = torch.rand_like(y), torch.empty_like(x)
            return {"": lambda: aten.max_pool2d_with_indices_backward.grad_input(dy, x, k, s, pad, ones, ceil, at, grad_input=dx)}
        ways = {"": lambda: forward.out(x, k, s, pad, ones, ceil, out=y, indices=at)}
        if rank == 2 and not w.argmax and not ceil and layout == torch.contiguous_format and torch.backends.mkldnn.is_available():
            inside = x.to_mkldnn()
            ways["oneDNN"] = lambda: aten.mkldnn_max_pool2d(inside, k, s, pad, ones, ceil)
        return ways
    forward = (aten.avg_pool2d, aten.avg_pool3d)[rank - 2]
    y = forward(x, k, s, pad, ceil, False)
    if w.grad:
        dy, dx = torch.rand_like(y), torch.empty_like(x)
        return {"": lambda: aten.avg_pool2d_backward.grad_input(dy, x, k, s, pad, ceil, False, None, grad_input=dx)}
    return {"": lambda: forward.out(x, k, s, pad, ceil, False, None, out=y)}


def axis_by_axis(w, x):
    y, z = torch.empty_like(x), torch.empty_like(x)
    at = torch.empty_like(x, dtype=torch.int64)

    def run():
        source = x
        for (k, s, pads), to in zip(w.axes, (y, z)):
            pad = [lo for lo, _ in pads]
            if w.type == "max":
                aten.max_pool2d_with_indices.out(source, k, s, pad, [1, 1], False, out=to, indices=at)
            else:
                aten.avg_pool2d.out(source, k, s, pad, False, False, None, out=to)
            source = to

    return {"": run}


def convolution(w, rank, x, layout):
    pad = [max(lo, hi) for lo, hi in w.pads]
    groups = w.shape[-1] if w.op == "depthwise-conv2d" else 1
    shape = (w.out_channels, w.shape[-1] // groups, *w.window)
    f = torch.rand(shape).to(memory_format=layout) - 0.5
    convolve = (F.conv2d, F.conv3d)[rank - 2]
    y = convolve(x, f, None, list(w.strides), pad, 1, groups)
    args = ([1] * rank, False, [0] * rank, groups)
    if w.grad:
        dy = torch.rand_like(y)
        mask = [w.grad == "input", w.grad == "filter", False]
        return {"": lambda: aten.convolution_backward(dy, x, f, None, list(w.strides), pad, *args, mask)}
    return {"": lambda: convolve(x, f, None, list(w.strides), pad, 1, groups),
            "out=": lambda: aten.convolution.out(x, f, None, list(w.strides), pad, *args, out=y)}
