"""A small generative adversarial network of pictures, conditional on the class, trained on the training split alone.

Goodfellow et al., 2014; conditional: Mirza & Osindero, 2014; convolutions as in Radford et al., 2015 (DCGAN). What lets
so few steps be enough is younger: the hinge loss with spectral normalization and a label that is projected on the
features (Miyato et al., 2018; Miyato & Koyama, 2018), two learning rates (Heusel et al., 2017), and an average of the
generator's weights over its last hundred steps or so (Yazici et al., 2018).
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from keras_recipe.problem import Problem

LARGEST = 32
"""Side of a picture (pixels) up to which one minute on two cores is worth trying. Larger ones, made small and enlarged,
would be blurred, and a model would learn that blurred pictures are the simulated ones."""

FEW = 20
"""Examples of a class below which there is nothing to learn but these."""

NOISE, WIDTH, BATCH = 64, 64, 32
"""Numbers that a sample is made of; channels of the hidden layers; examples a step."""

RATES, MOMENTA = (2e-4, 4e-4), (0.5, 0.9)
"""Adam's learning rates of generator and discriminator (Heusel et al., 2017), and its betas."""

AVERAGED = 0.99
"""Of the average of the generator's weights: it remembers about a hundred steps."""

CHUNK = 25
"""Steps a call: progress shows, and a deadline is kept."""


def unfit(problem: Problem) -> str:
    """Why such a network cannot be trained on this problem, "" where it can."""
    signature = problem.signature
    if signature.kind != "image":
        return f"it does not apply to {signature.kind} data"
    if signature.task == "regression":
        return "a conditional network of this kind needs classes"
    height, width = signature.shape[:2]
    if max(height, width) > LARGEST:
        return f"pictures of {height} x {width} pixels are larger than the {LARGEST} that a small network draws sharply"
    counts = np.bincount(problem.train.y, minlength=len(signature.classes))
    rare = int(counts.argmin())
    if counts[rare] < FEW:
        return f"{counts[rare]} training examples of {problem.label(rare)!r} are too few to learn from"
    return ""


