"""Spellings of older Keras, and what Keras 3 calls them."""

from __future__ import annotations

import re

MODERN = (
    (r"keras\.layers\.(core|convolutional|pooling|recurrent|normalization|embeddings|merge|advanced_activations|wrappers)",
     "from keras.layers import ..., where all layers are"),
    (r"keras\.utils\.np_utils|np_utils", "keras.utils.to_categorical"),
    (r"keras\.preprocessing\.(image|text)|ImageDataGenerator|Tokenizer",
     "keras.utils.image_dataset_from_directory, keras.layers.Random..., keras.layers.TextVectorization"),
    (r"keras\.wrappers\.scikit_learn", "scikeras, a package of its own"),
    (r"keras\.layers\.experimental", "keras.layers"),
    (r"keras\.optimizers\.(legacy|schedules\.LearningRateSchedule)|optimizers\.legacy", "keras.optimizers"),
    (r"'lr'|\blr=|unexpected keyword argument 'lr'", "learning_rate="),
    (r"'?nb_epoch'?", "epochs="),
    (r"samples_per_epoch|nb_val_samples", "steps_per_epoch= and validation_steps="),
    (r"'(workers|use_multiprocessing|max_queue_size)'", "these arguments on a keras.utils.PyDataset, not on fit"),
    (r"fit_generator|predict_generator|evaluate_generator", "fit, predict and evaluate, which take generators"),
    (r"predict_classes|predict_proba", "model.predict(x), and argmax(axis=-1) of it"),
    (r"'output_dim'", "units="),
    (r"'(init|W_regularizer|b_regularizer|W_constraint|border_mode|subsample|nb_filter|nb_row|nb_col)'",
     "kernel_initializer, kernel_regularizer, kernel_constraint, padding, strides, filters, kernel_size"),
    (r"module '(keras[\w.]*backend|keras\.backend)'|keras\.backend' has no attribute", "keras.ops"),
    (r"'input_dim'", "keras.Input(shape=(...,)) as the first layer"),
    (r"unexpected keyword argument '(in|out)puts?'", "keras.Model(inputs=..., outputs=...)"),
)  # fmt: skip
"""What an error says, and the modern spelling."""


def modern(error: BaseException) -> str:
    """The modern spelling of what an error complains about; "" where it is no matter of spelling."""
    said = f"{type(error).__name__}: {error}"
    return next((spelling for pattern, spelling in MODERN if re.search(pattern, said)), "")
