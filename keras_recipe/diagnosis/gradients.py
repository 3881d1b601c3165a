"""Gradients of one batch, layer by layer."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from keras_recipe.diagnosis.anatomy import steps_itself
from keras_recipe.diagnosis.case import LOOK, Case
from keras_recipe.diagnosis.rows import mapped


def gradients(case: Case) -> tuple[float, float] | None:
    """Root mean square of the gradient of the first kernel and of the last one; None where the loss is not Keras's."""
    kernels = [k for c in case.anatomy.weighted if (k := getattr(c.layer, "kernel", None)) is not None]
    if len(kernels) < 2 or steps_itself(case.model):
        return None
    rows = case.data.train.take(np.arange(min(LOOK, len(case.data.train))))
    x, y = mapped(tf.convert_to_tensor, rows.x), mapped(tf.convert_to_tensor, rows.y)
    with tf.GradientTape() as tape:
        tape.watch([k.value for k in (kernels[0], kernels[-1])])
        loss = case.model.compute_loss(x=x, y=y, y_pred=case.model(x, training=False), training=False)
        for penalty in case.model.losses:  # its gradient vanishes nowhere
            loss -= tf.cast(penalty, loss.dtype)
    found = tape.gradient(loss, [kernels[0].value, kernels[-1].value])
    first, last = (0.0 if g is None else float(np.sqrt(np.mean(np.square(np.asarray(g))))) for g in found)
    return (first, last) if np.isfinite([first, last]).all() else None
