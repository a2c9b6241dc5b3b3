"""Write samples/: photographs, arrays and filters, and samples/README.md.

    python -m venv venv && . venv/bin/activate
    pip install --no-deps -r tools/samples/requirements.txt
    python tools/samples/make.py

The photographs come out of the scikit-image package, which states for each of
them that it is CC0 (skimage/data/_fetchers.py, in the function of its name).
Everything else follows from them, or from the formulas below, by integer
arithmetic or by numpy.random.RandomState, whose stream NumPy has frozen
(NEP 19), so that a run anywhere writes the same values.
"""

import hashlib
import importlib.util
import shutil
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

OUT = Path(__file__).resolve().parents[2] / "samples"
SEED = 20240917
SKIMAGE = "scikit-image 0.26.0"
CC0, OWN = "CC0-1.0", "Apache-2.0, as poolctl"

# sha256 of each photograph as the wheel carries it: another photograph under
# the same name (it has happened to camera.png) must not slip in unseen.
PHOTOGRAPHS = {
    "camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
    "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
}

rows = []  # (file, what it shows, source, licence), in the README's order


def photograph(name):
    """The path of one of scikit-image's photographs, its content verified."""
    spec = importlib.util.find_spec("skimage")
    if spec is None:
        raise SystemExit(f"make.py: {SKIMAGE} is not installed")
    path = Path(spec.submodule_search_locations[0]) / "data" / name
    got = hashlib.sha256(path.read_bytes()).hexdigest()
    if got != PHOTOGRAPHS[name]:
        raise SystemExit(f"make.py: {name}: sha256 {got}, want {PHOTOGRAPHS[name]}")
    return path


def note(file, shows, source, licence):
    rows.append((file, shows, source, licence))


def copy(name, shows, author):
    shutil.copyfile(photograph(name), OUT / name)
    note(name, shows, f"{SKIMAGE}, `data/{name}`, unchanged; photograph by {author}", CC0)


def picture(name, image, shows, source, **options):
    image.save(OUT / name, **options)
    note(name, shows, source, CC0)


def array(name, values, shows, source):
    np.save(OUT / name, np.ascontiguousarray(values))
    note(name, shows, source, OWN)


