from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_recipe.core.errors import RecipeError
from keras_recipe.core.spec import Spec, parse_pipeline

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True).filter(lambda n: n not in ("None", "_"))
values = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.tuples(st.integers(), st.integers()),
)
keywords = names.filter(lambda n: n.isidentifier() and n not in __import__("keyword").kwlist)


@given(names, st.dictionaries(keywords, values, max_size=3))
def test_a_spec_survives_being_written_and_read(name: str, args: dict[str, object]) -> None:
    spec = Spec(name, tuple(sorted(args.items())))  # type: ignore[arg-type]
    assert Spec.parse(str(spec)) == spec


def test_arguments_are_sorted_so_that_equal_specs_are_written_alike() -> None:
    assert str(Spec.parse("resnet(width=16, depth=8)")) == "resnet(depth=8, width=16)"


def test_none_takes_an_argument_away() -> None:
    assert Spec.parse("mlp(width=8)").with_args(width=None, depth=2) == Spec("mlp", (("depth", 2),))


def test_a_function_of_a_users_module_can_be_named() -> None:
    assert Spec.parse("my.models:tower(width=64)").name == "my.models:tower"


def test_a_pipeline_keeps_its_order() -> None:
    assert [s.name for s in parse_pipeline("shift(factor=0.1)|flip()")] == ["shift", "flip"]
    assert parse_pipeline("") == ()


@pytest.mark.parametrize(
    "text",
    ["", "resnet(", "resnet(8)", "resnet(**x)", "resnet(depth=open('x'))", "resnet(depth=1)(2)", "a b", "m(x={1: 2})"],
)
def test_what_is_not_a_spec_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RecipeError, match="resnet\\(depth=8, width=16\\)"):
        Spec.parse(text)