class Adversaries:
    """Generator and discriminator of one problem's pictures, scaled to -1..1, with fresh weights.

    Args:
        problem: for which `unfit` has nothing to say.
        seed: of the weights.
    """

    def __init__(self, problem: Problem, seed: int) -> None:
        import keras
        import tensorflow as tf

        from keras_recipe.models.conventions import levels_of
        from keras_recipe.models.fused import fuse
        from keras_recipe.reseed import seeded

        self.problem = problem
        self.levels = levels_of(problem)
        shape, classes = problem.signature.shape, len(problem.signature.classes)
        with seeded(seed):
            self.generator = fuse(_generator(shape, classes))
            self.discriminator = _discriminator(shape, classes)
        self.optimizers = [
            keras.optimizers.Adam(rate, *MOMENTA, use_ema=average, ema_momentum=AVERAGED)
            for rate, average in zip(RATES, (True, False), strict=True)
        ]
        for optimizer, model in zip(self.optimizers, (self.generator, self.discriminator), strict=True):
            optimizer.build(model.trainable_variables)
        specs = [
            tf.TensorSpec([None, BATCH, *shape], "float32"),
            tf.TensorSpec([None, BATCH], "int32"),
            tf.TensorSpec([None, 2, BATCH, NOISE], "float32"),
            tf.TensorSpec([None, 2, BATCH], "int32"),
        ]
        self._train = tf.function(self._steps, input_signature=specs)

    def train(self, steps: int, generator: np.random.Generator) -> None:
        """So many steps of both networks, on examples that `generator` draws."""
        train, frequencies = self.problem.train, self.problem.label_frequencies()
        rows = generator.integers(len(train), size=steps * BATCH)
        real = np.asarray(train.x[rows]).astype("float32") * self.levels.scale + self.levels.offset
        real = (real / 127.5 - 1).reshape(steps, BATCH, *real.shape[1:])
        noise = generator.normal(size=(steps, 2, BATCH, NOISE)).astype("float32")
        labels = generator.choice(len(frequencies), (steps, 2, BATCH), p=frequencies).astype("int32")
        self._train(real, train.y[rows].astype("int32").reshape(steps, BATCH), noise, labels)

    def finish(self) -> None:
        """Put the average of the generator's weights in their place."""
        self.optimizers[0].finalize_variable_values(self.generator.trainable_variables)

    def sample(self, labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """One picture for each label, (count, *shape), in the type and range of the problem."""
        noise = generator.normal(size=(len(labels), NOISE)).astype("float32")
        parts = []
        for start in range(0, len(labels), 500):
            part = slice(start, start + 500)
            parts.append(np.asarray(self.generator([noise[part], labels[part].astype("int32")], training=False)))
        levels = (np.concatenate(parts) + 1) * 127.5
        x = (levels - self.levels.offset) / self.levels.scale
        return np.rint(x).clip(0, 255).astype("uint8") if self.problem.signature.dtype == "uint8" else x

    def _steps(self, real: Any, labels: Any, noise: Any, wanted: Any) -> None:
        import tensorflow as tf
        from keras import ops

        for i in tf.range(tf.shape(real)[0]):
            fake = self.generator([noise[i, 0], wanted[i, 0]], training=True)
            with tf.GradientTape() as tape:
                both = ops.concatenate([real[i], fake]), ops.concatenate([labels[i], wanted[i, 0]])
                told, fooled = ops.split(self.discriminator(list(both), training=True), 2)
                loss = ops.mean(ops.relu(1 - told)) + ops.mean(ops.relu(1 + fooled))
            self._apply(1, tape.gradient(loss, self.discriminator.trainable_variables), self.discriminator)
            with tf.GradientTape() as tape:
                fake = self.generator([noise[i, 1], wanted[i, 1]], training=True)
                loss = -ops.mean(self.discriminator([fake, wanted[i, 1]], training=True))
            self._apply(0, tape.gradient(loss, self.generator.trainable_variables), self.generator)

    def _apply(self, which: int, gradients: Any, model: Any) -> None:
        self.optimizers[which].apply(gradients, model.trainable_variables)


def _generator(shape: tuple[int, ...], classes: int) -> Any:
    """Noise (batch, NOISE) and labels (batch,) -> pictures (batch, *shape) of -1..1."""
    import keras
    from keras import layers, ops

    height, across, channels = shape
    low = -(-height // 4), -(-across // 4)
    width = WIDTH if max(height, across) <= 16 else WIDTH // 2  # where there are more pixels, each must cost less
    noise, label = keras.Input((NOISE,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([noise, ops.one_hot(label, classes)])
    x = layers.Dense(low[0] * low[1] * width, use_bias=False)(x)
    x = layers.Reshape((*low, width))(x)
    # Enlarged and convolved: transposed convolutions learnt much less of the digits in as many steps.
    for wide in (width, width // 4):
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        x = layers.UpSampling2D(2)(x)
        x = layers.Conv2D(wide, 3, padding="same", use_bias=False)(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
    x = layers.Conv2D(channels, 3, padding="same", activation="tanh")(x)
    return keras.Model([noise, label], x[:, :height, :across])


def _discriminator(shape: tuple[int, ...], classes: int) -> Any:
    """Pictures (batch, *shape) of -1..1 and labels (batch,) -> how real they look, (batch, 1), without bounds."""
    import keras
    from keras import layers, ops

    picture, label = keras.Input(shape), keras.Input((), dtype="int32")
    x = picture
    for width in (WIDTH // 2, WIDTH):
        x = layers.SpectralNormalization(layers.Conv2D(width, 4, 2, padding="same"))(x)
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Flatten()(x)
    real = layers.SpectralNormalization(layers.Dense(1))(x)
    fits = layers.SpectralNormalization(layers.Dense(classes, use_bias=False))(x)
    return keras.Model([picture, label], real + ops.sum(fits * ops.one_hot(label, classes), axis=-1, keepdims=True))


def seconds(problem: Problem, steps: int) -> float:
    """Seconds that so many steps take, from a few of them."""
    began, generator = time.monotonic(), np.random.default_rng(0)
    pair = Adversaries(problem, 0)
    pair.train(2, generator)  # which traces
    traced = time.monotonic()
    pair.train(5, generator)
    return traced - began + (time.monotonic() - traced) / 5 * steps


def draw(problem: Problem, count: int, seed: int, steps: int, told: Any) -> tuple[np.ndarray, np.ndarray]:
    """Train for `steps` steps, then draw `count` examples, their classes as frequent as in the training split."""
    generator, pair = np.random.default_rng(seed), Adversaries(problem, seed)
    for done in range(0, steps, CHUNK):
        told(done, steps)
        pair.train(min(CHUNK, steps - done), generator)
    pair.finish()
    frequencies = problem.label_frequencies()
    y = generator.choice(len(frequencies), count, p=frequencies).astype("int32")
    return pair.sample(y, generator), y
