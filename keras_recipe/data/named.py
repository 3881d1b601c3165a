"""Data sets by name: those that scikit-learn brings along, and those that keras.datasets downloads."""

from __future__ import annotations

import contextlib
import sys

import numpy as np

from keras_recipe.core.errors import RecipeError, nearest
from keras_recipe.data.arrays import part_of_arrays
from keras_recipe.data.parts import Source

EMBEDDED = ("digits", "iris", "wine", "breast_cancer", "diabetes")
"""Come with scikit-learn, no network needed."""

DOWNLOADED = ("mnist", "fashion_mnist", "cifar10", "cifar100", "california_housing")
"""Come with an official test part, by keras.datasets, which keeps a copy in ~/.keras/datasets."""


def read_named(name: str) -> Source:
    """One of the known data sets.

    Raises:
        RecipeError: unknown name, or a data set that can be neither found nor downloaded.
    """
    if name not in EMBEDDED + DOWNLOADED:
        raise RecipeError(
            "an existing path, or the name of a data set",
            repr(name),
            f"check the path, or {nearest(name, EMBEDDED + DOWNLOADED)}",
        )
    return _embedded(name) if name in EMBEDDED else _downloaded(name)


def _embedded(name: str) -> Source:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    x = bunch.images[..., np.newaxis] if name == "digits" else bunch.data
    kind, part = part_of_arrays(x.astype("float32"), bunch.target, "train")
    return Source(name, kind, {"train": part})


def _downloaded(name: str) -> Source:
    import keras

    try:
        with contextlib.redirect_stdout(sys.stderr):  # standard output is for results; keras reports the download there
            train, test = getattr(keras.datasets, name).load_data()
    except Exception as error:  # keras raises a bare Exception for a failed download
        raise RecipeError(
            f"a network, or a copy of {name} in ~/.keras/datasets",
            f"neither ({error})",
            "give a local folder instead, of idx files (train-images-idx3-ubyte.gz, ...) or class folders, or an .npz",
        ) from error
    kind, train_part = part_of_arrays(train[0], train[1], "train")
    _, test_part = part_of_arrays(test[0], test[1], "test")
    return Source(name, kind, {"train": train_part, "test": test_part})
