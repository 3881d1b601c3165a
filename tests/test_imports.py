"""Imports run one way, and what does not train does not import TensorFlow."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "keras_recipe"

LAYERS = (
    {"core", "spread"},
    {"problem", "objectives", "pictures", "compare", "learning_curve", "schedules"},
    {"data", "models", "reseed"},
    {"loop", "compiled"},
    {"feed"},
    {"survey", "texts"},
    {"cheap", "twins"},
    {"training", "learner", "order", "checkpoint", "job", "dumb", "exported", "directory", "importance", "histograms"},
    {"embedding"},
    {"study"},
    {"checks", "moves"},
    {"diagnosis"},
    {"stages"},
    {"watch"},
    {"recipe", "inspection"},
    {"prediction", "callbacks", "comparison"},
    {"cli"},
)
"""Bottom to top: a module may import its own layer and those above it in this list."""

ALLOWED_VIEWS = {"core", "views"}


def part(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def imported(path: Path) -> set[str]:
    """Parts of the package that a file imports when it runs; what only types need does not count."""
    tree = ast.parse(path.read_text())
    typing_only = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    found: set[str] = set()
    for node in ast.walk(tree):
        if node in typing_only:
            continue
        if isinstance(node, ast.ImportFrom) and node.module == "keras_recipe":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("keras_recipe."):
            found.add(part(node.module or ""))
        elif isinstance(node, ast.Import):
            found |= {part(a.name) for a in node.names if a.name.startswith("keras_recipe.")}
    return found


def sources() -> list[Path]:
    return sorted(p for p in PACKAGE.rglob("*.py") if p.name not in ("__main__.py",) and p != PACKAGE / "__init__.py")


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own == "views":
        assert imported(path) <= ALLOWED_VIEWS
        return
    level = next((i for i, layer in enumerate(LAYERS) if own in layer), None)
    assert level is not None, f"{own} has no place in LAYERS"
    below: set[str] = set().union(*LAYERS[: level + 1])
    if level >= LAYERS.index({"diagnosis"}):
        below.add("views")
    assert imported(path) <= below


@pytest.mark.parametrize(
    "statement",
    [
        "import keras_recipe",
        "import keras_recipe; keras_recipe.load, keras_recipe.Recipe, keras_recipe.models",
        "from keras_recipe.models import MODELS; list(MODELS)",
        "from keras_recipe.moves import MOVES; list(MOVES)",
        "from keras_recipe.checks import CHECKS; list(CHECKS)",
        "from keras_recipe.data.augmentations import AUGMENTATIONS; list(AUGMENTATIONS)",
        "import keras_recipe.cli",
        "import keras_recipe.views.report, keras_recipe.views.tensorboard, keras_recipe.views.console",
    ],
)
def test_what_does_not_train_does_not_import_tensorflow(statement: str) -> None:
    code = f"import sys\n{statement}\nassert not {{'tensorflow', 'keras'}} & set(sys.modules), 'imported'"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_core_needs_only_the_standard_library() -> None:
    code = (
        "import sys, pkgutil, importlib, keras_recipe.core as core\n"
        "for m in pkgutil.iter_modules(core.__path__): importlib.import_module(f'keras_recipe.core.{m.name}')\n"
        "outside = {m.partition('.')[0] for m in sys.modules} & {'numpy', 'pandas', 'scipy', 'rich', 'jinja2'}\n"
        "assert not outside, outside"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_pickles_and_nothing_evaluates() -> None:
    for path in sources():
        text = path.read_text()
        for word in ("import pickle", "allow_pickle=True", "safe_mode=False", " eval(", " exec(", "joblib"):
            assert word not in text, f"{path}: {word}"
