"""The simulated settings of `coverage.py`: a world, the question asked of it, and a true effect."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from tests.bench import asked
from tests.bench.worlds import NONE, World

from xstilts.experiment.questions import Question

GAIN = 0.03  # of every row in every cell, beside the effect
# Orders that hardly correlate with 0, 1, 2, …: by 0.03 and 0.05.
UNRELATED = {6: (0, 3, 5, 4, 2, 1), 8: (3, 5, 0, 6, 1, 7, 4, 2)}


class Setting(NamedTuple):
    """One line of the table.

    Attributes:
        world: effect -> a world that has it.
        question: asked of that world.
        effect: the true effect where power is measured.
        versions: of the function that are shown beside: "plain", "seeds", "examples".
        judged: whether coverage is promised (not of one seed: training's noise is hidden).
    """

    name: str
    world: Callable[[float], World]
    question: Callable[[World], Question]
    effect: float
    versions: tuple[str, ...] = ()
    judged: bool = True


class Size(NamedTuple):
    """How much is there, and how it differs by chance; see `World`."""

    rows: int = 6
    seeds: int = 3
    targets: int = 2
    languages: int = 4
    examples: int = 200
    luck: float = 0.015
    lucks: Mapping[str, float] = MappingProxyType({})
    shared: float = 0.7
    fractional: bool = False
    none_seeds: int = 0
    views: bool = True

    def world(self, gain: Callable[[int, int, int], float]) -> World:
        """Return the world in which a cell (number of row, target, language) has this gain."""
        rows = tuple(f"r{i}" for i in range(self.rows))
        targets = {f"t{i}": "set" if self.views else f"set{i}" for i in range(self.targets)}
        languages = tuple(f"l{i}" for i in range(self.languages))

        def score(row: str, target: str, language: str) -> float:
            t, lang = int(target[1:]), int(language[1:])
            base = 0.66 - 0.06 * t - 0.12 * lang / self.languages
            return base if row == NONE else base + gain(int(row[1:]), t, lang)

        return World(
            score, rows, targets, languages, self.seeds, self.examples, self.luck, self.lucks,
            self.shared, self.fractional, self.none_seeds,
        )  # fmt: skip


def each_row(name: str, size: Size, effect: float = 0.04, **more) -> Setting:
    """Does a row gain at all? Half of them do by `effect`; all are tested."""

    def question(world: World) -> Question:
        return asked.each({row: asked.point(world, [row]) for row in world.rows})

    return Setting(
        f"each row: {name}",
        lambda e: size.world(lambda row, t, lang: e * (row % 2)),
        question,
        effect,
        **more,
    )


def targets(name: str, size: Size, effect: float = -0.04, **more) -> Setting:
    """Is the gain another on the second half of the targets than on the first?"""

    def question(world: World) -> Question:
        names = list(world.targets)
        half = len(names) // 2
        first, second = names[:half], names[half:]
        points = {"a": asked.point(world, None, first), "b": asked.point(world, None, second)}
        return asked.compare(points)

    return Setting(
        f"targets: {name}",
        lambda e: size.world(lambda row, t, lang: 0.06 + e * (t >= size.targets // 2)),
        question,
        effect,
        **more,
    )


def kinds(name: str, size: Size, effect: float = 0.04, classes: int = 2, **more) -> Setting:
    """Do rows of other kinds gain more than those of the first? Only the last kind does."""

    def question(world: World) -> Question:
        parts = {f"k{k}": world.rows[k::classes] for k in range(classes)}
        return asked.compare({kind: asked.point(world, rows) for kind, rows in parts.items()})

    return Setting(
        f"kinds of rows: {name}",
        lambda e: size.world(lambda row, t, lang: GAIN + e * (row % classes == classes - 1)),
        question,
        effect,
        **more,
    )


def dose(name: str, size: Size, effect: float = 0.03, **more) -> Setting:
    """Does the gain grow by the number of rows, a factor of 10^(1/2) each?"""

    def question(world: World) -> Question:
        return asked.along({"all": _doses(world, None)}, "log10")

    return Setting(
        f"dose, log10: {name}",
        lambda e: size.world(lambda row, t, lang: e * row / 2),
        question,
        effect,
        **more,
    )


def dose_by_language(name: str, size: Size, effect: float = 0.03, **more) -> Setting:
    """Does it grow faster in the second half of the languages?"""

    def question(world: World) -> Question:
        half = len(world.languages) // 2
        near, far = world.languages[:half], world.languages[half:]
        classes = {"near": _doses(world, near), "far": _doses(world, far)}
        return asked.along(classes, "log10", "first")

    def gain(effect: float, row: int, lang: int) -> float:
        return 0.01 * row / 2 + effect * row / 2 * (lang >= size.languages // 2)

    return Setting(
        f"dose by language: {name}",
        lambda e: size.world(lambda row, t, lang: gain(e, row, lang)),
        question,
        effect,
        **more,
    )


def _doses(world: World, languages: tuple[str, ...] | None) -> list:
    return [
        asked.point(world, [row], None, languages, 1000 * 10 ** (i / 2))
        for i, row in enumerate(world.rows)
    ]


def distance(name: str, size: Size, effect: float = -0.05, **more) -> Setting:
    """Does the gain shrink with the distance of the language, from 0 to 1?"""
    return Setting(
        f"distance, linear: {name}",
        lambda e: size.world(lambda row, t, lang: 0.06 + e * lang / (size.languages - 1)),
        lambda world: asked.along({"all": _distances(world)}, "linear"),
        effect,
        **more,
    )


def _distances(world: World) -> list:
    steps = len(world.languages) - 1
    return [
        asked.point(world, None, None, [language], i / steps)
        for i, language in enumerate(world.languages)
    ]


def rank_of_languages(name: str, size: Size, effect: float = -0.08, equal=False, **more) -> Setting:
    """Are gains ordered by distance? Without effect they differ by chance of history, or not."""

    def gain(effect: float, lang: int) -> float:
        place = lang if effect else 0 if equal else UNRELATED[size.languages][lang]
        return 0.08 + (effect or -0.08) * place / (size.languages - 1)

    return Setting(
        f"rank, languages: {name}",
        lambda e: size.world(lambda row, t, lang: gain(e, lang)),
        lambda world: asked.along({"all": _distances(world)}, "rank"),
        effect,
        **more,
    )


def rank_of_rows(name: str, size: Size, effect: float = 0.08, equal=False, **more) -> Setting:
    """Are gains ordered by the number of rows?"""

    def gain(effect: float, row: int) -> float:
        place = row if effect else 0 if equal else UNRELATED[size.rows][row]
        return (effect or 0.08) * place / (size.rows - 1)

    return Setting(
        f"rank, rows: {name}",
        lambda e: size.world(lambda row, t, lang: gain(e, row)),
        lambda world: asked.along({"all": _doses(world, None)}, "rank"),
        effect,
        **more,
    )


ONE_WILD = {"r1": 0.075}  # five times the deviation of the others
WILD_NONE = {NONE: 0.075}
FEW = Size(rows=3, languages=2, examples=60)
MANY = Size(rows=12, languages=8, examples=600)
BOTH = ("seeds", "examples")
PLAIN = ("plain",)

SETTINGS = [
    each_row("3 seeds", Size(), versions=(*PLAIN, *BOTH)),
    each_row("1 seed without luck", Size(seeds=1, luck=0)),
    each_row("1 seed, luck is not in it", Size(seeds=1), judged=False),
    each_row("2 seeds, luck is not in it", Size(seeds=2), judged=False),
    each_row("5 seeds", Size(seeds=5), versions=PLAIN),
    each_row("few", FEW, 0.12),
    each_row("many", MANY, versions=PLAIN),
    each_row("3 seeds, 6 of none", Size(none_seeds=6)),
    each_row("luck 3 points", Size(luck=0.03), 0.08, versions=PLAIN),
    each_row("luck 3 points, 3 rows", Size(rows=3, luck=0.03), 0.08, versions=PLAIN),
    each_row("one row 5 times the luck", Size(lucks=ONE_WILD), 0.08, versions=PLAIN),
    each_row("none 5 times the luck", Size(lucks=WILD_NONE), 0.15, versions=PLAIN),
    each_row("the same, 6 of none", Size(lucks=WILD_NONE, none_seeds=6), 0.15, versions=PLAIN),
    each_row("fractions", Size(fractional=True)),
    targets("views of one set", Size(), versions=(*PLAIN, *BOTH)),
    targets("views, 5 seeds, own luck", Size(seeds=5, shared=0.0)),
    targets("views, 6 of none", Size(none_seeds=6)),
    targets("two sets", Size(views=False), -0.06),
    targets("two sets, 6 of none", Size(views=False, none_seeds=6), -0.06),
    targets("4 sets, 8 languages", Size(targets=4, views=False, languages=8), versions=BOTH[1:]),
    targets("one row, two sets", Size(rows=1, views=False), -0.08),
    kinds("3 seeds", Size(), 0.03, versions=(*PLAIN, *BOTH)),
    kinds("4 targets, luck 3 points", Size(targets=4, shared=1.0, luck=0.03), versions=BOTH[:1]),
    kinds("12 languages, little luck", Size(languages=12, luck=0.002), 0.03, versions=BOTH[1:]),
    kinds("4 kinds of 12 rows", Size(rows=12), classes=4),
    kinds("5 seeds", Size(seeds=5), 0.03),
    kinds("few", FEW, 0.12),
    kinds("one row 5 times the luck", Size(lucks=ONE_WILD), 0.06, versions=PLAIN),
    dose("3 seeds", Size(rows=4), versions=(*PLAIN, *BOTH)),
    dose("1 seed without luck", Size(rows=4, seeds=1, luck=0)),
    dose("5 seeds", Size(rows=4, seeds=5)),
    dose("few", FEW, 0.1),
    dose("last row 5 times the luck", Size(rows=4, lucks={"r3": 0.075}), 0.06, versions=PLAIN),
    distance("3 seeds", Size(languages=8)),
    distance("5 seeds, few", Size(rows=3, seeds=5, languages=3, examples=60), -0.1),
    dose_by_language("3 seeds", Size(rows=4), 0.03, versions=PLAIN),
    dose_by_language("5 seeds", Size(rows=4, seeds=5), 0.03),
    dose_by_language("few", FEW, 0.1),
    rank_of_languages("unrelated", Size(languages=8)),
    rank_of_languages("equal", Size(languages=8), equal=True),
    rank_of_languages("1 seed without luck", Size(languages=6, seeds=1, luck=0)),
    rank_of_rows("unrelated", Size(rows=6)),
    rank_of_rows("unrelated, luck 3 points", Size(rows=6, luck=0.03)),
    rank_of_rows("equal, luck 3 points", Size(rows=8, seeds=5, luck=0.03), equal=True),
]

# As `experiments/multihop.yaml` has it: six seeds of `none`; classes that are other data sets, or
# views of the same questions.
HOPS = Size(rows=8, none_seeds=6, languages=5)
POWER_SETTINGS = [
    targets(
        f"{rows} rows, {seeds} seeds, {examples} examples",
        Size(rows=rows, seeds=seeds, examples=examples, languages=3, views=False),
    )
    for examples in (600, 7405)
    for seeds in (3, 5)
    for rows in (1, 9)
] + [
    targets(f"{examples} examples, {name}", HOPS._replace(examples=examples, views=views))
    for examples in (600, 7405)
    for name, views in (("6 of none", False), ("6 of none, views", True))
]

COMPARED = [
    each_row(f"one target, {name}", Size(targets=1, seeds=seeds, luck=luck), effect)
    for name, seeds, luck, effect in (
        ("3 seeds", 3, 0.015, 0.06),
        ("5 seeds", 5, 0.015, 0.06),
        ("luck 3 points", 3, 0.03, 0.08),
    )
]


def no_interaction(scale: str) -> tuple[World, Question]:
    """Return targets of which one is twice as hard, with gains that are the same on a scale."""
    before = {"t0": 0.78, "t1": 0.45}

    def score(row: str, target: str, language: str) -> float:
        m = before[target]
        if row == NONE:
            return m
        if scale == "points":
            return m + 0.08
        if scale == "share":
            return m + 0.25 * (1 - m)
        odds = math.log(m / (1 - m)) + 0.5
        return 1 / (1 + math.exp(-odds))

    world = World(
        score, tuple(f"r{i}" for i in range(4)), {"t0": "easy", "t1": "hard"}, ("de", "ru", "zh"),
        examples=600,
    )  # fmt: skip
    points = {t: asked.point(world, None, [t]) for t in world.targets}
    return world, asked.compare(points, ("points", "share", "log-odds"))
