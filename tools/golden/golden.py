"""Writer of golden families, seeded data and the arithmetic of windows.

A family is NAME.json (one line a case) and NAME.npz (its arrays, each content
stored once).  The bytes depend on the cases only: no dates, no random names.
Importing this module pins the environment, so it refuses to come after TensorFlow.
"""

import hashlib
import io
import json
import os
import sys
import zipfile
import zlib
from importlib import metadata
from pathlib import Path

ENVIRONMENT = {"TF_ENABLE_ONEDNN_OPTS": "0"}
if "tensorflow" in sys.modules:
    raise ImportError("golden must be imported before tensorflow, whose environment it pins")
os.environ.update(ENVIRONMENT)
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import numpy as np  # noqa: E402

HERE = Path(__file__).resolve().parent
DEFAULT_OUT = HERE.parent.parent / "internal/ops/testdata/golden"

SHORT = {
    "uint8": "u8", "uint16": "u16", "uint32": "u32", "uint64": "u64",
    "int8": "i8", "int16": "i16", "int32": "i32", "int64": "i64",
    "float16": "f16", "float32": "f32", "float64": "f64",
}
CHANNELS_FIRST = {1: "NCW", 2: "NCHW", 3: "NCDHW"}
PACKAGES = {"tensorflow": "tensorflow-cpu", "torch": "torch", "onnx": "onnx", "onnxruntime": "onnxruntime"}


def version(library):
    """The installed version of a library, without its build suffix."""
    return metadata.version(PACKAGES.get(library, library)).split("+")[0]


class Family:
    """Collects cases; libraries lists those that the generator computes or checks with; folder is inside the output folder.

    generator is the program's name where it is not the family's; with zeros, arrays may hold -0.
    """

    def __init__(self, name, libraries, folder="", generator=None, zeros=False):
        self.name, self.folder, self.generator, self.zeros = name, folder, generator or name, zeros
        self.libraries = ["numpy", *libraries]
        self.cases, self.names = [], set()
        self.arrays, self.keys = {}, {}

    def key(self, array):
        """The key of an array with this content, stored on first sight."""
        array = np.ascontiguousarray(array) if array.ndim else np.asarray(array)
        identity = hashlib.sha256(f"{array.dtype}{array.shape}".encode() + array.tobytes()).digest()
        if identity not in self.keys:
            self.keys[identity] = f"a{len(self.arrays):03d}"
            self.arrays[self.keys[identity]] = array
        return self.keys[identity]

    def add(self, name, oracle, op, params, inputs, outputs, tolerance):
        """Adds a case; inputs and outputs are arrays by role, None is left out."""
        if name in self.names:
            raise ValueError(f"{self.name}: two cases are named {name}")
        if any(not isinstance(v, str) for v in params.values()):
            raise ValueError(f"{self.name}: {name}: parameters must be strings: {params}")
        self.names.add(name)
        inputs = {k: v for k, v in inputs.items() if v is not None}
        outputs = {k: v for k, v in outputs.items() if v is not None}
        if tolerance:
            outputs = {k: v + v.dtype.type(0) for k, v in outputs.items()}  # -0 becomes 0
        for role, array in [*inputs.items(), *outputs.items()]:
            if not self.zeros and array.dtype.kind == "f" and np.any((array == 0) & np.signbit(array)):
                raise ValueError(f"{self.name}: {name}: {role} holds -0, whose place in an order is not defined")
        self.cases.append({
            "name": name, "oracle": oracle, "op": op, "params": params,
            "in": {k: self.key(v) for k, v in inputs.items()},
            "out": {k: self.key(v) for k, v in outputs.items()},
            "tolerance": tolerance,
        })

    def save(self):
        """Writes both files into the folder given on the command line, or the default one."""
        folder = (Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_OUT) / self.folder
        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "generator": f"tools/golden/{self.generator}.py",
            "versions": {lib: version(lib) for lib in sorted(self.libraries)},
            "environment": ENVIRONMENT,
        }
        lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in self.cases)
        text = json.dumps(head, ensure_ascii=False)[:-1] + ', "cases": [\n' + lines + "\n]}\n"
        (folder / f"{self.name}.json").write_text(text, encoding="utf-8")
        with zipfile.ZipFile(folder / f"{self.name}.npz", "w") as archive:
            for key, array in self.arrays.items():
                buffer = io.BytesIO()
                np.lib.format.write_array(buffer, array, allow_pickle=False)
                entry = zipfile.ZipInfo(f"{key}.npy", date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, buffer.getvalue(), compresslevel=9)
        size = (folder / f"{self.name}.npz").stat().st_size
        print(f"{self.name}: {len(self.cases)} cases, {len(self.arrays)} arrays, {size} bytes")


