#!/usr/bin/env python3
"""Times whole runs from file to file beside other programs: tools/docs/files.py POOLCTL [--runs N] [--match WORD]

POOLCTL is a static, stripped binary: CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" ./cmd/poolctl
Linux, Python with NumPy and Pillow.  It times those of vips (libvips-tools), convert or magick
(ImageMagick) and cv2 (opencv-python-headless) that are installed.  Programs take turns, so that other load on the
machine affects all of them; the fastest time of each counts.  Prints the tables of docs/performance.md.

The photograph of 4000x3000 is tiled from two of samples/.  Tiles are enlarged by different factors, some mirrored, and
get noise of a camera's strength, so that no compressor finds one in another.
"""

import argparse
import importlib.util
import multiprocessing
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
PICTURES = ["photo.jpg", "photo.png", "grey.png", "rgba.png", "grey16.png", "rgb16.png"]
ARRAYS = ["rgb.npy", "float32.npy"]

# Each prints the seconds that it took itself, without the start of Python and its imports.
OPENCV = """
import sys, time, cv2
start = time.perf_counter()
picture = cv2.imread(sys.argv[1], cv2.IMREAD_UNCHANGED)
cv2.imwrite(sys.argv[2], cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))
print(time.perf_counter() - start)
"""
NUMPY = """
import sys, time, numpy
start = time.perf_counter()
x = numpy.load(sys.argv[1])
numpy.save(sys.argv[2], numpy.maximum(numpy.maximum(x[:, ::2, ::2], x[:, ::2, 1::2]), numpy.maximum(x[:, 1::2, ::2], x[:, 1::2, 1::2])))
print(time.perf_counter() - start)
"""


def photograph(numpy, Image):
    """The pixels, as uint8 of (3000, 4000, 3)."""
    rng = numpy.random.default_rng(1)
    photographs = [Image.open(SAMPLES / name).convert("RGB") for name in ("coffee.jpg", "chelsea.png")]
    canvas = Image.new("RGB", (4000, 3000))
    for row, y in enumerate(range(0, 3000, 500)):
        for column, x in enumerate(range(0, 4000, 700)):
            tile = photographs[(row + column) % 2]
            scale = rng.uniform(1.7, 2.4)
            tile = tile.resize((int(tile.width * scale), int(tile.height * scale)), Image.LANCZOS)
            canvas.paste(tile.transpose(Image.FLIP_LEFT_RIGHT) if rng.random() < 0.5 else tile, (x, y))
    pixels = numpy.asarray(canvas) + rng.normal(0, 1.5, (3000, 4000, 3))
    return numpy.clip(numpy.rint(pixels), 0, 255).astype(numpy.uint8)


def png16(pixels):
    """A PNG of 16-bit RGB, which Pillow does not write; every row is stored as its difference from the one above."""
    height, width, _ = pixels.shape
    rows = pixels.astype(">u2").view("u1").reshape(height, -1)
    rows[1:] -= rows[:-1].copy()
    data = b"".join(b"\2" + row.tobytes() for row in rows)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)) for kind, content in chunks)


def write_inputs():
    """In a process of its own: a child's peak memory counts what its parent has when it starts."""
    import numpy
    from PIL import Image

    rgb = photograph(numpy, Image)
    picture = Image.fromarray(rgb)
    picture.save("photo.jpg", quality=90)
    picture.save("photo.png")
    picture.convert("L").save("grey.png")
    alpha = numpy.clip(rgb[..., 0].astype(int) // 2 + 100, 0, 255).astype(numpy.uint8)
    Image.fromarray(numpy.dstack([rgb, alpha])).save("rgba.png")
    noise = numpy.random.default_rng(2).integers(0, 64, rgb.shape)  # below the 8 bits of the tiles
    deep = numpy.clip(rgb.astype(int) * 257 + noise, 0, 65535).astype(numpy.uint16)
    Image.fromarray(deep[..., 1]).save("grey16.png")
    Path("rgb16.png").write_bytes(png16(deep))
    numpy.save("rgb.npy", rgb[None])
    numpy.save("float32.npy", rgb[None].astype(numpy.float32))


def timed(command, inside):
    """Seconds of wall clock (those that the command prints, if inside) and MiB at the peak."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    printed = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = status
    if status:
        sys.exit(f"{command}: status {status}")
    return float(printed) if inside else time.perf_counter() - start, used.ru_maxrss / 1024


def programs(source):
    """The programs that halve a file: name, whether it times itself, command, output."""
    ours, theirs = [], []
    extension = ".npy" if source.endswith(".npy") else ".png"
    for kind in "max", "avg":
        out = f"poolctl-{kind}{extension}"
        ours.append((f"poolctl {kind}", False, [POOLCTL, "pool", source, "--type", kind, "--window", "2", "-o", out], out))
    python = [sys.executable, "-c"]
    if extension == ".npy":
        theirs.append(("NumPy", True, [*python, NUMPY, source, "numpy.npy"], "numpy.npy"))
        return ours + theirs
    if shutil.which("vips"):
        theirs.append(("vips shrink", False, ["vips", "shrink", source, "vips.png", "2", "2"], "vips.png"))
    if importlib.util.find_spec("cv2"):
        theirs.append(("OpenCV", True, [*python, OPENCV, source, "opencv.png"], "opencv.png"))
    magick = shutil.which("magick") or shutil.which("convert")
    if magick:
        theirs.append(("ImageMagick", False, [magick, source, "-scale", "50%", "magick.png"], "magick.png"))
    return ours + theirs


def measure(source, runs):
    """The rows of a table: program, seconds, MiB, bytes of the output."""
    found = programs(source)
    results = {name: [] for name, *_ in found}
    for run in range(runs):
        for name, inside, command, _ in found:
            if name != "ImageMagick" or run == 0:  # so slow that once is enough
                results[name].append(timed(command, inside))
    return [(name, min(s for s, _ in results[name]), max(m for _, m in results[name]), os.path.getsize(out)) for name, _, _, out in found]


def table(sources, runs):
    """Prints a table; beside each time of another program is the fraction of it that poolctl max takes."""
    for source in sources:
        ours, average, *theirs = measure(source, runs)
        if source == sources[0]:
            names = [name for name, *_ in theirs]
            print(f"\n| input | max | avg | memory | output | {' | '.join(names)} |\n|---|---|---|---|---|{'---|' * len(names)}")
        cells = [f"{source}, {os.path.getsize(source) / 1e6:.1f} MB", f"{ours[1]:.2f} s", f"{average[1]:.2f} s",
                 f"{max(ours[2], average[2]):.0f} MiB", f"{ours[3] / 1e6:.1f} MB"]
        cells += [f"{seconds:.2f} s (**{ours[1] / seconds:.2f}**), {memory:.0f} MiB, {size / 1e6:.1f} MB" for _, seconds, memory, size in theirs]
        print(f"| {' | '.join(cells)} |", flush=True)


def cpu():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "an unknown CPU")


parser = argparse.ArgumentParser(description="time poolctl against other programs, from file to file")
parser.add_argument("poolctl")
parser.add_argument("--runs", type=int, default=5)
parser.add_argument("--match", default="", help="only inputs whose name has this word")
arguments = parser.parse_args()
POOLCTL = str(Path(arguments.poolctl).resolve())

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    maker = multiprocessing.Process(target=write_inputs)
    maker.start()
    maker.join()
    print(f"{os.cpu_count()} cores of {cpu()}, fastest of {arguments.runs}")
    for group in PICTURES, ARRAYS:
        table([source for source in group if arguments.match in source], arguments.runs)
