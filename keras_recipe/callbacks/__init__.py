"""Keras callbacks that observe, each usable in any `model.fit`. One, `Overfit`, ends a training that is done."""

from __future__ import annotations

from keras_recipe.callbacks.diagnose import Diagnose
from keras_recipe.callbacks.learning_rate_report import LearningRateReport
from keras_recipe.callbacks.overfit import Overfit
from keras_recipe.callbacks.prediction_dynamics import PredictionDynamics
from keras_recipe.callbacks.regularize import Regularize
from keras_recipe.callbacks.update_ratio import UpdateRatio

__all__ = ["Diagnose", "LearningRateReport", "Overfit", "PredictionDynamics", "Regularize", "UpdateRatio"]
