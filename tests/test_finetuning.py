"""Fine-tuning in trials: features once, the head first, and the same result whichever way it is computed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_recipe import training
from keras_recipe.core.config import Config
from keras_recipe.core.journal import read, select
from keras_recipe.core.records import CheckRun, Decision, Plan, Trial
from keras_recipe.data import load, synthetic
from keras_recipe.learner import Learner
from keras_recipe.models import weights
from keras_recipe.models.suggestion import best_at_hand, suggest_model
from keras_recipe.problem import Problem, Split
from keras_recipe.recipe import Recipe
from keras_recipe.stages.overfit import default_config, first_model, overfit
from keras_recipe.training import Outcome, run_trial, seconds_an_epoch

HEAD = "backbone(alpha=0.25, name='applications:MobileNet', size=64)"
RANDOM = "backbone(alpha=0.25, name='applications:MobileNet', size=64, train='head', weights='random')"
ALL = "backbone(alpha=0.25, name='applications:MobileNet', size=64, train='all')"


@pytest.fixture(scope="module", autouse=True)
def weights_at_hand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Weights of a small backbone, with batch statistics of noise: with those it is built with, features vanish."""
    folder = tmp_path_factory.mktemp("weights")
    keras.utils.set_random_seed(1)
    backbone = keras.applications.MobileNet(alpha=0.25, include_top=False, weights=None, input_shape=(64, 64, 3))
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.0
    backbone(np.random.default_rng(0).normal(size=(32, 64, 64, 3)).astype("float32"), training=True)
    backbone.save_weights(folder / "mobilenet_v1_0.25_224_notop.weights.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.VARIABLE, str(folder))
        patch.setenv("KERAS_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def photos() -> Problem:
    """Two classes of photos, one a little redder."""
    generator = np.random.default_rng(0)
    y = np.arange(120) % 2
    x = generator.integers(0, 200, (120, 64, 64, 3))
    x[..., 0] += 40 * y[:, None, None]
    return load((x.astype("uint8"), y), name="photos")


def run(
    problem: Problem, model: str, epochs: int = 6, learner: Learner | None = None, schedule: str = "", **more: object
) -> Outcome:
    config = Config(model, "adam(learning_rate=0.003)", batch_size=16, epochs=epochs, schedule=schedule)
    return run_trial(learner or Learner(problem), config, 0, **more)  # type: ignore[arg-type]


def test_a_head_on_features_is_the_head_behind_the_whole_pass(photos: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    quick = run(photos, HEAD)
    monkeypatch.setattr("keras_recipe.learner.FEATURE_BYTES", 0)
    whole = run(photos, HEAD)
    np.testing.assert_allclose(quick.trial.history["loss"], whole.trial.history["loss"], rtol=1e-3)
    np.testing.assert_allclose(quick.predictions, whole.predictions, atol=1e-3)
    for a, b in zip(quick.weights, whole.weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-3)


def test_a_short_run_behind_a_frozen_backbone_is_one_on_features(photos: Problem) -> None:
    x, y = np.asarray(photos.train.x[:32]), photos.train.y[:32]
    order = np.random.default_rng(0).integers(32, size=(12, 8)).astype("int32")
    loop = Learner(photos).loop(Config(HEAD, "adam(learning_rate=0.003)"))
    loop.reset(3)
    rest, features = loop.behind_the_frozen(x)
    assert features.shape == (32, rest.input_values)
    np.testing.assert_allclose(rest.predict(features), loop.predict(x), atol=1e-5)
    quick = rest.train(features, y, order)[0]
    loop.reset(3)
    np.testing.assert_allclose(quick, loop.train(x, y, order)[0], rtol=1e-3)
    assert loop.behind_the_frozen(x)[1] is features  # pretrained: the same for every seed
    other = loop.behind_the_frozen(x[::-1])[1]
    np.testing.assert_allclose(other, features[::-1], atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [Config(ALL), Config(HEAD, augmentation="flip()"), Config("mlp(depth=1, width=8)")],
    ids=["unfrozen", "augmented", "no backbone"],
)
def test_a_short_run_of_what_is_not_frozen_is_one_on_the_inputs(photos: Problem, config: Config) -> None:
    x, loop = np.asarray(photos.train.x[:4]), Learner(photos).loop(config)
    same, seen = loop.behind_the_frozen(x)
    assert same is loop
    assert seen is x


def test_a_frozen_backbone_that_knows_nothing_is_another_one_for_every_seed(photos: Problem) -> None:
    x, loop = np.asarray(photos.train.x[:4]), Learner(photos).loop(Config(RANDOM))
    features = []
    for seed in (0, 1, 0):
        loop.reset(seed)
        features.append(loop.behind_the_frozen(x)[1])
    assert not np.array_equal(features[0], features[1])
    np.testing.assert_array_equal(features[0], features[2])


def test_features_are_computed_once_for_all_trials(photos: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    computed: list[int] = []
    original = Learner._computed

    def counted(self: Learner, apply, told, rows):  # type: ignore[no-untyped-def]
        computed.append(1)
        return original(self, apply, told, rows)

    monkeypatch.setattr(Learner, "_computed", counted)
    learner = Learner(photos)
    for model in (HEAD, HEAD.replace(")", ", dropout=0.2)"), HEAD, ALL):
        run(photos, model, 2, learner)
    assert len(computed) == 1
    run(photos, HEAD.replace("64", "96"), 2, learner)
    assert len(computed) == 2


def test_what_features_will_cost_is_measured_on_a_few_of_them(photos: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "FEATURE_ROWS", 16)
    learner, config = Learner(photos), Config(HEAD, epochs=1)
    assert seconds_an_epoch(learner, config) > 0
    assert learner.feature_seconds(config) > 0
    assert not learner._features
    learner.training(config, 0)
    assert learner.feature_seconds(config) == 0.0
    assert learner.feature_seconds(config.replace(augmentation="flip()")) == 0.0


def test_a_share_behind_a_frozen_backbone_trains_as_it_does_behind_the_whole_pass(
    photos: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config(HEAD, "adam(learning_rate=0.003)", batch_size=16, epochs=6, train_share=0.5)
    learner = Learner(photos)
    quick = run_trial(learner, config, 1)
    rows = learner.rows(config, 1)
    assert quick.trial.examples == len(rows) // 16 * 16
    assert len(learner.training(config, 1).phases[0].train.split.x) == len(photos.train)  # one table for all shares
    monkeypatch.setattr("keras_recipe.learner.FEATURE_BYTES", 0)
    whole = run_trial(Learner(photos), config, 1)
    np.testing.assert_allclose(quick.trial.history["loss"], whole.trial.history["loss"], rtol=1e-3)
    np.testing.assert_allclose(quick.predictions, whole.predictions, atol=1e-3)
    assert quick.trial.train_score == pytest.approx(whole.trial.train_score, abs=1e-6)


def test_a_share_behind_a_frozen_backbone_sees_no_other_rows(photos: Problem) -> None:
    config = Config(HEAD, "adam(learning_rate=0.003)", batch_size=16, epochs=4, train_share=0.5)
    others = np.setdiff1d(np.arange(len(photos.train)), Learner(photos).rows(config, 1))
    x = np.asarray(photos.train.x).copy()
    # Of the same level as before, from which the preprocessing is read.
    x[others] = np.random.default_rng(1).permutation(x[others].ravel()).reshape(x[others].shape)
    changed = replace(photos, train=replace(photos.train, x=x))
    first, other = (run_trial(Learner(p), config, 1) for p in (photos, changed))
    assert first.trial.history == other.trial.history
    assert first.trial.train_score == other.trial.train_score


def redder(problem: Problem, count: int, seed: int, label: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Photos like those of training; of one label where that is asked for."""
    MADE.append(count)
    generator = np.random.default_rng(seed)
    y = np.arange(count) % 2
    x = generator.integers(0, 200, (count, 64, 64, 3))
    x[..., 0] += 40 * y[:, None, None]
    return x.astype("uint8"), (y if label < 0 else np.full(count, label)).astype("int32")


MADE: list[int] = []


@pytest.fixture
def small_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred simulated photos, not a thousand."""
    monkeypatch.setattr(synthetic, "pool_size", lambda problem: 100)


@pytest.mark.usefixtures("small_pool")
def test_simulated_examples_behind_a_frozen_backbone_are_features_too(
    photos: Problem, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = f"{__name__}:redder(share=0.5)"
    config = Config(HEAD, "adam(learning_rate=0.003)", batch_size=16, epochs=6, synthetic=half)
    learner = Learner(photos)
    MADE.clear()
    assert learner.feature_seconds(config) > 0
    quick = run_trial(learner, config, 0)
    (phase,) = learner.training(config, 0).phases
    assert phase.mixed is not None
    assert phase.mixed.split.x.shape[1:] == phase.train.split.x.shape[1:]
    assert len(phase.mixed.split) == len(photos.train) + 100
    assert learner.feature_seconds(config) == 0.0
    run_trial(learner, config.replace(synthetic=f"{__name__}:redder(share=0.25)"), 0)
    assert MADE == [100]  # once for all trials and shares
    monkeypatch.setattr("keras_recipe.learner.FEATURE_BYTES", 0)
    whole = run_trial(Learner(photos), config, 0)
    np.testing.assert_allclose(quick.trial.history["loss"], whole.trial.history["loss"], rtol=1e-3)
    np.testing.assert_allclose(quick.trial.history["score"], whole.trial.history["score"], atol=1e-6)
    np.testing.assert_allclose(quick.predictions, whole.predictions, atol=1e-3)


@pytest.mark.usefixtures("small_pool")
def test_simulated_examples_behind_a_frozen_backbone_are_trained_on_and_never_scored(photos: Problem) -> None:
    config = Config(HEAD, "adam(learning_rate=0.01)", batch_size=16, epochs=12)
    wrong = config.replace(synthetic=f"{__name__}:redder(label=1, share=0.9)")
    learner = Learner(photos)
    honest, misled = run_trial(learner, config, 0).trial, run_trial(learner, wrong, 0).trial
    real = float(np.mean(photos.train.y == 1))
    assert abs(misled.train_score - real) < 0.2  # nearly all are called 1
    assert abs(misled.history["score"][-1] - real) < 0.25  # counted with the simulated ones, it would be 0.9
    assert honest.train_score > misled.train_score
    assert misled.examples == honest.examples


@pytest.mark.usefixtures("small_pool")
def test_simulated_photos_follow_into_the_phase_that_is_fine_tuned(photos: Problem) -> None:
    config = Config(ALL, batch_size=16, epochs=12, synthetic=f"{__name__}:redder(share=0.5)")
    head, whole = Learner(photos).training(config, 0).phases
    assert head.mixed is not None
    assert whole.mixed is not None
    assert (head.mixed.split.x.ndim, whole.mixed.split.x.ndim) == (2, 4)
    assert len(head.mixed.split) == len(whole.mixed.split) == len(photos.train) + 100


def test_features_end_at_the_deadline(photos: Problem) -> None:
    with pytest.raises(TimeoutError, match="features"):
        run(photos, HEAD, 1, deadline=0.0)


def test_augmentation_changes_features_so_that_they_are_not_kept(photos: Problem) -> None:
    config = Config(HEAD, "adam()", "flip()", 16, 1)
    made = Learner(photos).training(config, 0)
    assert [p.train.split.x.shape[1:] for p in made.phases] == [(64, 64, 3)]


def test_progress_of_features_is_told(photos: Problem) -> None:
    told: list[tuple[int, int]] = []
    run(photos, HEAD, 1, progress=lambda done, total, values: told.append((done, total)) if not values else None)
    assert told[-1] == (len(photos.train) + len(photos.validation),) * 2


def test_the_head_is_trained_first_and_the_backbone_joins_in_for_the_last_epochs(photos: Problem) -> None:
    made = Learner(photos).training(Config(ALL, epochs=12), 0)
    assert [p.start for p in made.phases] == [0, 10]
    assert made.phase(9).train.split.x.ndim == 2
    assert made.phase(10).train.split.x.ndim == 4
    seen: list[np.ndarray] = []

    class Watch(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            backbone = self.model.get_layer("backbone")
            seen.append(np.concatenate([np.asarray(v).ravel() for v in backbone.trainable_variables]))

    rates: list[float] = []

    class Rates(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            rates.append(float(self.model.optimizer.learning_rate))

    run(photos, ALL, 12, callbacks=[Watch(), Rates()])
    assert rates[:10] == [rates[0]] * 10
    assert rates[0] > rates[10] > 0.5 * rates[0] > rates[11] > 0  # over its own part
    rates.clear()
    run(photos, ALL, 12, schedule="cosine", callbacks=[Rates()])
    assert np.diff(rates[:10]).max() < 0
    assert rates[10] > 0.5 * rates[0] > rates[11]  # once more
    moves = [float(np.abs(b - a).max()) for a, b in itertools.pairwise(seen)]
    assert moves[:9] == [0.0] * 9
    assert all(0 < m < 0.05 for m in moves[9:]), moves[9:]


def test_a_trial_that_is_killed_while_it_is_fine_tuned_goes_on_to_the_same_result(
    photos: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training.checkpoint, "EVERY_SECONDS", 0.0)
    monkeypatch.setattr(training.checkpoint, "SHARE", 1e9)
    whole = run(photos, ALL, 12)

    class Kill(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            if epoch == self.at:
                raise KeyboardInterrupt

    for at in (4, 11):
        kill = Kill()
        kill.at = at
        with pytest.raises(KeyboardInterrupt):
            run(photos, ALL, 12, directory=tmp_path, callbacks=[kill])
    again = run(photos, ALL, 12, directory=tmp_path)
    assert again.trial.history == whole.trial.history
    for a, b in zip(again.weights, whole.weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_trial_of_a_frozen_backbone_goes_on_with_the_augmentation_where_it_was(
    photos: Problem, tmp_path: Path
) -> None:
    """Its random generators are a part of what a pause keeps, although the head is all that is trained."""
    config = Config(HEAD, "adam(learning_rate=0.01)", batch_size=16, epochs=3, augmentation="shift(factor=0.2)")
    whole = run_trial(Learner(photos), config, 0)
    run_trial(Learner(photos), config, 0, directory=tmp_path, pause=1)
    again = run_trial(Learner(photos), config, 0, directory=tmp_path)
    assert again.trial.history == whole.trial.history


def test_early_stopping_waits_for_fine_tuning(photos: Problem) -> None:
    config = Config(ALL, "adam(learning_rate=0.1)", batch_size=16, epochs=12, patience=1)
    trial: Trial = run_trial(Learner(photos), config, 0).trial
    assert trial.epochs > 10


class Many(Split):
    """A split that says it is long."""

    count = 200_000

    def __len__(self) -> int:
        return self.count


def test_the_model_to_begin_with_depends_on_the_input_and_on_the_weights_at_hand(
    photos: Problem, stripes: Problem, blobs: Problem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = suggest_model(photos)
    assert found.model == best_at_hand(photos) == HEAD.replace(", size=64", "")
    assert found.weights.endswith("mobilenet_v1_0.25_224_notop.weights.h5")
    assert "Kornblith" in found.paper
    assert default_config(photos, found.model).epochs == 60
    assert suggest_model(stripes).model.startswith("small_cnn")
    assert suggest_model(blobs).model.startswith("mlp")
    many = replace(photos, train=Many(photos.train.x, photos.train.y, photos.train.ids))
    assert "MobileNet" in suggest_model(many).model  # of a quarter of the width: 218,544 weights
    monkeypatch.setattr(Many, "count", 10**9)
    assert suggest_model(many).model.startswith("small_cnn")
    assert "too large to be suggested for 1,000,000,000 photos" in suggest_model(many).reason
    monkeypatch.setenv(weights.VARIABLE, str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    without = suggest_model(photos)
    assert (without.model, without.weights) == ("small_cnn(width=16)", "")
    assert weights.VARIABLE in without.reason
    assert best_at_hand(photos) == ""
    folder = tmp_path / "resnet_18_imagenet"
    folder.mkdir()
    (folder / "model.weights.h5").touch()
    assert "keras_hub:resnet_18_imagenet" in best_at_hand(photos)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # another project has downloaded it
    assert best_at_hand(photos) == ""


def test_the_first_model_is_recorded_with_its_reason(photos: Problem, tmp_path: Path) -> None:
    with Recipe(photos, tmp_path, 600.0, workers=1).study() as study:
        assert first_model(study) == best_at_hand(photos)
        plan = study.journal.get(Plan, "plan/overfit/first model")
    assert plan is not None
    assert "Kornblith" in plan.reason


def test_the_recipe_unfreezes_and_measures(photos: Problem, tmp_path: Path) -> None:
    result = Recipe(photos, tmp_path, 900.0, model=HEAD, moves=("backbone_rate",), workers=1).run()
    records = read(tmp_path)
    plans = {p.name: p for p in select(records, Plan)}
    assert "train='all'" in plans["chosen"].value  # no head fits features of noise
    assert any("seconds of a trial of backbone rate" in name for name in plans)
    decisions = [d for d in select(records, Decision) if d.move == "backbone_rate"]
    assert {tuple(d.change["model.rate"]) for d in decisions} == {(None, 0.3), (None, 1.0)}
    looked = {c.check: c.findings for c in select(records, CheckRun)}
    assert looked["backbone_weights"][0].severity == "ok"
    assert "sees 64 pixels (trained at 224)" in looked["backbone_weights"][0].message
    assert [f.cause for f in looked["learning_rate_lasts"]] == ["schedule"]  # it has fallen
    assert result.evaluation.verified < 1e-3


def test_a_head_that_cannot_fit_makes_the_ladder_unfreeze(photos: Problem, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).permutation(len(photos.train))
    shuffled = replace(photos, train=replace(photos.train, y=photos.train.y[noise]), fingerprint="shuffled")
    with Recipe(shuffled, tmp_path, 600.0, workers=1).study() as study:
        overfit(study, Config(HEAD, "adam(learning_rate=0.0001)", batch_size=16, epochs=2))
        tried = [t.config.get("model.train") for t in select(list(study.journal), Trial)]
    assert tried == [None, "last", "all"]
