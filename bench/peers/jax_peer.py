"""JAX (XLA on the CPU), channels last, compiled, its output written over a donated one."""

import os

THREADS = os.environ.get("PEER_THREADS", "")
if THREADS:  # XLA takes as many threads as it may run on
    os.sched_setaffinity(0, set(sorted(os.sched_getaffinity(0))[:int(THREADS)]))
import jax
import jax.numpy as jnp
from jax import lax


def prepare(w, threads):
    if w.argmax:
        return {}
    x = jax.random.uniform(jax.random.key(1), w.shape, jnp.float32, -1, 1)
    if w.op == "pool":
        function, result = pooling(w)
    else:
        function, result = convolution(w)
    dy = jax.random.uniform(jax.random.key(2), w.out_shape)
    given = (x, dy) if w.grad else (x,)
    compiled = jax.jit(lambda buffer, *args: function(*args), donate_argnums=0, keep_unused=True)
    memory = [jnp.zeros(result)]

    def run():
        memory[0] = compiled(memory[0], *given)
        memory[0].block_until_ready()

    return {"": run}


def pooling(w):
    def reduce(x, start, merge):
        for k, s, pads in w.axes:
            x = lax.reduce_window(x, start, merge, (1, *k, 1), (1, *s, 1), [(0, 0), *pads, (0, 0)])
        return x

    counts = reduce(jnp.ones((1, *w.spatial, 1)), 0.0, lax.add)

    def forward(x):
        return reduce(x, -jnp.inf, lax.max) if w.type == "max" else reduce(x, 0.0, lax.add) / counts

    if w.grad:
        return lambda x, dy: jax.vjp(forward, x)[1](dy)[0], w.shape
    return forward, w.out_shape


def convolution(w):
    groups = w.shape[-1] if w.op == "depthwise-conv2d" else 1
    shape = (*w.window, w.shape[-1] // groups, w.out_channels)
    f = jax.random.uniform(jax.random.key(3), shape, jnp.float32, -0.5, 0.5)
    axes = "DHW"[-len(w.spatial):]
    names = (f"N{axes}C", f"{axes}IO", f"N{axes}C")

    def forward(x, f):
        return lax.conv_general_dilated(x, f, w.strides, w.pads, dimension_numbers=names, feature_group_count=groups)

    if w.grad == "input":
        return lambda x, dy: jax.vjp(lambda x: forward(x, f), x)[1](dy)[0], w.shape
    if w.grad == "filter":
        return lambda x, dy: jax.vjp(lambda f: forward(x, f), f)[1](dy)[0], shape
    return lambda x: forward(x, f), w.out_shape