def block_sum(a, k):
    """Sums of the k by k blocks of a rank-2 array whose sides k divides."""
    h, w = a.shape
    return a.astype(np.int64).reshape(h // k, k, w // k, k).sum(axis=(1, 3))


def pictures():
    copy("chelsea.png", "a tabby cat; colour, odd width", "Stefan van der Walt")
    copy("camera.png", "a photographer at his tripod; grey", "Lav Varshney")

    # A camera's own JPEG: chroma at half the resolution in both directions.
    coffee = Image.open(photograph("coffee.png")).convert("RGB")
    by = "photograph by Rachel Michetti"
    jpeg = {"quality": 85, "subsampling": "4:2:0"}
    picture("coffee.jpg", coffee, "a cup of coffee; colour JPEG, 4:2:0",
            f"{SKIMAGE}, `data/coffee.png`, written as JPEG of quality 85; {by}", **jpeg)

    # Orientation 6: a viewer turns the stored picture by 90 degrees clockwise,
    # so it is stored turned the other way. Odd sides: the last chroma sample
    # of a row and of a column covers one pixel only.
    small = coffee.reduce(5).crop((0, 0, 119, 79))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture("coffee_orientation6.jpg", small.transpose(Image.Transpose.ROTATE_90),
            "the cup, small, stored on its side (119 high, 79 wide) with EXIF orientation 6; 4:2:0",
            f"`coffee.png` reduced 5 times, cropped, turned; {by}", exif=exif, **jpeg)
    upright = ImageOps.exif_transpose(Image.open(OUT / "coffee_orientation6.jpg"))
    error = np.abs(np.asarray(upright, np.int64) - np.asarray(small, np.int64)).mean()
    if upright.size != small.size or error > 8:
        raise SystemExit(f"make.py: orientation 6 is the wrong way round: mean error {error:.1f}")

    # 65535/(16*255) = 257/16 takes a sum of sixteen 8-bit values to 16 bits.
    camera = np.asarray(Image.open(photograph("camera.png")))
    deep = (block_sum(camera, 4) * 257 + 8) // 16
    picture("camera_16bit.png", Image.fromarray(deep.astype(np.uint16)),
            "the photographer, small; grey, 16 bit, with more than 8 bits of content",
            "`camera.png`: (257 s + 8) div 16, s the sum of each 4x4 block; photograph by Lav Varshney", optimize=True)

    eye = np.asarray(Image.open(photograph("chelsea.png")).convert("RGB"))[53:181, 108:236]
    y, x = np.mgrid[-127:128:2, -127:128:2]
    alpha = np.clip((127 * 127 - x * x - y * y) * 255 // 4096, 0, 255)
    rgba = np.dstack([eye, alpha]).astype(np.uint8)
    picture("chelsea_rgba.png", Image.fromarray(rgba),
            "the cat's eye behind a soft round mask; colour with alpha, colours kept where alpha is 0",
            "`chelsea.png`, rows 53 to 180, columns 108 to 235; alpha = clip(255 (127² - x² - y²) div 4096, 0, 255) "
            "with x, y = -127, -125, … 127; photograph by Stefan van der Walt", optimize=True)


def arrays():
    rng = np.random.RandomState(SEED)
    drawn = f"uniform in [-1, 1), seed {SEED}"

    def uniform(*shape):
        # On both sides of zero: a padded cell that is taken for 0 then wins or loses visibly.
        return rng.uniform(-1, 1, shape).astype(np.float32)

    array("input_10x9x9x3.npy", uniform(10, 9, 9, 3), "the input of the tutorial's conv2d; NHWC", drawn)
    array("filter_2x2x3x2.npy", uniform(2, 2, 3, 2), "its filter, HWIO; as HWOI, a filter for conv2d-transpose from 2 to 3 channels", drawn)
    array("bias_2.npy", uniform(2), "its bias", drawn)
    array("volume_1x2x5x5x1.npy", uniform(1, 2, 5, 5, 1), "the input of the tutorial's conv3d; NDHWC", drawn)
    array("filter3d_2x3x3x1x3.npy", uniform(2, 3, 3, 1, 3), "its filter, DHWIO", drawn)
    array("filter3d_transpose_2x2x2x3x1.npy", uniform(2, 2, 2, 3, 1), "a filter for conv3d-transpose from 1 to 3 channels, DHWOI", drawn)
    array("filter1d_5x2x2.npy", uniform(5, 2, 2), "a filter for conv1d, WIO, and conv1d-transpose, WOI", drawn)

    # 1/1024 is coarser than any two libraries' sines differ by.
    t = np.arange(64)
    waves = np.stack([np.sin(2 * np.pi * 3 * t / 64) + rng.uniform(-0.2, 0.2, 64),
                      np.exp(-t / 16) * np.cos(2 * np.pi * t / 8)], axis=1)
    array("sequence_1x64x2.npy", (np.round(waves * 1024) / 1024)[None].astype(np.float32),
          "a noisy sine and a fading wave; NWC", f"formulas, seed {SEED}")
    steps = np.round(waves * 1024).astype(np.int64)
    total, squares = steps.sum(0), (steps * steps).sum(0)
    array("mean_2.npy", (total / (64 * 1024)).astype(np.float32),
          "the mean of each channel of sequence_1x64x2; for batch-norm", "sums of whole numbers, divided")
    array("variance_2.npy", ((64 * squares - total * total) / (64 * 1024) ** 2).astype(np.float32),
          "the variance of each channel of sequence_1x64x2; for batch-norm", "sums of whole numbers, divided")

    z, y, x = np.mgrid[-15:16:2, -31:32:2, -31:32:2]  # half voxels from the centre
    inside = (2 * z) ** 2 + y * y + x * x <= 24 * 24  # slices are twice as far apart as pixels
    texture = 160 + 60 * (((x + 31) // 8 + (y + 31) // 8 + (z + 15) // 4) % 2)
    noise = rng.randint(-16, 17, inside.shape)
    array("volume_1x16x32x32x1.npy", (np.where(inside, texture, 24) + noise).astype(np.uint8)[None, ..., None],
          "a chequered ball of radius 12 in a scan whose slices are two pixels apart; NDHWC", f"formula, seed {SEED}")

    array("ramp_6x6.npy", np.arange(36, dtype=np.float32).reshape(6, 6), "0 … 35 in rows; rank 2, one grey image", "formula")
    array("pooled_3x3.npy", np.arange(36, dtype=np.float32).reshape(6, 6)[1::2, 1::2], "ramp_6x6 pooled by 2x2 maximum; one grey image", "formula")
    array("argmax_3x3.npy", np.arange(36, dtype=np.int64).reshape(6, 6)[1::2, 1::2], "where those maxima were, as indices into ramp_6x6; for unpool", "formula")
    array("counts_1x7x7x1.npy", ((np.arange(49) * 1009) % 65536 - 32768).astype(np.int16).reshape(1, 7, 7, 1),
          "16-bit integers of both signs; NHWC", "formula")
    array("half_1x8x8x2.npy", rng.uniform(-4, 4, (1, 8, 8, 2)).astype(np.float16), "half precision; NHWC", f"uniform in [-4, 4), seed {SEED}")


def filters():
    sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)
    array("depthwise_3x3x3x1.npy", np.repeat(sharpen[:, :, None, None], 3, axis=2),
          "sharpens each of 3 channels; HWIM, for depthwise-conv2d", "formula")

    tent = np.array([1, 3, 3, 1], np.float32) / 4  # linear interpolation halfway between cells
    array("upsample_4x4x3x3.npy", np.outer(tent, tent)[:, :, None, None] * np.eye(3, dtype=np.float32),
          "bilinear interpolation to twice the size, each of 3 channels on its own; HWOI, for conv2d-transpose with strides 2", "formula")

    cone = -8 * np.add.outer([1, 0, 1], [1, 0, 1]).astype(np.float32)
    array("element_3x3x3.npy", np.repeat(cone[:, :, None], 3, axis=2),
          "a cone of slope 8 for each of 3 channels; HWC, the structuring element of dilation2d and erosion2d", "formula")

    rng = np.random.RandomState(SEED + 1)
    pair = {"input": rng.uniform(-1, 1, (2, 6, 7, 4)),
            "filter": rng.uniform(-1, 1, (3, 3, 2, 6))}
    np.savez(OUT / "pair.npz", **pair)
    note("pair.npz", "two arrays of double precision: `#input`, NHWC, and `#filter`, HWIO for 2 groups", f"uniform in [-1, 1), seed {SEED + 1}", OWN)


def describe(path):
    """Shape and dtype of what poolctl reads, orientation applied."""
    if path.suffix in (".npy", ".npz"):
        loaded = np.load(path)
        members = [loaded] if path.suffix == ".npy" else [loaded[k] for k in loaded.files]
    else:
        a = np.asarray(ImageOps.exif_transpose(Image.open(path)))
        members = [a.reshape(1, *a.shape[:2], -1)]
    shapes = ", ".join(str(m.shape).replace(" ", "").replace(",)", ")") for m in members)
    return shapes, ", ".join(str(m.dtype) for m in members)


README = """# Samples

Small real inputs that the documentation, the examples in `--help` and the tests run on.
Written by `tools/samples/make.py`, this page too; change that, not this.

A picture's shape is that of its tensor, NHWC with N = 1, its EXIF orientation applied. Sources named `*.png` are
photographs of {skimage} (`skimage/data`), whose authors dedicated them to the public domain (CC0), as
`skimage/data/_fetchers.py` states for each; what was derived from them is dedicated likewise.

| file | shape | dtype | what it shows | source | licence |
|---|---|---|---|---|---|
{table}
`samples.go` embeds the few that `poolctl demo` needs.
"""


def readme():
    table = ""
    for file, shows, source, licence in rows:
        shape, dtype = describe(OUT / file)
        table += f"| [{file}]({file}) | {shape} | {dtype} | {shows} | {source} | {licence} |\n"
    (OUT / "README.md").write_text(README.format(skimage=SKIMAGE, table=table), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    pictures()
    arrays()
    filters()
    readme()
