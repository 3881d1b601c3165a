"""`diagnose`: find the silent bug of somebody's Keras training job, and prove it.

Repairs that something measured speaks for are tried on the job itself, from the same weights and for the same length.
The smallest set that mends it is the diagnosis.
"""

from __future__ import annotations

from typing import Any

from keras_recipe.core.diagnosis import Diagnosis

__all__ = ["Diagnosis", "diagnose"]


def diagnose(model: Any, *args: Any, budget: float | str = 60.0, **kwargs: Any) -> Diagnosis:
    """Diagnose a compiled model; the arguments are those of `model.fit`, which is not called.

    Args:
        model: a compiled keras.Model. Weights, optimizer and random generators are left as they are.
        *args, **kwargs: as for `model.fit`: x, y, batch_size, epochs, validation_data, callbacks, ...
        budget: seconds that it may take, about; or "2m".

    Returns:
        what was found; `ok` if nothing is proved to be wrong.

    Raises:
        RecipeError: the job cannot be looked at.
    """
    from keras_recipe.core.duration import duration
    from keras_recipe.diagnosis.anatomy import caller
    from keras_recipe.diagnosis.examine import examine
    from keras_recipe.diagnosis.fitting import bound

    seconds = duration(budget) if isinstance(budget, str) else float(budget)
    return examine(bound(model, args, kwargs, caller()), seconds)
