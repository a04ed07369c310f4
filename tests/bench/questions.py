"""How long the answers of a large grid take, and how much memory: one process, values in memory.

    PYTHONPATH=workflow:. python tests/bench/questions.py

By default 3 models x 26 rows x 14 targets x 5 seeds; the largest target has 7,405 examples in 40
languages, each of the others a half or less of what the one before has. Ten questions.
"""

import argparse
import resource
import time

import numpy as np

from xstilts.analysis.answers.calculation import Calculation
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.evidence import Evidence
from xstilts.experiment.questions import AskedCell, AskedClass, Point, Question

SCALES = ("points", "share", "log-odds")


def evidence(models: int, rows: int, targets: int, seeds: int, examples: int, languages: int):
    """Return random evidence."""
    random = np.random.default_rng(0)
    names = ["none", *(f"task{i}" for i in range(1, rows))]
    runs = [
        (f"m{m}", name, f"seed{s + 1}")
        for m in range(models)
        for name in names
        for s in range(seeds)
    ]
    values, ids = {}, {}
    for t in range(targets):
        n, count = max(500, examples >> t // 2), max(4, languages >> t // 2)
        hard = random.random(n, dtype=np.float32)
        ease = random.random((len(runs), 1), dtype=np.float32)
        for lang in range(count):
            noise = random.random((len(runs), n), dtype=np.float32)
            key = (f"target{t}", f"l{lang}")
            values[key] = (noise + ease > 2 * hard).astype(np.float32)
            ids[key] = [f"{t} {i}" for i in range(n)]
    return Evidence(runs, values, ids)


def cells(found: Evidence, rows, targets=None, languages=None) -> tuple[AskedCell, ...]:
    """Return the cells of some rows, of all models."""
    return tuple(
        AskedCell(model, row, "none", target, lang)
        for model, row in found.rows
        if row in rows
        for target, lang in found.values
        if (targets is None or target in targets) and (languages is None or lang in languages)
    )


def questions(found: Evidence) -> list[Question]:
    """Return ten: classes of targets, rows and languages, slopes by dose, language and headroom."""
    names = list(dict.fromkeys(row for _, row in found.rows if row != "none"))
    targets = list(dict.fromkeys(target for target, _ in found.values))
    languages = list(dict.fromkeys(lang for _, lang in found.values))

    def one(name, *points):
        return AskedClass(name, points)

    def asked(name, classes, **about):
        return Question(name, name, tuple(classes), scales=SCALES, **about)

    half, third = len(names) // 2, len(targets) // 3
    by_rows = [
        one("a", Point(cells(found, names[:half]))),
        one("b", Point(cells(found, names[half:]))),
    ]
    by_targets = [
        one(str(i), Point(cells(found, names, targets[i : i + third])))
        for i in range(0, 3 * third, third)
    ]
    dose = [
        one(
            letter,
            *(Point(cells(found, [n], part), 10.0**i) for i, n in enumerate(names[:5])),
        )
        for letter, part in (("near", targets[:half]), ("far", targets[half:]))
    ]
    along = [
        one(
            "all",
            *(
                Point(cells(found, names, None, [lang]), float(i))
                for i, lang in enumerate(languages)
            ),
        )
    ]
    room = [one("all", *(Point(cells(found, names, [t]), label=t) for t in targets))]
    return [
        asked("rows", by_rows, contrast="first"),
        asked("targets", by_targets, contrast="first"),
        asked("each row", [one(n, Point(cells(found, [n]))) for n in names]),
        asked("each target", [one(t, Point(cells(found, names, [t]))) for t in targets]),
        asked("each language", [one(x, Point(cells(found, names, None, [x]))) for x in languages]),
        asked("all", [one("all", Point(cells(found, names)))]),
        asked("dose", dose, contrast="first", along="intermediate rows", scale="log10"),
        asked("distance", along, along="language distance", scale="linear"),
        asked("distance, ranked", along, along="language distance", scale="rank"),
        asked("room", room, along="target headroom", scale="linear"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    sizes = dict(models=3, rows=26, targets=14, seeds=5, examples=7405, languages=40)
    for name, default in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    found = evidence(**vars(parser.parse_args()))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    total = sum(array.size for array in found.values.values())
    print(f"{total:,} values, {held:.1f} GB with them in memory")
    estimator, begin = Estimator(found), time.perf_counter()
    for question in questions(found):
        start = time.perf_counter()
        asked = Calculation(question, estimator)
        rows = len(asked.table()) + len(asked.points())
        print(f"{question.name:20} {rows:4} estimates {time.perf_counter() - start:6.1f} s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"ten questions: {time.perf_counter() - begin:.1f} s, {peak:.1f} GB at most")


if __name__ == "__main__":
    main()
