from __future__ import annotations

import keras

from keras_recipe.models.layers import placed


def model() -> keras.Model:
    start = keras.Input((8,))
    nested = keras.Input((4,))
    inner = keras.Model(nested, keras.layers.Dense(4)(keras.layers.Dense(4)(nested)), name="inner")
    x = keras.layers.BatchNormalization()(keras.layers.Dense(4)(start))
    x = keras.layers.Dense(4, name="mine")(keras.layers.Dense(4)(x))
    return keras.Model(start, inner(x))


def test_a_layer_has_the_same_name_however_many_were_made_before_it() -> None:
    names = [p.name for p in placed(model())]
    assert names == ["dense", "batch_normalization", "dense_1", "mine", "inner/dense", "inner/dense_1"]
    assert [p.name for p in placed(model())] == names
