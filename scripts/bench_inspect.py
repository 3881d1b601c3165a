"""Does `inspect` find what is planted, and does it stay quiet on what is not? And what does looking cost?

    python scripts/bench_inspect.py [--data DIR] [--only fashion|flowers|adult|text|speed|large]

Into copies of fashion_mnist, photos of flowers, adult and rt-polarity (folders of --data, by default
$KERAS_RECIPE_DATA or ../shared/data) it plants 5 % wrong labels, 2 % duplicates across splits (equal, re-encoded,
resized, reworded), ten files that cannot be decoded, a brightness shortcut and a leaking column, and prints precision
and recall of what is found, and all errors and warnings about the untouched data. `speed` compares the pass over the
files with bare decoding, `large` tells time and peak memory for a million rows and 100,000 pictures. About ten minutes
on two cores.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from keras_recipe.core.records import CheckRun, Finding
from keras_recipe.data import load
from keras_recipe.inspection import inspect
from keras_recipe.problem import Problem
from keras_recipe.survey import SPLITS, survey

WRONG, COPIES = 0.05, 0.02
Key = Callable[[str, str], str]
"""Split and example to a name that planted and found have in common."""


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("KERAS_RECIPE_DATA", "../shared/data")))
    parser.add_argument("--only", choices=PARTS)
    arguments = parser.parse_args()
    for name in [arguments.only] if arguments.only else PARTS:
        with tempfile.TemporaryDirectory() as folder:
            print(f"\n{name}", flush=True)
            PARTS[name](arguments.data, Path(folder))


def fashion(data: Path, folder: Path) -> None:
    """Arrays of small grey pictures."""
    plain = load(data / "fashion_mnist")
    parts = {n: (getattr(plain, n).x, getattr(plain, n).y.astype("int64")) for n in SPLITS}
    natural = looked(_problem(parts), folder / "untouched", "untouched")
    generator = np.random.default_rng(0)
    spoilt, wrong = {}, set()
    for name, (x, y) in parts.items():
        bad = generator.random(len(y)) < (WRONG if name != "test" else 0)
        spoilt[name] = (x, np.where(bad, (y + generator.integers(1, 10, len(y))) % 10, y))
        wrong |= {f"{name} {i}" for i in np.flatnonzero(bad)}
    pairs = _copy_rows(spoilt, generator)
    runs = looked(_problem(spoilt), folder / "planted", "5 % wrong labels and 2 % copies in other splits")
    judge_labels(runs, wrong)
    judge_duplicates(runs, natural, pairs)
    bright = {n: (np.where((y == 3)[:, None, None, None], _brighter(x), x), y) for n, (x, y) in parts.items()}
    judge_named(looked(_problem(bright), folder / "bright", "class 3 is 60 levels brighter"), "shortcuts", "3")


def flowers(data: Path, folder: Path) -> None:
    """A folder of photos, with splits of its own."""
    source = load(data / "flowers", tolerant=True)
    plain, planted, bright = (folder / n for n in ("plain", "planted", "bright"))
    for name in SPLITS:
        for path in getattr(source, name).ids:
            for target in (plain, planted, bright):
                place = target / name / path
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(data / "flowers" / path, place)
    natural = looked(load(plain, tolerant=True), folder / "untouched", "untouched")
    generator = np.random.default_rng(0)
    files = np.array(sorted(p for n in SPLITS[:2] for p in (planted / n).rglob("*.jpg")))
    generator.shuffle(files)
    copied, moved, damaged, _ = np.split(files, np.cumsum([int(COPIES * len(files)), int(WRONG * len(files)), 10]))
    pairs = [(p.name, _copied_file(p, planted, k).name) for k, p in enumerate(copied)]
    for path in moved:
        others = sorted(p for p in path.parent.parent.iterdir() if p != path.parent)
        path.rename(others[generator.integers(len(others))] / path.name)
    for path, damage in zip(damaged, DAMAGES, strict=True):
        path.write_bytes(damage(path.read_bytes()))
    runs = looked(load(planted, tolerant=True), folder / "run", "5 % wrong labels, 2 % copies, 10 corrupt files")
    judge_labels(runs, {p.name for p in moved}, file_name)
    judge_duplicates(runs, natural, pairs, file_name)
    found = {s.example for f in of(runs, "picture_files") if f.cause == "corrupt" for s in f.suspects}
    corrupt = {str(p.relative_to(planted)) for p in damaged}
    print(f"  corrupt files: {len(found & corrupt)} of {len(corrupt)} found by path, {len(found - corrupt)} others")
    for path in bright.rglob("daisy/*.jpg"):
        with Image.open(path) as image:
            Image.fromarray(_brighter(np.asarray(image.convert("RGB")))).save(path, quality=90)
    judge_named(
        looked(load(bright, tolerant=True), folder / "b", "daisies are 60 levels brighter"), "shortcuts", "daisy"
    )


def adult(data: Path, folder: Path) -> None:
    """A table with words and numbers."""
    import pandas as pd

    rows = pd.read_csv(data / "tabular/adult-train.csv", header=None, skipinitialspace=True, dtype=str)
    rows.columns = [*map(str, range(14)), "label"]
    plain = folder / "plain.csv"
    rows.to_csv(plain, index=False)
    natural = looked(load(plain), folder / "untouched", "untouched")
    generator = np.random.default_rng(0)
    splits = {int(i): n for n in SPLITS for i in getattr(load(plain), n).ids}
    spoilt = rows.copy()
    bad = (generator.random(len(rows)) < WRONG) & np.array([splits[i] != "test" for i in range(len(rows))])
    other = {"<=50K": ">50K", ">50K": "<=50K"}
    spoilt.loc[bad, "label"] = rows.loc[bad, "label"].map(other)
    path = folder / "planted.csv"
    spoilt.to_csv(path, index=False)
    runs = looked(load(path), folder / "labels", "5 % wrong labels")
    wrong = {str(i) for i in np.flatnonzero(bad)}
    judge_labels(runs, wrong, row_number)
    picked = generator.choice(len(rows), int(COPIES * len(rows)), replace=False)
    pd.concat([rows, rows.iloc[picked]]).to_csv(path, index=False)
    runs = looked(load(path), folder / "copies", "2 % equal rows")
    pairs = [(str(i), str(len(rows) + k)) for k, i in enumerate(picked)]
    judge_duplicates(runs, natural, pairs, row_number)
    leak = (rows["label"] == ">50K").map({True: 7, False: 3}) + generator.integers(0, 2, len(rows)) * 10
    rows.assign(code=leak).to_csv(path, index=False)
    judge_named(
        looked(load(path, target="label"), folder / "leak", "a column that holds the label"), "single_column", "code"
    )


def text(data: Path, folder: Path) -> None:
    """A table of sentences."""
    import pandas as pd

    sides = {name: (data / f"text/rt-polarity.{name}").read_text("latin-1").splitlines() for name in ("pos", "neg")}
    rows = pd.DataFrame([(line.strip(), name) for name, lines in sides.items() for line in lines])
    rows.columns = ["review", "label"]
    rows = rows.sample(frac=1.0, random_state=0, ignore_index=True)
    path = folder / "reviews.csv"
    rows.to_csv(path, index=False)
    natural = looked(load(path, tolerant=True), folder / "untouched", "untouched")
    generator = np.random.default_rng(0)
    bad = generator.random(len(rows)) < WRONG
    spoilt = rows.assign(label=np.where(bad, rows["label"].map({"pos": "neg", "neg": "pos"}), rows["label"]))
    spoilt.to_csv(path, index=False)
    problem = load(path, tolerant=True)
    tested = set(problem.test.ids)
    runs = looked(problem, folder / "labels", "5 % wrong labels")
    judge_labels(runs, {str(i) for i in np.flatnonzero(bad)} - tested, row_number)
    long = [i for i, review in enumerate(rows["review"]) if len(review.split()) >= 15]
    picked = generator.choice(long, int(COPIES * len(rows)), replace=False)
    copies = rows.iloc[picked].assign(review=[_reworded(rows["review"][i], k) for k, i in enumerate(picked)])
    pd.concat([rows, copies]).to_csv(path, index=False)
    runs = looked(
        load(path, tolerant=True), folder / "copies", "2 % copies: equal, in capitals, a word left out or added"
    )
    pairs = [(str(i), str(len(rows) + k)) for k, i in enumerate(picked)]
    judge_duplicates(runs, natural, pairs, row_number)


def speed(data: Path, folder: Path) -> None:
    """Pictures a second, beside bare decoding of the same files by as many threads."""
    small = sorted((data / "flowers").rglob("*.jpg"))
    large = []
    for number, path in enumerate(small[:1000]):
        place = folder / "large" / path.parent.name / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(path) as image:
            image.convert("RGB").resize((800, 600)).save(place, quality=90)
        large.append(place)
    for name, root, paths in (
        ("photos of 128 pixels", data / "flowers", small),
        ("photos of 800 x 600", folder / "large", large),
    ):
        problem = load(root, tolerant=True)
        ratios, rates = [], []
        for _ in range(5):
            bare, ours = _seconds(_decode, paths), _seconds(survey, problem, _quiet)
            ratios.append(bare / ours)
            rates.append(len(paths) / ours)
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"  {name}: {np.median(rates):,.0f} a second, {np.median(ratios):.2f} of bare decoding ({spread})")
        whole = _seconds(inspect, problem, folder / f"run of {root.name}")
        print(f"    the whole of `inspect`: {whole:.1f} s, {len(paths) / whole:,.0f} a second")


def large(data: Path, folder: Path) -> None:
    """Time and peak memory of the command on a million rows, and on 100,000 pictures."""
    generator = np.random.default_rng(0)
    table = folder / "rows.csv"
    with table.open("w") as file:
        file.write(",".join([*(f"n{i}" for i in range(8)), "city", "label\n"]))
        for _ in range(20):
            values = generator.normal(size=(50_000, 8)).round(4)
            city = generator.integers(0, 50, 50_000)
            label = values[:, 0] + values[:, 1] * (city % 3 - 1) + generator.normal(size=50_000) > 0
            file.writelines(
                f"{','.join(map(str, v))},c{c},{'yes' if y else 'no'}\n"
                for v, c, y in zip(values, city, label, strict=True)
            )
    _command("1,000,000 rows of 10 columns", table, folder)
    sources = [np.asarray(Image.open(p).convert("RGB")) for p in sorted((data / "flowers").rglob("*.jpg"))[::4]]
    pictures = folder / "pictures"
    for number in range(100_000):
        whole = sources[number % len(sources)]
        top, left = (int(generator.integers(0, size - 64)) for size in whole.shape[:2])
        place = pictures / f"class{number % 10}" / f"{number}.jpg"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(whole[top : top + 64, left : left + 64]).save(place)
    _command("100,000 pictures of 64 x 64", pictures, folder)


def looked(problem: Problem, directory: Path, what: str) -> list[CheckRun]:
    """Examine, and tell what was warned of."""
    began = time.monotonic()
    runs = inspect(problem, directory)
    print(f"  {what}: {time.monotonic() - began:.0f} s", flush=True)
    for run in runs:
        for finding in run.findings:
            if finding.severity in ("warning", "error"):
                print(f"    {finding.severity} {run.check}: {finding.message[:150]}")
    return runs


def of(runs: Iterable[CheckRun], check: str) -> list[Finding]:
    """Findings of one check."""
    return [f for r in runs if r.check == check for f in r.findings]


def in_split(split: str, example: str) -> str:
    """Name of an example where each split counts its rows by itself."""
    return f"{split} {example}"


def row_number(split: str, example: str) -> str:
    """Name of an example of a table, which was split afterwards."""
    return example


def file_name(split: str, example: str) -> str:
    """Name of a file, whatever folder it was moved to."""
    return Path(example).name


def judge_labels(runs: list[CheckRun], wrong: set[str], key: Key = in_split) -> None:
    """Average precision over all examples: those that are not suspected rank last, as one."""
    from sklearn.metrics import average_precision_score

    findings = of(runs, "label_errors")
    score = {key(s.split, s.example): s.confidence for f in findings for s in f.suspects}
    rest = next(f.evidence["judged"] for f in findings if "judged" in f.evidence) - len(score)
    missed = len(wrong - set(score))
    truth = [*(name in wrong for name in score), *[True] * missed, *[False] * (rest - missed)]
    precision = average_precision_score(truth, [*score.values(), *[0.0] * rest])
    sure = [name in wrong for name, value in score.items() if value >= 0.9]
    print(
        f"  wrong labels: average precision {precision:.3f} (at random {len(wrong) / len(truth):.3f}); "
        f"{len(score):,} suspected, recall {1 - missed / len(wrong):.3f}; "
        f"{len(sure):,} with a confidence of .9, of which {np.mean(sure) if sure else 0:.3f} are wrong"
    )


def judge_duplicates(
    runs: list[CheckRun], untouched: list[CheckRun], planted: Sequence[tuple[str, str]], key: Key = in_split
) -> None:
    """A pair is right if it was planted, found in the untouched data too, or follows from such pairs."""
    found, natural = _pairs(runs, key), _pairs(untouched, key)
    same, told = _groups([*planted, *natural]), _groups(found)
    recalled = sum(told(a) == told(b) for a, b in planted)
    right = sum(same(a) == same(b) for a, b in found)
    print(
        f"  duplicates: recall {recalled / len(planted):.4f} of {len(planted):,} planted, precision "
        f"{right / max(len(found), 1):.4f} of {len(found):,} found ({len(natural):,} pairs are in the untouched data)"
    )


def judge_named(runs: list[CheckRun], check: str, name: str) -> None:
    """Whether the check warns, and names the culprit."""
    named = [f for f in of(runs, check) if f.severity == "warning" and f"{name!r}" in f.message]
    print(f"  {check}: {'named' if named else 'NOT named'} {name!r}")


def _pairs(runs: list[CheckRun], key: Key) -> list[tuple[str, str]]:
    pairs = [p for f in of(runs, "duplicates") for p in f.evidence.get("of", [])]
    return [(key(a, b), key(c, d)) for a, b, c, d in pairs]


def _groups(pairs: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """Name to a representative of all names that these pairs tie to it."""
    above: dict[str, str] = {}

    def root(name: str) -> str:
        while name in above:
            name = above[name]
        return name

    for a, b in pairs:
        if root(a) != root(b):
            above[root(a)] = root(b)
    return root


def _problem(parts: dict[str, tuple[np.ndarray, np.ndarray]]) -> Problem:
    return load(parts["train"], validation=parts["validation"], test=parts["test"], tolerant=True, name="fashion")


def _copy_rows(
    parts: dict[str, tuple[np.ndarray, np.ndarray]], generator: np.random.Generator
) -> list[tuple[str, str]]:
    """Add copies of training rows to validation and test: equal, re-encoded, shrunk and enlarged; their names."""
    x, y = parts["train"]
    pairs = []
    total = sum(len(labels) for _, labels in parts.values())
    chosen = generator.choice(len(y), int(COPIES * total), replace=False)
    for number, name in enumerate(("validation", "test")):
        rows = chosen[number::2]
        copies = np.stack([_copy(x[row, ..., 0], k % 4)[..., None] for k, row in enumerate(rows)])
        start = len(parts[name][1])
        parts[name] = (np.concatenate([parts[name][0], copies]), np.concatenate([parts[name][1], y[rows]]))
        pairs += [(f"train {row}", f"{name} {start + k}") for k, row in enumerate(rows)]
    return pairs


def _copy(picture: np.ndarray, kind: int) -> np.ndarray:
    image = Image.fromarray(picture)
    size = image.size
    if kind == 1:
        image = _encoded(image, 75)
    elif kind == 2:
        image = image.resize((size[0] * 3 // 4, size[1] * 3 // 4), Image.Resampling.BICUBIC)
    elif kind == 3:
        image = _encoded(image.resize((size[0] * 3 // 2, size[1] * 3 // 2), Image.Resampling.BICUBIC), 75)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def _encoded(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer)


def _copied_file(path: Path, root: Path, number: int) -> Path:
    """A copy in another split: equal, re-encoded, as PNG, at half and at one and a half times its size."""
    split = "validation" if path.relative_to(root).parts[0] == "train" else "train"
    place = root / split / path.parent.name / f"copy{number}{'.png' if number % 5 == 2 else '.jpg'}"
    if number % 5 == 0:
        shutil.copy(path, place)
        return place
    with Image.open(path) as image:
        factor = {3: 0.5, 4: 1.5}.get(number % 5, 1)
        copy = image.convert("RGB").resize((int(image.width * factor), int(image.height * factor)))
        copy.save(place, quality=60)  # of which PNG takes no notice
    return place


def _reworded(sentence: str, number: int) -> str:
    """The sentence as it is, in capitals, without its fifth word, or with one word more."""
    words = sentence.split()
    changed = (words, [w.upper() for w in words], [*words[:4], *words[5:]], [*words, "indeed"])
    return " ".join(changed[number % 4])


def _as(kind: str) -> Callable[[bytes], bytes]:
    def convert(content: bytes) -> bytes:
        buffer = io.BytesIO()
        Image.open(io.BytesIO(content)).convert("RGB").save(buffer, kind)
        return buffer.getvalue()

    return convert


def _animated(content: bytes) -> bytes:
    buffer = io.BytesIO()
    frame = Image.open(io.BytesIO(content)).convert("RGB")
    frame.save(buffer, "WEBP", save_all=True, append_images=[frame.rotate(90)])
    return buffer.getvalue()


DAMAGES: tuple[Callable[[bytes], bytes], ...] = (
    lambda content: b"",
    lambda content: content[: len(content) // 2],
    lambda content: content[:-20],
    lambda content: content[:300],
    lambda content: b"<html>not found</html>",
    lambda content: bytes(len(content)),
    lambda content: _as("PNG")(content)[:-8],
    lambda content: _as("PNG")(content)[:5000],
    _as("TIFF"),
    _animated,
)
"""Ten ways in which a file can be broken, or be something else than it says."""


def _brighter(pictures: np.ndarray) -> np.ndarray:
    return np.minimum(pictures.astype("int64") + 60, 255).astype("uint8")


def _decode(paths: Sequence[Path]) -> None:
    def decode(start: int) -> None:
        for path in paths[start : start + 32]:
            with Image.open(path) as image:
                image.load()

    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:
        list(threads.map(decode, range(0, len(paths), 32)))


def _quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


def _seconds(work: Callable[..., object], *arguments: object) -> float:
    began = time.monotonic()
    work(*arguments)
    return time.monotonic() - began


def _command(what: str, source: Path, folder: Path) -> None:
    began = time.monotonic()
    command = [
        sys.executable,
        "-m",
        "keras_recipe",
        "inspect",
        str(source),
        "--out",
        str(folder / f"{source.stem} run"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds, peak = time.monotonic() - began, usage.ru_maxrss / 1024
    print(f"  {what}: {seconds:.0f} s, at most {peak:,.0f} MB, exit status {process.returncode}")


PARTS: dict[str, Callable[[Path, Path], None]] = {
    "fashion": fashion, "flowers": flowers, "adult": adult, "text": text, "speed": speed, "large": large,
}  # fmt: skip

if __name__ == "__main__":
    main()
