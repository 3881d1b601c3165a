from __future__ import annotations

import keras
import numpy as np

import keras_recipe as kr
from keras_recipe.core.config import Config
from keras_recipe.learner import Learner
from keras_recipe.problem import Problem
from keras_recipe.training import run_trial


def test_it_records_each_epoch_in_a_fit_of_your_own(blobs: Problem) -> None:
    batch = np.asarray(blobs.validation.x[:5])
    watch = kr.callbacks.PredictionDynamics(batch)
    model = kr.models.create("mlp(depth=1, width=8)", blobs)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    for _ in range(2):
        model.fit(blobs.train.x, blobs.train.y, epochs=3, verbose=0, callbacks=[watch])
    assert len(watch.history) == 3
    np.testing.assert_allclose(watch.history[-1], model.predict(batch, verbose=0), rtol=1e-4, atol=1e-5)
    assert watch.jitter().shape == (2,)
    assert (watch.jitter() > 0).all()


def test_it_records_each_epoch_of_a_trial(blobs: Problem) -> None:
    watch = kr.callbacks.PredictionDynamics(np.asarray(blobs.validation.x[:5]))
    run_trial(Learner(blobs), Config("linear()", epochs=4), 0, callbacks=[watch])
    assert len(watch.history) == 4
