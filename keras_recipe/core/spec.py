"""A pluggable part as text: `"resnet(depth=8, width=16)"`, `"shift(factor=0.1)|flip()"`.

A config made of such text can be compared, logged and typed on a command line (big_vision's op strings).
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from keras_recipe.core.errors import RecipeError

Value = bool | int | float | str | None | tuple["Value", ...]

_FORM = re.compile(r"\s*([A-Za-z_][\w.]*(?::[A-Za-z_]\w*)?)\s*(\(.*\))?\s*", re.DOTALL)


@dataclass(frozen=True)
class Spec:
    """Name of a registered thing, or `package.module:function`, with its keyword arguments, sorted by name."""

    name: str
    args: tuple[tuple[str, Value], ...] = ()

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read `name` or `name(key=literal, ...)`. No code is run: values are Python literals."""
        match = _FORM.fullmatch(text)
        if match is None:
            raise _malformed(text)
        name, call = match.groups()
        if call is None:
            return cls(name)
        try:
            node = ast.parse(f"_{call}", mode="eval").body
            if not isinstance(node, ast.Call) or node.args or any(k.arg is None for k in node.keywords):
                raise _malformed(text)
            args = {str(k.arg): _frozen(ast.literal_eval(k.value)) for k in node.keywords}
        except (SyntaxError, ValueError) as error:
            raise _malformed(text) from error
        return cls(name, tuple(sorted(args.items())))

    def with_args(self, **changes: Value) -> Spec:
        """A copy with these arguments; `None` takes an argument away."""
        args = dict(self.args) | changes
        return Spec(self.name, tuple(sorted((k, v) for k, v in args.items() if v is not None)))

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{k}={v!r}' for k, v in self.args)})"


def parse_pipeline(text: str) -> tuple[Spec, ...]:
    """Read `a(...)|b(...)`; the empty text is the empty pipeline."""
    return tuple(Spec.parse(part) for part in text.split("|")) if text.strip() else ()


def _frozen(value: object) -> Value:
    if isinstance(value, list | tuple):
        return tuple(_frozen(v) for v in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"not a literal of a spec: {value!r}")


def _malformed(text: str) -> RecipeError:
    return RecipeError(
        "a name with keyword arguments, such as 'resnet(depth=8, width=16)' or 'package.module:function(width=64)'",
        repr(text),
        "write it in that form; values are numbers, strings, True, False, None or tuples of these",
    )
