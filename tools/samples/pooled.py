"""Pool the sample PNGs by plain NumPy: the pictures that poolctl must write to the bit.

    python tools/samples/pooled.py    (after make.py, with the same requirements)

Writes cmd/poolctl/testdata/pictures/expected.npz, one NHWC array for each case in
the picture's own dtype, and expected.json, which gives for each key the file, the
poolctl flags and the source of the figures. Nothing here knows of poolctl or
of another framework: a case is the reduction of windows cut out of an array,
and an average is rounded half to even, as a picture's writer does.
"""

import json
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "cmd/poolctl/testdata/pictures"
FILES = ["camera.png", "camera_16bit.png", "chelsea.png", "chelsea_rgba.png"]

# key, type, window, strides, padding
CASES = [
    ("max2x2", "max", 2, 2, "VALID"),
    ("min2x2", "min", 2, 2, "VALID"),
    ("avg2x2", "avg", 2, 2, "VALID"),
    ("max3x3s2", "max", 3, 2, "VALID"),
    ("avg4x4same", "avg", 4, 4, "SAME"),
]


def starts(size, window, stride, padding):
    """First cells of the windows along one axis; TensorFlow's rule for SAME."""
    if padding == "VALID":
        return range(0, size - window + 1, stride)
    out = -(-size // stride)
    total = max(0, (out - 1) * stride + window - size)
    return range(-(total // 2), -(total // 2) + out * stride, stride)


def reduce(cells, kind):
    """One window, of shape (h, w, channels), to one value a channel."""
    if kind == "max":
        return cells.max(axis=(0, 1))
    if kind == "min":
        return cells.min(axis=(0, 1))
    total = cells.sum(axis=(0, 1), dtype=np.int64)
    count = cells.shape[0] * cells.shape[1]
    low, rest = np.divmod(total, count)
    up = (2 * rest > count) | ((2 * rest == count) & (low % 2 == 1))
    return low + up


def pool(image, kind, window, stride, padding):
    """Reduces every window of an (H, W, C) array; cells outside take no part."""
    rows, columns = (starts(n, window, stride, padding) for n in image.shape[:2])
    out = [[reduce(image[max(y, 0):y + window, max(x, 0):x + window], kind) for x in columns] for y in rows]
    return np.array(out).astype(image.dtype)


def main():
    arrays, cases = {}, []
    for file in FILES:
        image = np.asarray(Image.open(ROOT / "samples" / file))
        image = image.reshape(*image.shape[:2], -1)
        for name, kind, window, stride, padding in CASES:
            key = f"{Path(file).stem}__{name}"
            arrays[key] = pool(image, kind, window, stride, padding)[None]
            flags = ["--type", kind, "--window", f"{window},{window}", "--strides", f"{stride},{stride}", "--padding", padding]
            cases.append({"key": key, "file": f"samples/{file}", "command": "pool", "flags": flags,
                          "shape": list(arrays[key].shape), "dtype": str(arrays[key].dtype)})
    OUT.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(OUT / "expected.npz", **arrays)
    head = {"generator": "tools/samples/pooled.py",
            "versions": {"numpy": np.__version__, "pillow": PIL.__version__}}
    lines = ",\n".join("  " + json.dumps(case) for case in cases)
    text = json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n' + lines + "\n ]\n}\n"
    (OUT / "expected.json").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
