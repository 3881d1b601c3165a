"""One pass over all pictures of a problem: what can be told of each without a model, and without TensorFlow.

Files are read once, in threads, by Pillow, which decodes a JPEG at a fraction of its size where a thumbnail is all that
is wanted. Memory: 3 kB an example (a colour thumbnail) up to 100,000 examples, 0.8 kB above, and a few files at a time.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_recipe.problem import Problem, Rows, Split

if TYPE_CHECKING:
    import pandas as pd
    from PIL import Image

SPLITS = ("train", "validation", "test")

SIDE, SMALL_SIDE, MANY = 32, 16, 100_000
"""Side of a thumbnail in pixels, and its side from so many examples on. Perceptual hashes and cheap models, which it is
for, gain nothing above 32 (imagehash and Zauner, 2010, hash at 32)."""

BATCH, BLOCK = 1024, 32
"""Files that wait for a thread, and files that a thread reads before it says so."""

FORMATS = frozenset({"JPEG", "PNG", "GIF", "BMP", "WEBP"})
"""What TensorFlow decodes, whatever the file is called."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Survey:
    """What the pass has noted, an entry an example: those of the train split first, then validation, then test.

    Attributes:
        split: index into `SPLITS`, (examples,).
        row: row within the split, (examples,).
        thumbnails: uint8 (examples, side, side, 1 or 3), black where a picture cannot be decoded.
        digests: equal for files, or arrays, of equal bytes, (examples,).
        properties: columns brightness, contrast, darkest, lightest (mean, deviation, 5th and 95th percentile of the
            pixels, 0..255), of colour pictures red, green, blue (means); of files also width, height (pixels), aspect
            (width / height), bytes, format, mode (Pillow's words), orientation (EXIF, 1 is upright), frames.
        faults: entry to why its file cannot be decoded.
    """

    split: np.ndarray
    row: np.ndarray
    thumbnails: np.ndarray
    digests: np.ndarray
    properties: pd.DataFrame
    faults: dict[int, str]

    def __len__(self) -> int:
        return len(self.split)

    @property
    def of_files(self) -> bool:
        """Whether there are files with properties of their own."""
        return "width" in self.properties

    @property
    def good(self) -> np.ndarray:
        """Entries that could be decoded, (examples,) of bool."""
        good = np.ones(len(self), bool)
        good[list(self.faults)] = False
        return good


@dataclass(frozen=True)
class _Seen:
    """What is noted of one file."""

    digest: bytes
    fault: str = ""
    width: int = 0
    height: int = 0
    format: str = ""
    mode: str = ""
    orientation: int = 1
    frames: int = 1
    size: int = 0


def survey(problem: Problem, progress: Progress) -> Survey:
    """Look at every picture of the three splits once."""
    import pandas as pd

    splits = [getattr(problem, name) for name in SPLITS]
    sizes = [len(s) for s in splits]
    channels = 1 if problem.signature.shape[-1] == 1 else 3
    side = SIDE if sum(sizes) <= MANY else SMALL_SIDE
    thumbnails = np.zeros((sum(sizes), side, side, channels), "uint8")
    digests = np.zeros(sum(sizes), "S16")
    seen: list[_Seen] = []
    span = _span(problem)
    start = 0
    for split in splits:
        target = thumbnails[start : start + len(split)]
        passing = _files(split, target) if split.folder is not None else _arrays(split.x, target, span)
        for entries in passing:
            seen += entries
            progress("reading pictures", len(seen), sum(sizes))
        start += len(split)
    digests[:] = [s.digest for s in seen]
    properties = pd.DataFrame(_colours(thumbnails))
    if any(s.folder is not None for s in splits):
        properties = pd.concat([pd.DataFrame(_of_files(seen)), properties], axis=1)
    return Survey(
        np.repeat(np.arange(3, dtype="int8"), sizes),
        np.concatenate([np.arange(size) for size in sizes]),
        thumbnails,
        digests,
        properties,
        {i: s.fault for i, s in enumerate(seen) if s.fault},
    )


def look(split: Split, rows: np.ndarray, side: int) -> np.ndarray:
    """These pictures for a person to see: uint8 (rows, side, side, 3) from files, as they are from arrays.

    Files keep their proportions, on a white ground, and are not turned by their EXIF orientation: the network does
    not see it either. One that cannot be decoded is a black square.
    """
    if split.folder is None:
        return np.asarray(split.x[rows])
    return np.stack([_picture(split.folder / split.ids[r], side) for r in rows])


def _picture(path: Path, side: int) -> np.ndarray:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            image.draft("RGB", (side, side))
            return np.asarray(ImageOps.pad(_rgb(image), (side, side), color="white"))
    except Exception:  # Pillow's plugins raise whatever their format does
        return np.zeros((side, side, 3), "uint8")


def _files(split: Split, thumbnails: np.ndarray) -> Iterator[list[_Seen]]:
    if split.folder is None:
        raise ValueError("a split without files")
    folder, ids = os.fspath(split.folder), split.ids

    def block(start: int) -> list[_Seen]:
        rows = range(start, min(start + BLOCK, len(ids)))
        return [_file(os.path.join(folder, ids[r]), thumbnails[r]) for r in rows]

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        for start in range(0, len(split), BATCH):
            yield from threads.map(block, range(start, min(start + BATCH, len(split)), BLOCK))


