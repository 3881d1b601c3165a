"""Spellings of older Keras, and what Keras 3 calls them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from keras_recipe.core.diagnosis import Fault

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


FIT = {"epochs", "batch_size", "validation_data", "validation_split", "callbacks", "steps_per_epoch", "verbose"}
"""Arguments that tell a model's `fit` from that of a scaler."""

CONVOLUTIONS = ("Conv2D", "Convolution2D")
OPTIMIZERS = ("SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Nadam", "Adamax")
"""Names that a script may call a layer or an optimizer by, whose arguments changed their meaning."""


def fits(source: bytes) -> int:
    """How many calls of a model's `fit` a script holds."""
    calls = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "fit"]
    return sum(bool(FIT & {k.arg for k in call.keywords}) for call in calls)


def silent(source: bytes, name: str) -> Iterator[Fault]:
    """What older Keras understood in another way, and Keras 3 takes without a word.

    Args:
        source: text of a script.
        name: of its file.
    """
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        numbers = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, int)]
        if called in CONVOLUTIONS and len(node.args) == len(numbers) == 3:
            yield Fault(
                "positional_kernel",
                "WARNING",
                "architecture",
                f"the third number in {ast.unparse(node.func)}({', '.join(map(str, numbers))}, ...) is the stride, "
                "not the height of the kernel as in Keras 1",
                expected=f"kernels of {numbers[1]} x {numbers[2]} that move by 1",
                measured=f"kernels of {numbers[1]} x {numbers[1]} that move by {numbers[2]}",
                hint="give the size of the kernel as a tuple",
                patch=f"Conv2D({numbers[0]}, ({numbers[1]}, {numbers[2]}), ...)",
                location=f"{name}:{node.lineno}",
            )
        decay = next((k.value for k in node.keywords if k.arg == "decay"), None)
        if called in OPTIMIZERS and decay is not None and not (isinstance(decay, ast.Constant) and not decay.value):
            yield Fault(
                "decay_dropped",
                "INFO",
                "schedule",
                "Keras 3 takes decay= without a word, and drops it: the rate stays what it is",
                expected="a schedule",
                measured=f"decay={ast.unparse(decay)}",
                hint="use keras.optimizers.schedules.InverseTimeDecay",
                patch="learning_rate=keras.optimizers.schedules.InverseTimeDecay(rate, 1, decay)",
                location=f"{name}:{node.lineno}",
            )
