"""Backbones of keras-cv, built offline from explicit arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keras_recipe.core.errors import RecipeError
from keras_recipe.models import register_model
from keras_recipe.models.heads import head, inputs

if TYPE_CHECKING:
    import keras

    from keras_recipe.problem import Problem


@register_model
def kcv_resnet_v2(problem: Problem, blocks: int = 2, stages: int = 4, dropout: float = 0.0) -> keras.Model:
    """ResNetV2 backbone of keras-cv (He et al., 2016) with random weights; the defaults make a ResNet-18.

    Args:
        problem: pictures of at least 32x32; the backbone halves them five times with all four stages.
        blocks: basic blocks of each stage, at least 2 (one-block stacks clash on a layer name in keras-cv 0.9).
        stages: 1 to 4 stages of 64, 128, 256 and 512 channels.
        dropout: share of features dropped before the last layer, 0 to below 1.

    Raises:
        RecipeError: keras-cv is not installed.
    """
    import keras

    try:
        from keras_cv.models import ResNetV2Backbone
    except ImportError as error:
        raise RecipeError(
            "the package keras-cv", str(error), "install it: pip install 'keras-recipe[keras-cv]'"
        ) from error

    tensor, x = inputs(problem)
    if x.shape[-1] == 1:
        x = keras.layers.Concatenate()([x, x, x])
    backbone = ResNetV2Backbone(
        stackwise_filters=[64, 128, 256, 512][:stages],
        stackwise_blocks=[blocks] * stages,
        stackwise_strides=[1, 2, 2, 2][:stages],
        block_type="basic_block",
        include_rescaling=False,  # `inputs` has normalized already
        input_shape=tuple(x.shape[1:]),
    )
    x = keras.layers.GlobalAveragePooling2D()(backbone(x))
    if dropout:
        x = keras.layers.Dropout(dropout)(x)
    return keras.Model(tensor, head(problem, x), name="kcv_resnet_v2")
