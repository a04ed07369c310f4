"""How often the interval of a correlation of alignment with the gain holds the truth, and how often
one is claimed where points are not related.

    PYTHONPATH=workflow:. python tests/bench/relations.py [--experiments N] [--only PART OF A NAME]

Simulated grids (`worlds.py`) whose encoders have an alignment too: in each language and layer a
true change of the row, and luck, which may be that of the scores of the same seed. The true changes
and gains of the points of a grid are drawn anew in each, so points can be permuted. Columns:

- held: 95% intervals, of each layer by itself, that hold the rank correlation of the true values;
- best: the same, of the layer that says most;
- any: grids in which any correlation is claimed (of grids of related points: the power);
- each: the same if no layer knew of the others; alone: by permutation alone, any interval.
"""

import argparse
import time
from collections.abc import Iterator
from typing import NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
from scipy import stats
from tests.bench import worlds
from tests.bench.coverage import share
from tests.bench.settings import Size
from tests.bench.worlds import NONE, World

from xstilts.analysis import ranks, relations
from xstilts.analysis.answers import aligned, relation, relation_text
from xstilts.analysis.estimates import Estimator
from xstilts.analysis.evidence import Evidence
from xstilts.experiment.cells import NOSEED
from xstilts.experiment.questions import (
    LANGUAGE,
    ROW,
    Aligned,
    AskedCell,
    AskedClass,
    Point,
    Question,
    Relation,
)  # fmt: skip

DRAWS = 1000
SET = Aligned("set", "cka", ())
GAIN = 0.02  # deviation of the true gains of points
CHANGE = 0.1  # deviation of the true changes in alignment


class Setting(NamedTuple):
    """One line of the table.

    Attributes:
        size: of the grid.
        across: what a point is.
        related: correlation of the true changes with the true gains of points.
        layers: how many; their changes correlate by 0.8 with those of the next.
        noise: deviation of the alignment over seeds, in units of `CHANGE`.
        luck: part of its variance that is the luck of the seed's scores.
        families: of rows, which differ in both by so many deviations (`between`).
        given: correlation of both with a trait of the points that is taken out.
    """

    name: str
    size: Size
    across: str = ROW
    related: float = 0.0
    layers: int = 1
    noise: float = 0.5
    luck: float = 0.0
    families: int = 1
    between: float = 0.0
    given: float = 0.0


ROWS, MANY, LANGUAGES = Size(rows=6), Size(rows=12), Size(rows=3, languages=10)
SETTINGS = [
    Setting("rows, one layer", ROWS),
    Setting("rows, one layer, related", ROWS, related=0.95),
    Setting("12 rows, one layer", MANY),
    Setting("12 rows, one layer, related", MANY, related=0.8),
    Setting("12 rows, little noise", MANY._replace(luck=0.003, examples=600), noise=0.05),
    Setting("12 rows, much noise", MANY._replace(luck=0.04), noise=2.0),
    Setting("12 rows, 5 seeds", MANY._replace(seeds=5)),
    Setting("12 rows, 13 layers", MANY, layers=13),
    Setting("12 rows, 13 layers, related", MANY, related=0.8, layers=13),
    Setting("12 rows, luck in common", MANY._replace(luck=0.03), noise=1.0, luck=1.0),
    Setting("12 rows, the same, 5 seeds", MANY._replace(luck=0.03, seeds=5), noise=1.0, luck=1.0),
    Setting("12 rows, half of it, 13 layers", MANY, layers=13, luck=0.5),
    Setting("languages, one layer", LANGUAGES, LANGUAGE),
    Setting("languages, 13 layers", LANGUAGES, LANGUAGE, layers=13),
    Setting("languages, 13 layers, related", LANGUAGES, LANGUAGE, 0.8, layers=13),
    Setting("languages, a trait of both", LANGUAGES, LANGUAGE, given=0.8),
    Setting("12 rows, 3 families", MANY, families=3, between=2.0),
    Setting("12 rows, 3 families, 13 layers", MANY, layers=13, families=3, between=2.0),
]


class Truth(NamedTuple):
    """The true values of points: `gain` array (points,), `change` array (layers, points), `family`
    the number of the family of each, `given` its trait."""

    gain: np.ndarray
    change: np.ndarray
    family: np.ndarray
    given: np.ndarray


def truth(setting: Setting, rng: np.random.Generator) -> Truth:
    """Return true values of the points of a grid; layers are a chain of correlated ones."""
    points = setting.size.rows if setting.across == ROW else setting.size.languages
    family = np.arange(points) % setting.families
    given, rest = rng.standard_normal(points), np.sqrt(1 - setting.given**2)
    gain = rng.standard_normal(points)
    change = np.empty((setting.layers, points))
    for layer in range(setting.layers):
        own = rng.standard_normal(points)
        change[layer] = 0.8 * change[layer - 1] + 0.6 * own if layer else own
    change = setting.related * gain + np.sqrt(1 - setting.related**2) * change
    apart = setting.between * (family - (setting.families - 1) / 2)
    gain, change = (rest * side + setting.given * given + apart for side in (gain, change))
    return Truth(gain, change, family, given)


