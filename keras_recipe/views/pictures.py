"""Pictures that findings point at, as data URIs, so that the report is one file."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

SIGNATURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(frozen=True)
class Picture:
    """A picture for the report: its data URI, or, where there is none, why."""

    path: str
    source: str
    missing: str


def picture(directory: Path, path: str) -> Picture:
    """The picture at this path, relative to the run directory. Never raises: a report says what it cannot show."""
    data = content(directory, path)
    if isinstance(data, str):
        return Picture(path, "", data)
    kind = next(kind for signature, kind in SIGNATURES.items() if data.startswith(signature))
    return Picture(path, f"data:{kind};base64,{base64.b64encode(data).decode()}", "")


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
