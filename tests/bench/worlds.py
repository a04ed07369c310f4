"""Simulated grids of which the true scores are known: what `coverage.py` asks its questions about.

An example is answered rightly if its latent value is above 0 (a probit model). The latent value is
the sum of normal parts, so the expected score of a cell is known exactly:

| part | shared by | variance |
|---|---|---|
| how hard the example is | languages, targets of one data set, rows, seeds | `HARD` |
| its translation | targets of one data set, rows, seeds | `TRANSLATION` |
| how a target asks it | languages, rows, seeds | `VIEW` |
| how much a row helps it | languages, targets of one data set, seeds | `HELPED` |
| chance | nothing | `CHANCE` |
| luck of a seed of a row | languages, targets, examples | `luck` squared, times `shared` |
| luck of its second training | languages, examples | the rest of `luck` squared |

The first five sum to one. Rows may differ in luck. A fractional value (as of F1) is the mean of
`PARTS` right or wrong parts that share all but chance.
"""

import dataclasses
import math
from collections.abc import Callable, Mapping
from statistics import NormalDist

import numpy as np

from xstilts.analysis.evidence import Evidence

HARD, TRANSLATION, VIEW, HELPED, CHANCE = 0.45, 0.1, 0.1, 0.1, 0.25
PARTS = 4
NONE = "none"
# A luck of one latent unit moves a score near 60% by so much.
SLOPE = NormalDist().pdf(NormalDist().inv_cdf(0.6))


@dataclasses.dataclass(frozen=True)
class World:
    """A grid, and how it differs by chance.

    Attributes:
        score: (row, target, language) -> the expected score, between 0 and 1.
        rows: names of the intermediates, without `none`.
        targets: target -> its data set; targets of one data set ask the same examples.
        languages: their names.
        seeds: of every row.
        examples: of every target and language.
        luck: deviation of the score of a cell over seeds, about, in [0, 1] as scores are.
        lucks: the same of rows that differ in it (`none` may be one).
        shared: part of the variance of luck that is shared by all targets of a row.
        fractional: whether values are fractions, not 0 or 1.
        none_seeds: of `none`; 0 for as many as the others.
        model: of all rows.
    """

    score: Callable[[str, str, str], float]
    rows: tuple[str, ...]
    targets: Mapping[str, str]
    languages: tuple[str, ...]
    seeds: int = 3
    examples: int = 200
    luck: float = 0.015
    lucks: Mapping[str, float] = dataclasses.field(default_factory=dict)
    shared: float = 0.7
    fractional: bool = False
    none_seeds: int = 0
    model: str = "m"

    @property
    def all_rows(self) -> tuple[str, ...]:
        """Names of all rows, `none` first."""
        return (NONE, *self.rows)

    def seeds_of(self, row: str) -> int:
        """Return the number of seeds of a row."""
        return self.none_seeds or self.seeds if row == NONE else self.seeds

    def latent_luck(self, row: str) -> float:
        """Return the deviation of a row's luck in latent units."""
        return self.lucks.get(row, self.luck) / SLOPE


def simulate(world: World, rng: np.random.Generator) -> Evidence:
    """Return what a run of the grid would have left: the value of every example in every cell."""
    counts = [world.seeds_of(row) for row in world.all_rows]
    row_of = np.repeat(np.arange(len(counts)), counts)
    sigma = np.array([world.latent_luck(row) for row in world.all_rows])
    n, runs = world.examples, len(row_of)

    def normal(variance: float, *shape: int) -> np.ndarray:
        return math.sqrt(variance) * rng.standard_normal(shape, dtype=np.float32)

    sets = dict.fromkeys(world.targets.values())
    hard = {name: normal(HARD, n) + normal(HELPED, len(counts), n)[row_of] for name in sets}
    translation = {(s, lang): normal(TRANSLATION, n) for s in sets for lang in world.languages}
    luck = normal(world.shared, runs)
    values, ids = {}, {}
    for target, data_set in world.targets.items():
        view = normal(VIEW, n)
        lucks = sigma[row_of] * (luck + normal(1 - world.shared, runs))
        names = [f"{data_set}-{i}" for i in range(n)]
        for language in world.languages:
            true = [latent(world, row, target, language) for row in world.all_rows]
            common = hard[data_set] + (view + translation[data_set, language])
            common += (np.array(true)[row_of] + lucks).astype(np.float32)[:, None]
            values[target, language] = _values(common, world.fractional, rng)
            ids[target, language] = names
    seeds = [f"seed{i + 1}" for count in counts for i in range(count)]
    labels = [world.all_rows[i] for i in row_of]
    found = [(world.model, row, seed) for row, seed in zip(labels, seeds, strict=True)]
    return Evidence(runs=found, values=values, ids=ids, strata={key: {} for key in values})


def latent(world: World, row: str, target: str, language: str) -> float:
    """Return the latent mean of a cell that gives it its true score."""
    spread = math.sqrt(1 + world.latent_luck(row) ** 2)
    return NormalDist().inv_cdf(world.score(row, target, language)) * spread


def _values(common: np.ndarray, fractional: bool, rng: np.random.Generator) -> np.ndarray:
    """Add chance and return the values: array (runs, examples), float32."""
    deviation = np.float32(math.sqrt(CHANCE))
    parts = [
        common + deviation * rng.standard_normal(common.shape, dtype=np.float32) > 0
        for _ in range(PARTS if fractional else 1)
    ]
    return np.mean(parts, axis=0, dtype=np.float32)


def examples_apart(evidence: Evidence) -> Evidence:
    """Return the evidence as if no example were shared: what breaks the function on purpose."""
    ids = {
        (target, language): [f"{target} {language} {name}" for name in names]
        for (target, language), names in evidence.ids.items()
    }
    return dataclasses.replace(evidence, ids=ids)


def seeds_apart(evidence: Evidence) -> Evidence:
    """Return the evidence as if a row were another in each target: no seed is shared.

    The row `mnli` becomes `mnli at xnli`, which has values of `xnli` only; see `asked.seeds_apart`.
    """
    targets = list(dict.fromkeys(target for target, _ in evidence.values))
    runs = [(m, at(row, target), seed) for target in targets for m, row, seed in evidence.runs]
    values = {}
    for (target, language), array in evidence.values.items():
        wide = np.full((len(runs), array.shape[1]), np.nan, np.float32)
        start = targets.index(target) * len(array)
        wide[start : start + len(array)] = array
        values[target, language] = wide
    return dataclasses.replace(evidence, runs=runs, values=values)


def at(row: str, target: str) -> str:
    """Return the name of a row as it is in one target alone."""
    return f"{row} at {target}"
