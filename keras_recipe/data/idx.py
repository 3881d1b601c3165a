"""idx files, the format of MNIST and its successors (http://yann.lecun.com/exdb/mnist), gzipped or not."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.data.arrays import part_of_arrays
from keras_recipe.data.parts import Source

TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Third byte of the magic number to the type of the elements, stored big-endian."""

PREFIXES = {"train": ("train",), "test": ("t10k", "test")}


def idx_files(root: Path) -> dict[str, tuple[Path, Path]]:
    """Part to its (images, labels) files, of the parts that are complete; empty if this is no folder of idx files."""
    found = {}
    for part, prefixes in PREFIXES.items():
        images = [p for prefix in prefixes for p in sorted(root.glob(f"{prefix}-images*ubyte*"))]
        labels = [p for prefix in prefixes for p in sorted(root.glob(f"{prefix}-labels*ubyte*"))]
        if images and labels:
            found[part] = (images[0], labels[0])
    return found


def read_idx_folder(root: Path) -> Source:
    """Images and labels; the official test part is the test part. Raises RecipeError without a training part."""
    files = idx_files(root)
    if "train" not in files:
        raise RecipeError(
            "train-images-idx3-ubyte and train-labels-idx1-ubyte (.gz)", f"{root}, which lacks them", "add these files"
        )
    parts, kinds = {}, []
    for part, (images, labels) in files.items():
        kind, parts[part] = part_of_arrays(read_idx(images), read_idx(labels), part)
        kinds.append(kind)
    return Source(root.resolve().name, kinds[0], parts)


def read_idx(path: Path) -> np.ndarray:
    """The array in one idx file, in native byte order. Raises RecipeError where it is damaged."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        _, kind, rank = struct.unpack(">HBB", content[:4])
        shape = struct.unpack(f">{rank}I", content[4 : 4 + 4 * rank])
        array = np.frombuffer(content, TYPES[kind], offset=4 + 4 * rank).reshape(shape)
    except (OSError, EOFError, zlib.error, struct.error, KeyError, ValueError) as error:
        raise RecipeError("an idx file", f"{path}, which is none ({error})", "get the file again") from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)
