"""Values as HTML, for notebooks."""

from __future__ import annotations

import importlib
from typing import Any


def shown(what: str, *values: Any) -> str:
    """HTML of a value, by the function of this name in `views/notebook.py`.

    It is loaded when a notebook asks: values know nothing of how they are shown, and importing them loads no template.
    """
    page: str = getattr(importlib.import_module("keras_recipe.views.notebook"), what)(*values)
    return page
