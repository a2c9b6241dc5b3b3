"""Repeats in TensorFlow the computations of docs/tutorial.md, from the same files in samples/.

    python tools/golden/tutorial_samples.py [FOLDER]    default: cmd/poolctl/testdata/tutorial

NAME.npy is the result of the line of TensorFlow that stands under that name below; each is computed from TensorFlow's
own convolution, not from poolctl's.  README.md says which version computed them.
"""

import sys
from pathlib import Path

from golden import ENVIRONMENT, HERE, version

import numpy as np
import tensorflow as tf

ROOT = HERE.parent.parent
out = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "cmd/poolctl/testdata/tutorial"


def sample(name):
    return tf.constant(np.load(ROOT / "samples" / name))


x, f = sample("input_10x9x9x3.npy"), sample("filter_2x2x3x2.npy")
v, g = sample("volume_1x2x5x5x1.npy"), sample("filter3d_2x3x3x1x3.npy")

conv = tf.nn.conv2d(x, f, strides=[1, 1, 1, 1], padding="SAME")
most, argmax = tf.nn.max_pool_with_argmax(conv, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="SAME")
_, with_batch = tf.nn.max_pool_with_argmax(
    conv, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="SAME", include_batch_in_index=True)
conv3d = tf.nn.conv3d(v, g, strides=[1, 2, 2, 1, 1], padding="SAME")

results = {
    "conv2d": (conv, (10, 9, 9, 2)),
    "avg_pool": (tf.nn.avg_pool(conv, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="SAME"), (10, 9, 9, 2)),
    "max_pool": (tf.nn.max_pool(conv, ksize=[1, 2, 2, 1], strides=[1, 1, 1, 1], padding="SAME"), (10, 9, 9, 2)),
    "max_pool_with_argmax": (most, (10, 9, 9, 2)),
    "argmax": (argmax, (10, 9, 9, 2)),
    "argmax_with_batch": (with_batch, (10, 9, 9, 2)),
    "conv3d": (conv3d, (1, 1, 3, 5, 3)),
    "avg_pool3d": (tf.nn.avg_pool3d(conv3d, ksize=[1, 1, 2, 2, 1], strides=[1, 2, 2, 1, 1], padding="SAME"), (1, 1, 2, 5, 3)),
    "max_pool3d": (tf.nn.max_pool3d(conv3d, ksize=[1, 1, 2, 2, 1], strides=[1, 2, 2, 1, 1], padding="SAME"), (1, 1, 2, 5, 3)),
    "pool_avg": (tf.nn.pool(conv, [2, 2], "AVG", strides=[1, 1], padding="SAME"), (10, 9, 9, 2)),
    "pool_max_dilated": (tf.nn.pool(conv, [2, 2], "MAX", strides=[1, 1], padding="VALID", dilations=[3, 2]), (10, 6, 7, 2)),
    "pool_avg_dilated": (tf.nn.pool(conv, [2, 2], "AVG", strides=[1, 1], padding="VALID", dilations=[3, 2]), (10, 6, 7, 2)),
    "pool_max_3d": (tf.nn.pool(conv3d, [1, 2, 2], "MAX", strides=[1, 2, 1], padding="SAME"), (1, 1, 2, 5, 3)),
}

out.mkdir(parents=True, exist_ok=True)
for name, (result, shape) in results.items():
    array = result.numpy()
    if array.shape != shape or array.dtype != (np.int64 if name.startswith("argmax") else np.float32):
        sys.exit(f"{name}: TensorFlow gave {array.dtype} {array.shape}, the tutorial says {shape}")
    np.save(out / f"{name}.npy", array)

environment = ", ".join(f"{k}={v}" for k, v in ENVIRONMENT.items())
(out / "README.md").write_text(f"""# What TensorFlow makes of the tutorial

Computed by TensorFlow {version("tensorflow")} ({environment}) from the arrays in samples/;
`tools/golden/tutorial_samples.py` wrote the files, this page too. `../script/tutorial.txtar` compares poolctl's results with them.
""")
