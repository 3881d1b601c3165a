"""TensorBoard event files without TensorFlow: summaries as protocol buffers, written whole or not at all."""

from __future__ import annotations

import io
import math
import re
import time
from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
from PIL import Image
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import metadata as layout_metadata
from tensorboard.plugins.histogram import metadata as histogram_metadata
from tensorboard.plugins.hparams import summary_v2 as hparams_summary
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.pr_curve import metadata as pr_curve_metadata
from tensorboard.plugins.scalar import metadata as scalar_metadata
from tensorboard.plugins.text import metadata as text_metadata
from tensorboard.summary.writer.record_writer import RecordWriter

from keras_recipe.core.whole import whole

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


def histogram(tag: str, step: int, low: float, high: float, counts: np.ndarray, description: str = "") -> Point:
    """Counts in bins of equal width from `low` to `high`."""
    edges = np.linspace(low, high, len(counts) + 1)
    bins = np.stack([edges[:-1], edges[1:], counts], axis=1)
    return step, _summary(tag, histogram_metadata.create_summary_metadata("", _inline(description)), _array(bins))


def pr_curve(tag: str, counts: np.ndarray, description: str = "") -> Point:
    """Precision and recall at thresholds at equal distances from 0 to 1.

    Args:
        tag: of the curve.
        counts: (4, thresholds): true and false positives, true and false negatives.
        description: in plain text.
    """
    true, false, _, missed = counts.astype("float64")
    # TensorBoard's own writer divides so, too: nothing found is a precision of 0.
    precision, recall = true / np.maximum(true + false, 1e-7), true / np.maximum(true + missed, 1e-7)
    data = np.stack([*counts, precision, recall])
    metadata = pr_curve_metadata.create_summary_metadata("", _inline(description), counts.shape[1])
    return 0, _summary(tag, metadata, _array(data))


def layout(category: str, charts: Mapping[str, Iterable[str]]) -> Point:
    """A category of the custom scalars: title of each chart, and the tags that it shows together."""
    each = [
        layout_pb2.Chart(
            title=title, multiline=layout_pb2.MultilineChartContent(tag=[f"{re.escape(t)}$" for t in tags])
        )
        for title, tags in charts.items()
    ]
    shown = layout_pb2.Layout(category=[layout_pb2.Category(title=category, chart=each)])
    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_STRING, string_val=[shown.SerializeToString()], tensor_shape=_shape()
    )
    return 0, _summary(layout_metadata.CONFIG_SUMMARY_TAG, layout_metadata.create_summary_metadata(), tensor)


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
    now = time.time()
    with whole(path) as draft, draft.open("wb") as file:
        writer = RecordWriter(file)
        writer.write(event_pb2.Event(wall_time=now, file_version="brain.Event:2").SerializeToString())
        for step, several in groupby(points, key=itemgetter(0)):
            summary = summary_pb2.Summary(value=[value for _, one in several for value in one.value])
            writer.write(event_pb2.Event(wall_time=now, step=step, summary=summary).SerializeToString())


def is_scalar(value: object) -> bool:
    """Whether TensorBoard takes the value as a hyperparameter as it stands."""
    return isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value))


def _summary(tag: str, metadata: summary_pb2.SummaryMetadata, tensor: tensor_pb2.TensorProto) -> summary_pb2.Summary:
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, metadata=metadata, tensor=tensor)])


def _array(values: np.ndarray) -> tensor_pb2.TensorProto:
    content = values.astype("float32").tobytes()
    return tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=content, tensor_shape=_shape(*values.shape))


def _shape(*sizes: int) -> tensor_shape_pb2.TensorShapeProto:
    return tensor_shape_pb2.TensorShapeProto(dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=s) for s in sizes])


def _inline(description: str) -> str:
    return escape(description) if description else ""
