"""A folder of class folders of pictures, or one of train/, validation/ and test/ folders of those."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.records import Finding, Severity
from keras_recipe.data.parts import Part, Reading, Source
from keras_recipe.data.pictures import (
    SUFFIXES,
    ImageFiles,
    corrupt,
    is_picture,
    listed,
    natural_size,
    read_all,
    skipped,
    undecodable,
)
from keras_recipe.problem import Rows

SPLITS = {"train": "train", "training": "train", "validation": "validation", "valid": "validation",
          "val": "validation", "test": "test"}  # fmt: skip
"""Folder names that state a part."""

UNREADABLE = frozenset({".tif", ".tiff", ".heic", ".heif", ".avif", ".jxl", ".jp2", ".ppm", ".svg", ".raw", ".dng"})
"""Endings of pictures that TensorFlow does not decode."""


@dataclass(frozen=True)
class Listing:
    """Pictures of one part: paths relative to the root, sorted, and the class folder of each."""

    root: Path
    paths: tuple[str, ...]
    labels: tuple[str, ...]


def read_folder(root: Path, reading: Reading) -> Source:
    """Pictures of a folder, decoded into memory where they fit.

    Raises:
        RecipeError: no pictures, no class folders, pictures that cannot be decoded (unless they are to be skipped).
    """
    listings = {part: list_pictures(root, folder) for part, folder in part_folders(root).items()}
    size = _size(listings["train"], reading)
    total = sum(len(listing.paths) for listing in listings.values()) * int(np.prod(size))
    parts, bad = {}, []
    for part, listing in listings.items():
        dropped = [i for i, path in enumerate(listing.paths) if path in reading.drop]
        x, missing = _read(listing, size, streams=total > reading.memory or reading.tolerant, tolerant=reading.tolerant)
        parts[part] = _part(listing, size, x, {*missing, *dropped})
        bad += [listing.paths[i] for i in sorted({*missing} - {*dropped})]
    if bad and (not reading.skip_corrupt or any(len(p) == len(p.unread) for p in parts.values())):
        raise corrupt(bad, "restore or delete these files, or leave them out with --skip-corrupt")
    findings = (*([skipped(bad)] if bad else []), *_ignored(root, listings))
    return Source(root.resolve().name, "image", parts, findings=findings)


def part_folders(root: Path) -> dict[str, Path]:
    """Part to its folder: those named train, validation (val) and test where there are no others, else all as train."""
    folders = [p for p in sorted(root.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    named = {SPLITS[p.name.lower()]: p for p in folders if p.name.lower() in SPLITS}
    if "train" not in named or len(named) != len(folders):
        return {"train": root}
    return {part: named[part] for part in ("train", "validation", "test") if part in named}


def list_pictures(root: Path, folder: Path) -> Listing:
    """Pictures below the class folders of `folder`, which is `root` or lies in it. Raises RecipeError without any."""
    found = [p for p in walk(folder) if is_picture(p) and _can_be_named(p)]
    classed = [p for p in found if p.parent != folder]
    if not classed:
        raise RecipeError(
            f"a folder with one sub-folder of pictures for each class ({', '.join(sorted(SUFFIXES))})",
            f"{len(found)} pictures directly in {folder}" if found else f"{folder}, which holds no pictures",
            "put the pictures of each class into a folder that bears its name",
        )
    labels = tuple(p.relative_to(folder).parts[0] for p in classed)
    return Listing(root, tuple(str(p.relative_to(root)) for p in classed), labels)


def walk(root: Path) -> Iterator[Path]:
    """All files below `root` that are not hidden, in order of their paths; links are followed, but not in circles."""
    seen = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = os.path.realpath(folder)
        folders[:] = [] if real in seen else sorted(f for f in folders if not f.startswith("."))
        if real not in seen:
            yield from (Path(folder, f) for f in sorted(files) if not f.startswith("."))
        seen.add(real)


def _size(train: Listing, reading: Reading) -> tuple[int, int, int]:
    if reading.like is None:
        return natural_size([str(train.root / p) for p in train.paths], reading.image_size)
    height, width, channels = reading.like
    return height, width, channels


def _read(listing: Listing, size: tuple[int, int, int], *, streams: bool, tolerant: bool) -> tuple[Rows, list[int]]:
    """Inputs of all pictures, and the rows of those that cannot be decoded; nobody has tried where `tolerant`."""
    files = ImageFiles.of([str(listing.root / p) for p in listing.paths], size)
    if streams:
        return files, [] if tolerant else undecodable(files).tolist()
    pictures, good = read_all(files)
    return pictures, np.setdiff1d(np.arange(len(files)), good).tolist()


def _part(listing: Listing, size: tuple[int, int, int], x: Rows, unread: set[int]) -> Part:
    ids = list(listing.paths)
    read = [path for i, path in enumerate(ids) if i not in unread]
    content = _content(listing.root, read, size)
    return Part(x, np.array(listing.labels), ids, content, listing.root, tuple(sorted(unread)))


def _content(root: Path, paths: list[str], size: tuple[int, int, int]) -> str:
    """Digest of names and sizes in bytes: reading every file again at each start would cost as much as training."""
    digest = hashlib.blake2b(str(size).encode(), digest_size=16)
    for path in paths:
        digest.update(f"{path}\0{(root / path).stat().st_size}\0".encode())
    return digest.hexdigest()


def _ignored(root: Path, listings: dict[str, Listing]) -> list[Finding]:
    """What lies in the folder and is not used: never silently."""
    used = {path for listing in listings.values() for path in listing.paths}
    unused = [p.relative_to(root) for p in walk(root) if str(p.relative_to(root)) not in used]
    nameless = [p for p in unused if not _can_be_named(p)]
    foreign = [p for p in unused if p.suffix.lower() in UNREADABLE and p not in nameless]
    loose = [p for p in unused if is_picture(p) and p not in nameless]
    others = [p for p in unused if p not in {*foreign, *loose, *nameless}]
    kinds: list[tuple[Severity, str, list[Path]]] = [
        ("warning", "files whose name is not in UTF-8", nameless),
        ("warning", "pictures outside the class folders", loose),
        ("warning", "pictures of a kind that cannot be read", foreign),
        ("warning", "class folders without pictures", _empty_classes(root, used)),
        ("info", "files that are not pictures", others),
        ("info", "hidden files or folders", [p.relative_to(root) for p in sorted(root.rglob(".*"))]),
    ]
    return [_ignored_finding(*kind) for kind in kinds if kind[2]]


def _can_be_named(path: Path) -> bool:
    """Whether reports and tables can hold the path: file systems take any bytes for a name."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True


def _empty_classes(root: Path, used: set[str]) -> list[Path]:
    filled = {parent for path in used for parent in Path(path).parents}
    folders = [folder for part in part_folders(root).values() for folder in sorted(part.iterdir()) if folder.is_dir()]
    relative = [folder.relative_to(root) for folder in folders if not folder.name.startswith(".")]
    return [folder for folder in relative if folder not in filled]


def _ignored_finding(severity: Severity, what: str, paths: list[Path]) -> Finding:
    names = [str(p).encode("utf-8", "backslashreplace").decode() for p in paths]
    message = f"ignored, {what} ({len(names):,}): {listed(names)}"
    return Finding(severity, "ignored", message, evidence={"paths": names[:100]})
