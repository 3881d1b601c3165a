"""Keras callbacks that observe and change nothing, each usable in any `model.fit`."""

from __future__ import annotations

from keras_recipe.callbacks.diagnose import Diagnose
from keras_recipe.callbacks.learning_rate_report import LearningRateReport
from keras_recipe.callbacks.prediction_dynamics import PredictionDynamics

__all__ = ["Diagnose", "LearningRateReport", "PredictionDynamics"]
