from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_recipe.core.config import Config, difference

configs = st.builds(
    Config,
    model=st.sampled_from(["linear()", "mlp(width=8)", "mlp(depth=3, width=8)", "resnet(depth=8)"]),
    optimizer=st.sampled_from(["adam(learning_rate=0.0003)", "adam(weight_decay=0.1)", "sgd(momentum=0.9)"]),
    augmentation=st.sampled_from(["", "flip()", "shift(factor=0.1)|flip()"]),
    batch_size=st.integers(1, 64),
    epochs=st.integers(1, 9),
    patience=st.none() | st.integers(1, 9),
)


@given(configs)
def test_leaves_give_the_config_back_even_through_json(config: Config) -> None:
    assert Config.from_leaves(json.loads(json.dumps(config.leaves()))) == config


@given(configs, configs)
def test_two_configs_are_equal_exactly_when_no_leaf_differs(a: Config, b: Config) -> None:
    assert (difference(a, b) == {}) == (a == b) == (a.digest() == b.digest())


def test_spelling_makes_no_difference() -> None:
    assert Config("mlp(width=8, depth=2)") == Config("mlp( depth=2,width=8 )")


def test_another_builder_is_one_leaf_whatever_its_arguments() -> None:
    assert difference(Config("mlp(width=8)"), Config("resnet(depth=8)")) == {"model": ("mlp", "resnet")}


def test_a_new_argument_is_a_leaf_that_was_none() -> None:
    config = Config("mlp(width=8)")
    assert difference(config, config.with_args("model", dropout=0.2)) == {"model.dropout": (None, 0.2)}


@pytest.mark.parametrize("share", [0.0, -0.5, 1.5, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="share of the training split"):
        Config("mlp", train_share=share)


def test_a_config_of_an_older_journal_sees_all_of_the_training_split() -> None:
    leaves = {k: v for k, v in Config("mlp").leaves().items() if k != "train_share"}
    assert Config.from_leaves(leaves).train_share == 1.0
