"""The confusion matrix as a PNG, for TensorBoard, which has no tables."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

INK, PAPER, RIGHT, WRONG = (28, 30, 33), (255, 255, 255), (0, 114, 178), (213, 94, 0)
MARGIN = 16
MOST_LETTERS = 18
# Counts are written while a cell is at least this many pixels wide; smaller ones are only shaded.
READABLE = 26

Colour = tuple[int, int, int]


def confusion_png(counts: Sequence[Sequence[int]], classes: Sequence[str]) -> bytes:
    """Counts [true class][predicted class] as a picture, each cell shaded by its share of the true class."""
    cell = max(6, min(52, 900 // max(len(counts), 1)))
    font = ImageFont.load_default(size=max(8, min(14, cell - 2)))
    names = [_short(name) for name in classes]
    gutter = round(max(font.getlength(name) for name in names)) + 12
    left, top = MARGIN + 22 + gutter, MARGIN + 22 + gutter
    picture = Image.new("RGB", (left + cell * len(counts) + MARGIN, top + cell * len(counts) + MARGIN), PAPER)
    draw = ImageDraw.Draw(picture)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            _cell(draw, (left + j * cell, top + i * cell, cell), count, count / (sum(row) or 1), i == j)
        draw.text((left - 8, top + i * cell + cell / 2), names[i], INK, font, anchor="rm")
        _upright(picture, names[i], (left + i * cell, top - 8, cell), font)
    draw.text((left, MARGIN), "predicted", INK, ImageFont.load_default(size=13))
    _upright(picture, "true", (MARGIN, top + 40, 14), ImageFont.load_default(size=13))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _cell(draw: ImageDraw.ImageDraw, place: tuple[int, int, int], count: int, share: float, right: bool) -> None:
    x, y, size = place
    strength = 0.12 + 0.78 * share if count else 0.0
    fill = _mix(RIGHT if right else WRONG, strength) if count else (244, 245, 247)
    draw.rectangle((x, y, x + size - 2, y + size - 2), fill)
    if size >= READABLE and count:
        ink = PAPER if strength > 0.55 else INK
        font = ImageFont.load_default(size=max(8, min(14, int(size / max(len(str(count)), 2) * 0.9))))
        draw.text((x + size / 2 - 1, y + size / 2 - 1), str(count), ink, font, anchor="mm")


def _upright(
    picture: Image.Image, name: str, place: tuple[int, int, int], font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> None:
    x, bottom, cell = place
    strip = Image.new("RGB", (round(font.getlength(name)) + 2, cell), PAPER)
    ImageDraw.Draw(strip).text((0, cell / 2), name, INK, font, anchor="lm")
    turned = strip.rotate(90, expand=True)
    picture.paste(turned, (x, bottom - turned.height))


def _mix(colour: Colour, strength: float) -> Colour:
    r, g, b = (round(255 + (c - 255) * strength) for c in colour)
    return r, g, b


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS - 1]}…"
