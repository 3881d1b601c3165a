"""Pictures for the record: grids of examples as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

CELL = 96
"""Side of one example in pixels; smaller pictures are enlarged without smoothing, so that pixels stay visible."""

_MARGIN, _CAPTION = 6, 16


def grid(
    path: Path,
    pictures: np.ndarray,
    captions: Sequence[str],
    *,
    columns: int = 8,
    span: tuple[float, float] | None = None,
) -> Path:
    """Write a grid of pictures with a caption under each.

    Args:
        path: of the PNG file; its folder is made.
        pictures: (count, height, width, 1 or 3), any range.
        captions: one each; cut to the cell's width.
        columns: cells in a row.
        span: values shown as black and white; 0 and 255 for uint8, the extremes of the pictures otherwise.
    """
    span = span or value_span(pictures)
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = Image.new(
        "RGB", (columns * (CELL + _MARGIN) + _MARGIN, rows * (CELL + _CAPTION + _MARGIN) + _MARGIN), "white"
    )
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
    for index, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left = _MARGIN + index % columns * (CELL + _MARGIN)
        top = _MARGIN + index // columns * (CELL + _CAPTION + _MARGIN)
        sheet.paste(cell(picture, span), (left, top))
        draw.text((left, top + CELL + 1), _fitting(caption, draw, font), fill="#222222", font=font)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)
    return path


def single(path: Path, picture: np.ndarray, span: tuple[float, float]) -> Path:
    """Write one picture, (height, width, 1 or 3), as a grid would show it, without a caption."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cell(picture, span).save(path)
    return path


def value_span(pictures: np.ndarray) -> tuple[float, float]:
    """Values that are shown as black and white: 0 and 255 for uint8, the extremes of the pictures otherwise."""
    return (0.0, 255.0) if pictures.dtype == np.uint8 else (float(pictures.min()), float(pictures.max()))


def cell(picture: np.ndarray, span: tuple[float, float], side: int = CELL) -> Image.Image:
    """One picture, (height, width, 1 or 3), as a square of this side, the ends of the span black and white."""
    low, high = span
    shares = np.clip((picture.astype("float32") - low) / max(high - low, 1e-9), 0, 1)
    levels = (shares * 255).round().astype("uint8")
    image = Image.fromarray(levels[..., 0] if levels.shape[-1] == 1 else levels).convert("RGB")
    smooth = max(image.size) > side
    return image.resize((side, side), Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST)


def heat(path: Path, values: np.ndarray, *, cell: tuple[int, int] = (24, 18)) -> Path:
    """Write a matrix of values 0..1 as a picture, the lighter the higher.

    Args:
        path: of the PNG file; its folder is made.
        values: (rows, columns); a row is drawn from left to right.
        cell: width and height of a value in pixels.
    """
    grey = (np.clip(np.nan_to_num(values), 0, 1) * 255).round().astype("uint8")
    size = (grey.shape[1] * cell[0], grey.shape[0] * cell[1])
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(grey).resize(size, Image.Resampling.NEAREST).save(path)
    return path


def _fitting(text: str, draw: ImageDraw.ImageDraw, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> str:
    text = " ".join(text.split())  # a file name may hold anything, line breaks too
    while draw.textlength(text, font=font) > CELL and len(text) > 1:
        text = text[:-2] + "…"
    return text