def _file(path: str, thumbnail: np.ndarray) -> _Seen:
    """Note one file, and draw its thumbnail."""
    from PIL import Image

    try:
        with open(path, "rb", buffering=0) as file:
            content = file.read()
    except OSError as error:
        return _Seen(b"", f"it cannot be read ({error.strerror})")
    digest = _digest(content)
    if not content:
        return _Seen(digest, "it is empty", size=0)
    try:
        with Image.open(io.BytesIO(content)) as image:
            width, height, mode = image.width, image.height, image.mode
            frames = getattr(image, "n_frames", 1)
            kind = str(image.format)
            fault = _refused(kind, frames, content)
            # A JPEG says at once whether it has EXIF data; asking for them costs as much as its thumbnail.
            orientation = image.getexif().get(0x0112, 1) if kind != "JPEG" or "exif" in image.info else 1
            side = len(thumbnail)
            image.draft("RGB" if thumbnail.shape[-1] == 3 else "L", (side, side))
            thumbnail[:] = _resized(_rgb(image), thumbnail.shape)
    except Exception as error:  # Pillow's plugins raise whatever their format does
        thumbnail[:] = 0
        return _Seen(digest, str(error).partition("<")[0].strip() or type(error).__name__, size=len(content))
    return _Seen(digest, fault, width, height, kind, mode, int(orientation or 1), frames, len(content))


def _digest(content: bytes) -> bytes:
    """Equal for equal files, as far as 64 bits of SipHash and the length can tell; of this process only.

    Python hashes bytes itself at a gigabyte a second. hashlib would let go of the interpreter for each file, and the
    threads that read small pictures would wait for each other: a tenth of the time.
    """
    return hash(content).to_bytes(8, "little", signed=True) + len(content).to_bytes(8, "little")


def _refused(kind: str, frames: int, content: bytes) -> str:
    """Why TensorFlow refuses a file that Pillow takes; "" where it does not."""
    if kind not in FORMATS:
        return f"it is a {kind} file, whatever its name says"
    if kind == "WEBP" and frames > 1:
        return "it is an animated WebP"
    if kind == "PNG" and b"IEND" not in content[-64:]:
        return "it is truncated"
    return ""


def _rgb(image: Image.Image) -> Image.Image:
    """The picture in colour. Sixteen bits become eight by their upper byte, where Pillow would clip."""
    from PIL import Image

    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) // 256).clip(0, 255).astype("uint8")).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _resized(image: Image.Image, shape: tuple[int, ...]) -> np.ndarray:
    from PIL import Image

    small = image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(small if shape[2] == 3 else small.convert("L")).reshape(shape)


def _span(problem: Problem) -> tuple[float, float]:
    """Values of an array that are shown as black and white: 0 and 255, or the extremes of some examples."""
    if problem.train.x.dtype == np.uint8 or problem.train.folder is not None:
        return 0.0, 255.0
    some = problem.train.x[:1000]
    some = some[np.isfinite(some)]
    return (float(some.min()), float(some.max())) if some.size else (0.0, 1.0)


def _arrays(x: Rows, thumbnails: np.ndarray, span: tuple[float, float]) -> Iterator[list[_Seen]]:
    from PIL import Image

    for start in range(0, len(x), BATCH):
        part = np.ascontiguousarray(x[start : start + BATCH])
        shown = part if part.dtype == np.uint8 else _scaled(part, span)
        entries = []
        for row, (values, picture) in enumerate(zip(part, shown, strict=True)):
            image = Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
            thumbnails[start + row] = _resized(image, thumbnails.shape[1:])
            entries.append(_Seen(hashlib.blake2b(values.data, digest_size=16).digest()))
        yield entries


def _scaled(values: np.ndarray, span: tuple[float, float]) -> np.ndarray:
    low, high = span
    scaled = (np.nan_to_num(values, nan=low, posinf=high, neginf=low) - low) * (255 / max(high - low, 1e-9))
    return scaled.clip(0, 255).astype("uint8")


def _colours(thumbnails: np.ndarray) -> dict[str, np.ndarray]:
    colours = () if thumbnails.shape[-1] == 1 else ("red", "green", "blue")
    names = ("brightness", "contrast", "darkest", "lightest", *colours)
    values = {name: np.empty(len(thumbnails), "float32") for name in names}
    for start in range(0, len(thumbnails), 1024):
        part = thumbnails[start : start + 1024]
        rows = slice(start, start + len(part))
        grey = _grey(part).reshape(len(part), -1)
        values["brightness"][rows], values["contrast"][rows] = grey.mean(axis=1), grey.std(axis=1, dtype="float32")
        low = grey.shape[1] // 20
        ordered = np.partition(grey, (low, -1 - low), axis=1)
        values["darkest"][rows], values["lightest"][rows] = ordered[:, low], ordered[:, -1 - low]
        for channel, name in enumerate(names[4:]):
            values[name][rows] = part[..., channel].mean(axis=(1, 2))
    return values


def _grey(thumbnails: np.ndarray) -> np.ndarray:
    """Brightness of each pixel, uint8 (examples, side, side): ITU-R BT.601, its weights in 256ths."""
    if thumbnails.shape[-1] == 1:
        return thumbnails[..., 0]
    red, green, blue = (thumbnails[..., c].astype("uint16") for c in range(3))
    return ((77 * red + 150 * green + 29 * blue) >> 8).astype("uint8")


def _of_files(seen: list[_Seen]) -> dict[str, Any]:
    width, height = np.array([s.width for s in seen]), np.array([s.height for s in seen])
    return {
        "width": width,
        "height": height,
        "aspect": width / np.maximum(height, 1),
        "bytes": np.array([s.size for s in seen]),
        "format": [s.format for s in seen],
        "mode": [s.mode for s in seen],
        "orientation": np.array([s.orientation for s in seen]),
        "frames": np.array([s.frames for s in seen]),
    }
