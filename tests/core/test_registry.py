from __future__ import annotations

import sys
from pathlib import Path

import pytest

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.registry import Registry
from keras_recipe.core.spec import Spec


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """A registry whose package has two files."""
    package = tmp_path / "toolbox"
    package.mkdir()
    (package / "__init__.py").write_text(
        "from keras_recipe.core.registry import Registry\nTOOLS = Registry('tool', __name__)\n"
    )
    (package / "b.py").write_text(
        "from toolbox import TOOLS\n@TOOLS.staged('late', 2)\ndef hammer(weight=2):\n    'Hits.\\n\\n    Hard.'\n"
    )
    (package / "a.py").write_text("from toolbox import TOOLS\n@TOOLS.staged('late', 3)\ndef saw():\n    'Cuts.'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [m for m in sys.modules if m.partition(".")[0] == "toolbox"]:
        del sys.modules[name]
    import toolbox  # type: ignore[import-not-found]

    return toolbox.TOOLS


def test_a_file_that_is_dropped_in_is_found(tools: Registry) -> None:
    assert sorted(tools) == ["hammer", "saw"]


def test_a_stage_lists_its_functions_by_order(tools: Registry) -> None:
    assert tools.of_stage("late") == ["hammer", "saw"]
    assert tools.of_stage("early") == []


def test_everything_is_listed_by_stage(tools: Registry) -> None:
    tools.register(lambda: None)
    assert tools.by_stage() == {"late": ["hammer", "saw"], "": ["<lambda>"]}


def test_the_first_line_of_the_docstring_describes(tools: Registry) -> None:
    assert tools.describe("hammer") == "Hits."


def test_an_unknown_name_suggests_the_nearest(tools: Registry) -> None:
    with pytest.raises(RecipeError, match=r"'hamer'[\s\S]*'hammer'"):
        tools.get("hamer")


def test_an_unknown_argument_suggests_the_nearest(tools: Registry) -> None:
    with pytest.raises(RecipeError, match="'weight'"):
        tools.check(Spec.parse("hammer(wieght=3)"))


def test_a_function_of_any_module_can_be_named(tools: Registry) -> None:
    assert tools.get("os.path:join")("a", "b") == "a/b"
    with pytest.raises(RecipeError, match="PYTHONPATH"):
        tools.get("no_such_module:function")


def test_a_name_cannot_be_taken_twice(tools: Registry) -> None:
    def saw() -> None: ...

    tools.get("saw")
    with pytest.raises(RecipeError, match="not taken"):
        tools.register(saw)
