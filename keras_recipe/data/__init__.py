"""Data in: folders of pictures, idx files, arrays, .npz, .csv, tf.data and named data sets become a Problem.

Importing this package imports neither TensorFlow nor Keras.
"""

from __future__ import annotations

from keras_recipe.data.loading import load

__all__ = ["load"]