def simulated(
    setting: Setting, true: Truth, rng: np.random.Generator
) -> tuple[World, Evidence, pd.DataFrame]:
    """Return the world of a grid, what a run would have left, and the alignments of its encoders.

    The luck of a seed is that of its scores, as their mean over all targets shows it.
    """
    by_row = setting.across == ROW

    def gain(row: int, target: int, language: int) -> float:
        return 0.05 + GAIN * float(np.clip(true.gain[row if by_row else language], -4, 4))

    world = setting.size.world(gain)
    evidence = worlds.simulate(world, rng)
    evidence = Evidence(
        [*evidence.runs, *aligned.runs([world.model])],
        {
            key: np.vstack([v, np.full((1, v.shape[1]), np.nan)])
            for key, v in evidence.values.items()
        },
        evidence.ids,
    )
    scores = np.mean([v.mean(axis=1) for v in evidence.values.values()], axis=0)
    rows = []
    for i, (model, row, seed) in enumerate(evidence.runs):
        if (row == NONE) != (seed == NOSEED):
            continue
        number = -1 if row == NONE else int(row[1:])
        expected = 0 if row == NONE else _expected(world, row)
        luck = 0.0 if row == NONE else (scores[i] - expected) / (world.luck or 1)
        own = rng.standard_normal(setting.layers)
        for j, language in enumerate(world.languages):
            for layer in range(setting.layers):
                point = number if by_row else j
                value = 0.0 if row == NONE else float(true.change[layer, point])
                drawn = np.sqrt(setting.luck) * luck + np.sqrt(1 - setting.luck) * own[layer]
                value += 0.0 if row == NONE else setting.noise * drawn
                key = (model, row, seed, SET.set, language, layer, SET.measure)
                rows.append((*key, CHANGE * value, 1000))
    columns = [
        "model",
        "intermediate",
        "seed",
        "set",
        "language",
        "layer",
        "measure",
        "value",
        "sentences",
    ]
    frame = pd.DataFrame(rows, columns=columns)
    return world, aligned.extended(evidence, frame, [SET]), frame


def _expected(world: World, row: str) -> float:
    cells = [world.score(row, target, lang) for target in world.targets for lang in world.languages]
    return float(np.mean(cells))


def question(setting: Setting, world: World, true: Truth) -> Question:
    """Return the question whether alignment goes with the gain in the points of a world."""
    names = world.rows if setting.across == ROW else world.languages
    within, given = setting.families > 1, setting.given > 0
    points = []
    for i, name in enumerate(names):
        cells = tuple(
            AskedCell(world.model, row, NONE, target, language)
            for row in ([name] if setting.across == ROW else world.rows)
            for target in world.targets
            for language in ([name] if setting.across == LANGUAGE else world.languages)
        )
        family = f"f{true.family[i]}" if within else ""
        points.append(Point(cells, None, name, family, (float(true.given[i]),) if given else ()))
    related = Relation(setting.across, ("x y",) if given else (), "x z" if within else "")
    one = AskedClass("all", tuple(points))
    return Question("q", "q", (one,), aligned=SET, relation=related)


class Outcome(NamedTuple):
    """What grids showed: arrays (grids,), but `held` (grids, layers)."""

    held: np.ndarray
    best: np.ndarray
    any: np.ndarray
    each: np.ndarray
    alone: np.ndarray


def outcome(
    setting: Setting, experiments: int, seed: int = 0, draws: int = DRAWS
) -> dict[str, Outcome]:
    """Return what simulated grids show, by kind of correlation.

    Args:
        draws: of estimates, and permutations.
    """
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[object, ...]]] = {}
    for _ in range(experiments):
        true = truth(setting, rng)
        world, evidence, _ = simulated(setting, true, rng)
        with (
            mock.patch.object(ranks, "DRAWS", draws),
            mock.patch.object(relations, "PERMUTATIONS", draws),
        ):
            table = relation.Related(question(setting, world, true), Estimator(evidence)).table()
        best = relation_text.strongest(table).set_index("kind")["layer"]
        for kind, part in table[table["tested"]].groupby("kind"):
            right = np.array([_right(kind, true, int(layer)) for layer in part["layer"]])
            held = ((part["low"] <= right) & (right <= part["high"])).to_numpy()
            beyond = (part["low"] > 0) | (part["high"] < 0)
            at = (part["layer"] == best[kind]).to_numpy()
            line = (
                held, held[at][0], part["agrees"].any(), (beyond & (part["p"] < 0.05)).any(),
                (part["p holm"] < 0.05).any(),
            )  # fmt: skip
            found.setdefault(str(kind), []).append(line)
    return {
        kind: Outcome(*(np.array(column, float) for column in zip(*lines, strict=True)))
        for kind, lines in found.items()
    }


def _right(kind: str, true: Truth, layer: int) -> float:
    """Return the rank correlation of the true values of points, worked out otherwise than in
    `relations`: by pandas, or by the formula of a partial correlation."""
    x, y = true.change[layer], true.gain
    if kind == "within":
        sizes = {f: (true.family == f).sum() - 1 for f in set(true.family)}
        parts = [
            n * stats.spearmanr(x[true.family == f], y[true.family == f]).statistic
            for f, n in sizes.items()
        ]
        return float(sum(parts) / sum(sizes.values()))
    xy = stats.spearmanr(x, y).statistic
    if kind == "partial":
        xz, yz = (stats.spearmanr(side, true.given).statistic for side in (x, y))
        return float((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))
    return float(xy)


HEADER = f"{'':42} {'held':^10} {'best':^10} {'any':^10} {'each':^10} {'alone':^10}"


def lines(experiments: int, only: str) -> Iterator[str]:
    yield HEADER
    for setting in SETTINGS:
        if only not in setting.name:
            continue
        for kind, found in outcome(setting, experiments, 5).items():
            name = setting.name if kind == "correlation" else f"  {kind}"
            yield f"{name:42} {' '.join(str(share(hits)) for hits in found)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=100, metavar="N", help="grids of each")
    parser.add_argument("--only", default="", metavar="PART", help="only settings with this name")
    args = parser.parse_args()
    start = time.monotonic()
    for text in lines(args.experiments, args.only):
        print(text, flush=True)
    print(f"\n{args.experiments} grids of each kind, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
