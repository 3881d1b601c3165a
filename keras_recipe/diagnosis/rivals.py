"""Cheap predictors on the same rows as somebody's model: what it has to beat before anybody believes in it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_recipe.diagnosis.rows import Data, Nested, Rows, leaves
from keras_recipe.diagnosis.targets import Target, area, dumb, labels_of, score
from keras_recipe.spread import evenly

ROWS, FEATURES, COMPONENTS = 2000, 1024, 64
"""Rows that rivals are fitted on, values of an example that they look at, and those of the linear one and neighbours
where there are more."""


@dataclass(frozen=True, eq=False)
class Rivals:
    """Scores on the held-out rows.

    Attributes:
        dumb: of whoever always says the same.
        scores: by name: "linear", "nearest neighbours", "trees"; () where the inputs are none that they take.
        trees: outputs of the trees for the held-out rows.
    """

    dumb: float
    scores: tuple[tuple[str, float], ...] = ()
    trees: np.ndarray | None = None

    @property
    def linear(self) -> float:
        """Score of the linear one; that of a constant where there is none."""
        return max(dict(self.scores).get("linear", self.dumb), self.dumb)

    @property
    def best(self) -> float:
        """Highest score."""
        return max([self.dumb, *(s for _, s in self.scores)])

    @property
    def best_name(self) -> str:
        """Who has it."""
        return max(self.scores, key=lambda s: s[1])[0] if self.scores else "a constant"


def flat(x: Nested) -> np.ndarray | None:
    """Examples as float32 vectors of at most FEATURES values; None for words, and what is no numbers.

    Whole numbers in sequences are taken for tokens, and counted.
    """
    parts = []
    for leaf in leaves(x):
        if leaf.dtype.kind not in "iufb":
            return _texts(leaf) if leaf.dtype.kind in "US" and len(leaves(x)) == 1 else None
        if leaf.ndim == 2 and leaf.dtype.kind in "iu" and leaf.shape[1] >= 4 and leaf.max() > 2 and leaf.min() >= 0:
            parts.append(_values(leaf))
            parts.append(_counted(leaf))
        else:
            parts.append(_values(leaf))
    found: np.ndarray = np.nan_to_num(np.concatenate(parts, axis=1), nan=0.0, posinf=0.0, neginf=0.0)
    return found


def together(each: Sequence[Rivals]) -> Rivals:
    """Rivals of several outputs as one: the mean of their scores, of those that all outputs have."""
    lowest = float(np.mean([r.dumb for r in each]))
    names = [name for name, _ in each[0].scores if all(name in dict(r.scores) for r in each)]
    return Rivals(lowest, tuple((name, float(np.mean([dict(r.scores)[name] for r in each]))) for name in names))


def rivals(data: Data, target: Target) -> Rivals:
    """Fit and score them."""
    y = _one(data.train.y)
    truth = _one(data.held.y)
    lowest = dumb(target, truth) if truth is not None else 0.0
    if y is None or truth is None or len(data.train) < 10:
        return Rivals(lowest)
    per_example = y.reshape(len(y), -1).shape[1] if target.kind == "regression" else target.classes
    if target.kind != "regression" and len(labels_of(target, y)) != len(y) and target.kind != "multilabel":
        return Rivals(lowest)  # a label for each step or pixel
    if target.kind in ("regression", "multilabel") and per_example > 64:
        return Rivals(lowest)
    # The same columns for both splits, texts and tokens included.
    count = len(data.train)
    rows = evenly(count, ROWS)
    both = flat(_stacked(data.train.take(rows), data.held))
    if both is None:
        return Rivals(lowest)
    x, new = both[: len(rows)], both[len(rows) :]
    found, trees = [], None
    for name, model in _models(target, len(rows)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                outputs = _predicted(model, x, y[rows], new, target)
            except ValueError:
                continue
        found.append((name, score(target, truth, outputs)))
        trees = outputs if name == "trees" else trees
    return Rivals(lowest, tuple(found), trees)


def cross_validated(data: Data, target: Target) -> tuple[float, np.ndarray, np.ndarray]:
    """Score of trees on training rows that they were not fitted on, those rows, and the outputs for them."""
    y = _one(data.train.y)
    rows = evenly(len(data.train), ROWS)
    x = flat(data.train.take(rows).x)
    if x is None or y is None:
        return float("nan"), rows, np.empty(0)
    folds = np.random.default_rng(0).permutation(len(rows)) % 3
    outputs: np.ndarray | None = None
    model = dict(_models(target, len(rows)))["trees"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for fold in range(3):
            try:
                found = _predicted(model, x[folds != fold], y[rows][folds != fold], x[folds == fold], target)
            except ValueError:
                return float("nan"), rows, np.empty(0)
            outputs = np.zeros((len(rows), *found.shape[1:])) if outputs is None else outputs
            outputs[folds == fold] = found
    assert outputs is not None
    return score(target, y[rows], outputs), rows, outputs


def told_apart(data: Data) -> float:
    """Area under the ROC curve of trees that tell training inputs from held-out ones they were not fitted on.

    A few columns that tell them alone, as a number of the subject or a date does where rows are split by it, are honest
    and left out.
    """
    from scipy.stats import rankdata
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.model_selection import cross_val_predict

    count = min(len(data.train), len(data.held), ROWS // 2)
    parts = [r.take(evenly(len(r), count)) for r in (data.train, data.held)]
    x = flat(_stacked(*parts))
    if x is None or count < 20:
        return 0.5
    split = np.repeat([0, 1], count)
    alone = np.abs(2 * (rankdata(x, axis=0)[count:].mean(axis=0) - (count + 1) / 2) / count - 1)
    if (alone > 0.9).mean() <= 0.25:
        x = x[:, alone <= 0.9]
    trees = ExtraTreesClassifier(60, min_samples_leaf=2, random_state=0)
    found = cross_val_predict(trees, x, split, cv=3, method="predict_proba")[:, 1]
    return area(split == 1, found)


def _models(target: Target, rows: int) -> list[tuple[str, Any]]:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    def reduced(x: np.ndarray) -> Any:
        return x[:, :: -(-x.shape[1] // (4 * COMPONENTS))] if x.shape[1] > 4 * COMPONENTS else x

    near = min(5, rows)
    few = FunctionTransformer(reduced)
    if target.kind == "regression":
        return [
            ("linear", make_pipeline(StandardScaler(), Ridge())),
            ("nearest neighbours", make_pipeline(StandardScaler(), KNeighborsRegressor(near))),
            ("trees", ExtraTreesRegressor(60, min_samples_leaf=2, random_state=0)),
        ]
    linear: Any = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-2, max_iter=300))
    if target.kind == "multilabel":
        from sklearn.multioutput import MultiOutputClassifier

        linear = MultiOutputClassifier(linear)
    return [
        ("linear", linear),
        ("nearest neighbours", make_pipeline(few, StandardScaler(), KNeighborsClassifier(near))),
        ("trees", ExtraTreesClassifier(60, min_samples_leaf=2, random_state=0)),
    ]


def _predicted(model: Any, x: np.ndarray, y: np.ndarray, new: np.ndarray, target: Target) -> np.ndarray:
    if target.kind == "regression":
        truth = y.reshape(len(y), -1)
        return np.asarray(model.fit(x, truth[:, 0] if truth.shape[1] == 1 else truth).predict(new)).reshape(
            len(new), -1
        )
    if target.kind == "multilabel":
        found = model.fit(x, y.reshape(len(y), -1)).predict_proba(new)
        return np.stack([p[:, 1] if p.shape[1] > 1 else p[:, 0] for p in found], axis=1)
    model.fit(x, labels_of(target, y))
    outputs = np.zeros((len(new), max(target.classes, int(model.classes_.max()) + 1)))
    outputs[:, model.classes_] = model.predict_proba(new)
    return outputs[:, 1:2] if target.kind == "binary" else outputs


def _one(y: Nested) -> np.ndarray | None:
    found = leaves(y)
    return found[0] if len(found) == 1 and found[0].dtype.kind in "iufb" else None


def _stacked(a: Rows, b: Rows) -> Nested:
    return [np.concatenate([p, q]) for p, q in zip(leaves(a.x), leaves(b.x), strict=True)]


def _values(leaf: np.ndarray) -> np.ndarray:
    """Vectors; pictures, and what is longer than FEATURES, are thinned evenly."""
    if leaf.ndim == 4:
        step = 1
        while leaf.shape[1] * leaf.shape[2] * leaf.shape[3] // step**2 > FEATURES:
            step += 1
        height, width = leaf.shape[1] // step, leaf.shape[2] // step
        cut = leaf[:, : height * step, : width * step].astype("float32")
        leaf = cut.reshape(len(leaf), height, step, width, step, -1).mean(axis=(2, 4))
    found = leaf.reshape(len(leaf), -1).astype("float32")
    step = -(-found.shape[1] // FEATURES)
    return found[:, ::step]


def _counted(tokens: np.ndarray) -> np.ndarray:
    """How often each of at most FEATURES tokens, the commonest, occurs in a sequence."""
    known, counts = np.unique(tokens, return_counts=True)
    known = np.sort(known[np.argsort(-counts)][:FEATURES])
    place = np.searchsorted(known, tokens).clip(0, len(known) - 1)
    right = known[place] == tokens
    found = np.zeros((len(tokens), len(known)), "float32")
    np.add.at(found, (np.nonzero(right)[0], place[right]), 1.0)
    return found


def _texts(leaf: np.ndarray) -> np.ndarray:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    terms = TfidfVectorizer(max_features=5000).fit_transform(leaf.reshape(-1).astype(str))
    return np.asarray(TruncatedSVD(min(COMPONENTS, terms.shape[1] - 1), random_state=0).fit_transform(terms), "float32")