def data(shape, dtype="float32", kind="mixed"):
    """Seeded data: the same shape, type and kind give the same numbers in every family.

    mixed     both signs; integers over the whole range of their type
    small     integers from -1000 to 1000 (0 to 1000 unsigned, the type's own range if smaller)
    ties      integers from -2 to 2 (0 to 4 unsigned), so that windows hold equal cells
    negative  below zero everywhere
    ramp      0, 1, 2, ...
    whole     whole numbers from -9 to 9 without 0: sums of them are exact in any order
    upstream  as mixed, but other numbers: a gradient of a tensor that may have the input's shape
    """
    dtype = np.dtype(dtype)
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(f"{tuple(shape)} {dtype} {kind}".encode())))
    if kind == "ramp":
        return np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    if kind == "ties":
        return rng.integers(*((0, 5) if dtype.kind == "u" else (-2, 3)), shape).astype(dtype)
    if kind == "whole":
        return (rng.integers(1, 10, shape) * rng.choice([-1, 1], shape)).astype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        if kind == "negative":
            return rng.integers(info.min, 0, shape, dtype)
        if kind == "small":
            return rng.integers(max(-1000, info.min), min(1000, info.max) + 1, shape).astype(dtype)
        return rng.integers(info.min, info.max, shape, dtype, endpoint=True)
    values = rng.standard_normal(shape)
    if kind == "negative":
        values = -np.abs(values) - 0.5
    return (values * 2).astype(dtype)


def sprinkled(shape, share, values, dtype="float32"):
    """Seeded data with a share of its cells replaced by the values in turn."""
    x = data(shape, dtype).copy()
    rng = np.random.Generator(np.random.PCG64(x.size))
    places = np.flatnonzero(rng.random(x.size) < share)
    x.reshape(-1)[places] = [values[n % len(values)] for n in range(len(places))]
    return x


def csv(numbers):
    """Numbers as the command line writes a list."""
    return ",".join(str(n) for n in numbers)


def pads(padding):
    """Padding as the command line writes it."""
    return padding if isinstance(padding, str) else ",".join(f"{lo}:{hi}" for lo, hi in padding)


def channels_first(array):
    """N..C to NC.."""
    return np.ascontiguousarray(np.moveaxis(array, -1, 1))


def channels_last(array):
    """NC.. to N..C"""
    return np.ascontiguousarray(np.moveaxis(array, 1, -1))


def axis(n, k, s, d, padding, ceil=False):
    """One axis: output size, padding before and after.  padding is a word or a pair."""
    eff = (k - 1) * d + 1
    if padding in ("SAME", "SAME_LOWER"):
        out = -(-n // s)
        total = max(0, (out - 1) * s + eff - n)
        small, large = total // 2, total - total // 2
        return (out, small, large) if padding == "SAME" else (out, large, small)
    lo, hi = (0, 0) if padding == "VALID" else padding
    if not ceil:
        return (n + lo + hi - eff) // s + 1, lo, hi
    out = -(-(n + lo + hi - eff) // s) + 1
    if (out - 1) * s >= n + lo:
        out -= 1
    return out, lo, hi


def axes(spatial, window, strides, dilations, padding, ceil=False):
    """All axes: three lists, sizes, paddings before, paddings after."""
    each = [padding] * len(spatial) if isinstance(padding, str) else padding
    rows = [axis(n, k, s, d, p, ceil) for n, k, s, d, p in zip(spatial, window, strides, dilations, each)]
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


def float_of(dtype):
    """The type that averages, sums, lp and convolutions of a type are written as."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return dtype
    return np.dtype("float32" if dtype.itemsize <= 2 else "float64")


def wide(dtype):
    """The type they are computed in: that, but float32 for float16."""
    dtype = float_of(dtype)
    return np.dtype("float32") if dtype == np.float16 else dtype


def agree(name, got, want, tolerance):
    """Raises unless two answers agree: to the bit at 0, else relative to the largest magnitude."""
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape or got.dtype != want.dtype:
        raise AssertionError(f"{name}: {got.dtype}{got.shape} against {want.dtype}{want.shape}")
    if got.size == 0:
        return
    if not tolerance:
        if not np.array_equal(got, want, equal_nan=got.dtype.kind == "f"):
            raise AssertionError(f"{name}: {got.ravel()[:12]} against {want.ravel()[:12]}")
        return
    finite = np.isfinite(want)
    if not np.array_equal(got[~finite], want[~finite], equal_nan=True):
        raise AssertionError(f"{name}: they differ where one is not finite")
    got, want = got[finite].astype("float64"), want[finite].astype("float64")
    if want.size and np.abs(got - want).max() > tolerance * max(np.abs(want).max(), 1e-300):
        raise AssertionError(f"{name}: they differ by {np.abs(got - want).max() / np.abs(want).max():.3g}")
