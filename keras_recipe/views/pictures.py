"""Pictures that findings point at, as data URIs, so that the report is one file."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}

LARGE = 50_000
"""Bytes from which a picture is compressed as a photo: a grid of photos is then a fifth of its PNG, and what is drawn
in few colours stays as it is."""

QUALITY = 82
"""Of WebP, at which a grid of photos cannot be told from its PNG beside it."""

ROOM = 5_000_000
"""Bytes of pictures in a page, before base64 makes a third more of them: a page is mailed, and opened on a phone."""


@dataclass(frozen=True)
class Picture:
    """A picture for the report: its data URI, or, where there is none, why."""

    path: str
    source: str
    missing: str


@dataclass
class Album:
    """The pictures of one page, no more than fit into ROOM: those asked for first have it.

    Attributes:
        directory: the run directory.
        room: bytes that are left.
    """

    directory: Path
    room: int = ROOM
    _known: dict[str, Picture] = field(default_factory=dict)

    def picture(self, path: str) -> Picture:
        """The picture at this path, relative to the run directory. Never raises: a report says what it cannot show."""
        if path not in self._known:
            self._known[path] = self._embedded(path)
        return self._known[path]

    def _embedded(self, path: str) -> Picture:
        data = content(self.directory, path)
        if isinstance(data, str):
            return Picture(path, "", data)
        kind = next(kind for signature, kind in SIGNATURES.items() if data.startswith(signature))
        data, kind = _compressed(data, kind)
        if len(data) > self.room:
            return Picture(path, "", "is left out of this page, which is large enough; it is in the run directory")
        self.room -= len(data)
        return Picture(path, f"data:{kind};base64,{base64.b64encode(data).decode()}", "")


@lru_cache(maxsize=64)  # the report of a run that goes on is written again and again
def _compressed(data: bytes, kind: str) -> tuple[bytes, str]:
    """The picture as WebP where that is smaller by half."""
    if len(data) < LARGE:
        return data, kind
    from PIL import Image  # not for a report without large pictures

    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.convert("RGB").save(out, "WEBP", quality=QUALITY, method=4)
    except OSError:  # whatever it is, the browser may show it
        return data, kind
    return (out.getvalue(), "image/webp") if len(out.getvalue()) < len(data) / 2 else (data, kind)


def content(directory: Path, path: str) -> bytes | str:
    """Bytes of a PNG or JPEG file of the run directory.

    Where there are none, a text that says why, as the end of the sentence "Picture x ...".
    """
    try:
        # A journal from elsewhere must not pull other files of this machine into a page that is then passed on.
        if not (directory / path).resolve().is_relative_to(directory.resolve()):
            return "lies outside the run directory"
        data = (directory / path).read_bytes()
    except FileNotFoundError:
        return "is not in the run directory any more"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return data if data.startswith(tuple(SIGNATURES)) else "is not a PNG or JPEG file"
