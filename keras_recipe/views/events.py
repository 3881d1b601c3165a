"""TensorBoard event files without TensorFlow: summaries as protocol buffers, written whole or not at all."""

from __future__ import annotations

import io
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.hparams import summary_v2 as hparams_summary
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.record_writer import RecordWriter

Point = tuple[int, summary_pb2.Summary]


def scalar(tag: str, step: int, value: float) -> Point:
    """One point of a curve. NaN and infinity are kept: TensorBoard draws them as what they are."""
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, float_val=[value], tensor_shape=_shape())
    return step, _summary(tag, scalar_metadata.create_summary_metadata("", ""), tensor)


def curve(tag: str, values: Iterable[float], step: int) -> list[Point]:
    """A list of values, one an epoch, at multiples of `step`."""
    return [scalar(tag, step * (i + 1), value) for i, value in enumerate(values)]


def image(tag: str, content: bytes, description: str = "") -> Point:
    """An encoded picture (PNG, JPEG). Raises OSError (PIL.UnidentifiedImageError) if it is none."""
    with Image.open(io.BytesIO(content)) as picture:
        width, height = picture.size
    values = [str(width).encode(), str(height).encode(), content]
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=values, tensor_shape=_shape(3))
    return 0, _summary(tag, image_metadata.create_summary_metadata("", _inline(description)), tensor)


def text(tag: str, markdown: str) -> Point:
    """A markdown text."""
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING, string_val=[markdown.encode()], tensor_shape=_shape())
    return 0, _summary(tag, text_metadata.create_summary_metadata("", ""), tensor)


def hparams(values: Mapping[str, bool | int | float | str], group: str) -> Point:
    """Hyperparameters of a run. TensorBoard derives the table's columns from all runs that it finds."""
    return 0, hparams_summary.hparams_pb(dict(values), trial_id=group)


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A markdown table; whatever the cells hold is shown as text."""
    head = [escape(cell) for cell in header]
    lines = [head, ["---"] * len(head), *([escape(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def escape(cell: str) -> str:
    """Text without meaning in markdown, HTML or a table, on one line."""
    plain = " ".join(str(cell).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_{}\[\]()#|!~])", r"\\\1", plain).replace("\\|", "&#124;")


def write_events(path: Path, points: Iterable[Point]) -> None:
    """Write an event file, unless it is there already or there are no points.

    A process killed half-way leaves no file of that name.
    """
    points = () if path.exists() else tuple(points)
    if not points:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # A draft must not be taken for an event file: TensorBoard reads every name with "tfevents" in it.
    draft = path.parent / f".draft.{os.getpid()}"
    now = time.time()
    with draft.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(event_pb2.Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        for step, summary in points:
            writer.write(event_pb2.Event(wall_time=now, step=step, summary=summary).SerializeToString())
    os.replace(draft, path)


def is_scalar(value: object) -> bool:
    """Whether TensorBoard takes the value as a hyperparameter as it stands."""
    return isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


def _summary(tag: str, metadata: summary_pb2.SummaryMetadata, tensor: tensor_pb2.TensorProto) -> summary_pb2.Summary:
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)])


def _shape(*sizes: int) -> tensor_shape_pb2.TensorShapeProto:
    return tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=s) for s in sizes])


def _inline(description: str) -> str:
    return escape(description) if description else ""
