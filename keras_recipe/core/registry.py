"""Functions found by their own name: a file dropped into a registry's package is found without another edit."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.core.spec import Spec, Value

F = TypeVar("F", bound=Callable[..., object])


class Registry(Generic[F]):
    """Functions of one kind, by name, in the order in which their files sort.

    Args:
        kind: the noun for messages, "model" for instance.
        package: the package whose modules register such functions (or the one module that does); imported at the
            first look-up.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind, self.package = kind, package
        self._functions: dict[str, F] = {}
        self._places: dict[str, tuple[str, int]] = {}
        self._options: dict[str, dict[str, float]] = {}
        self._discovered = False

    def register(self, function: F) -> F:
        """Decorator: the function's name is its name here, its docstring's first line is its description."""
        name = function.__name__
        known = self._functions.get(name)
        if known is not None and known.__module__ != function.__module__:
            raise RecipeError(
                f"a {self.kind} name that is not taken",
                f"{name!r} of {function.__module__}, which {known.__module__} has registered already",
                "rename the function",
            )
        self._functions[name] = function
        return function

    def staged(self, stage: str, order: int = 50, **options: float) -> Callable[[F], F]:
        """Decorator: register a function as a part of `stage`; parts with a lower order come first.

        Options are for whoever runs the stage, see `option`.
        """

        def decorate(function: F) -> F:
            self._places[function.__name__] = (stage, order)
            self._options[function.__name__] = options
            return self.register(function)

        return decorate

    def option(self, name: str, option: str) -> float:
        """The value of an option that a function was registered with, 0 (or False) where it was not."""
        self._discover()
        return self._options.get(name, {}).get(option, 0)

    def of_stage(self, stage: str) -> list[str]:
        """Names of the functions of a stage, in order."""
        self._discover()
        found = [(order, name) for name, (its, order) in self._places.items() if its == stage]
        return [name for _, name in sorted(found)]

    def by_stage(self) -> dict[str, list[str]]:
        """Names in order, by stage; those without one under ""."""
        self._discover()
        stages = dict.fromkeys(stage for stage, _ in self._places.values())
        found = {stage: self.of_stage(stage) for stage in stages}
        others = [name for name in self._functions if name not in self._places]
        return found | ({"": others} if others else {})

    def __iter__(self) -> Iterator[str]:
        self._discover()
        return iter(list(self._functions))

    def __len__(self) -> int:
        self._discover()
        return len(self._functions)

    def __contains__(self, name: object) -> bool:
        self._discover()
        return name in self._functions

    def get(self, name: str) -> F:
        """The function of this name, or of `package.module:function`. Raises RecipeError with the nearest name."""
        self._discover()
        if ":" in name:
            return self._imported(name)
        if name not in self._functions:
            raise RecipeError(f"the name of a {self.kind}", repr(name), nearest(name, self._functions))
        return self._functions[name]

    def describe(self, name: str) -> str:
        """First line of the docstring."""
        return (inspect.getdoc(self.get(name)) or "").partition("\n")[0]

    def arguments(self, name: str) -> dict[str, Value]:
        """Names and defaults of the keyword arguments that a spec may give."""
        parameters = inspect.signature(self.get(name)).parameters.values()
        return {p.name: p.default for p in parameters if p.default is not inspect.Parameter.empty}

    def source(self, name: str) -> str:
        """Source code of a function that is not of this package; empty for its own: its version says what they do."""
        function = self.get(name)
        if function.__module__.partition(".")[0] == __name__.partition(".")[0]:
            return ""
        try:
            return inspect.getsource(function)
        except OSError:  # typed into an interpreter
            return ""

    def check(self, spec: Spec) -> F:
        """The function of `spec`, its arguments proven to be known. Raises RecipeError."""
        function, known = self.get(spec.name), self.arguments(spec.name)
        for argument, _ in spec.args:
            if argument not in known:
                raise RecipeError(
                    f"an argument of the {self.kind} {spec.name!r}", repr(argument), nearest(argument, known)
                )
        return function

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        path = getattr(importlib.import_module(self.package), "__path__", [])  # a single module has none
        for module in sorted(m.name for m in pkgutil.iter_modules(path)):
            importlib.import_module(f"{self.package}.{module}")

    def _imported(self, name: str) -> F:
        module, _, attribute = name.partition(":")
        try:
            found = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise RecipeError(
                f"a {self.kind} function that can be imported as 'package.module:function'",
                f"{name!r} ({error})",
                "check the spelling, and that the module is on PYTHONPATH",
            ) from error
        function: F = found
        return function
