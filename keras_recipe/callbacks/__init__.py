"""Keras callbacks that observe, each usable in any `model.fit`."""
