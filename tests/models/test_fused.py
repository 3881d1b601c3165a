"""Fused batch normalization is batch normalization."""

import keras
import numpy as np
import pytest

from keras_recipe.models.fused import fuse


def _model(**arguments) -> keras.Model:
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 5, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(inputs)
    inner = keras.Input((6, 5, 4))
    nested = keras.Model(inner, keras.layers.BatchNormalization(momentum=0.8, **arguments)(inner))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(nested(x)))
    model = keras.Model(inputs, keras.layers.BatchNormalization()(keras.layers.Dense(2)(x)))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def _trained(model: keras.Model) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    x, y = rng.normal(3.0, 2.0, (40, 6, 5, 3)).astype("float32"), rng.normal(size=(40, 2)).astype("float32")
    model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return [*model.get_weights(), model.predict(x, verbose=0)]


@pytest.mark.parametrize(
    "arguments", [{}, {"scale": False}, {"center": False}, {"epsilon": 0.1}, {"axis": 1}, {"trainable": False}], ids=str
)
def test_training_is_the_same_up_to_rounding(arguments):
    for plain, fused in zip(_trained(_model(**arguments)), _trained(fuse(_model(**arguments))), strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-4, atol=1e-5)


def test_training_step_has_the_fused_operation():
    import tensorflow as tf

    model = fuse(_model())
    graph = tf.function(lambda x: model(x, training=True)).get_concrete_function(tf.TensorSpec([None, 6, 5, 3])).graph
    assert sum(op.type == "FusedBatchNormV3" for op in graph.get_operations()) == 1


def test_files_and_clones_are_those_of_the_plain_model(tmp_path):
    model = fuse(_model())
    expected = _trained(model)[-1]
    model.save(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(3.0, 2.0, (40, 6, 5, 3)).astype("float32")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), expected)
    assert "call" not in vars(keras.models.clone_model(model).layers[-1])
