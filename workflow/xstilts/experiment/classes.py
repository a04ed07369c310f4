"""The cells of a class: what its selectors mean in a grid, and whether the grid has all of it."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xstilts.experiment import cells, traits
from xstilts.experiment.experiment import NONE, Experiment
from xstilts.experiment.questions import HEADROOM, MEASURED, AskedCell, AskedClass, Point
from xstilts.experiment.selectors import EXAMPLE, NAME, Condition, Pick, Selector, number, text
from xstilts.experiment.traits import SEEN, Traits, parts
from xstilts.running.errors import Problems, UserError, brief, nearest

FIELD = {"model": 0, "intermediate": 1, "target": 3, "language": 4}  # of an `AskedCell`
FEWEST = 3  # values of a number for a slope: a line through two has nothing left to be wrong about


@dataclasses.dataclass(frozen=True)
class Scope:
    """A grid as questions look at it.

    Attributes:
        names: model, intermediate, target -> those that have a cell.
        whole: model, intermediate and target of which the grid has all seeds of the row. Rows need
            not have the same: `none`, which is in every gain, may well have more.
        partly: those of which it has some.
        made: the cells of a row and target in all its languages, shared by the questions.
    """

    experiment: Experiment
    traits: Traits
    names: Mapping[str, Sequence[str]]
    whole: frozenset[tuple[str, str, str]]
    partly: frozenset[tuple[str, str, str]]
    made: dict[tuple[str, str, str, str], tuple[AskedCell, ...]] = dataclasses.field(
        default_factory=dict
    )

    def cells(self, *at: str) -> tuple[AskedCell, ...]:
        """Return the cells of a row (model, intermediate, over) and target."""
        model, intermediate, over, target = at
        if (key := (model, intermediate, over, target)) not in self.made:
            languages = self.experiment.languages[target]
            self.made[key] = tuple(AskedCell(*key, language) for language in languages)
        return self.made[key]


@dataclasses.dataclass(frozen=True)
class Rows:
    """The rows that a question is about.

    Attributes:
        over: intermediate -> the one that its gain is over; "" where scores are asked for.
        picked: whether the question names them; others are left out of it without a word.
    """

    over: Mapping[str, str]
    picked: bool


def scope(experiment: Experiment) -> Scope:
    """Return what questions can be about."""
    count: Counter[tuple[str, str, str]] = Counter()
    seedless = set()
    for cell in cells.of(experiment):
        at = (cell.model, cell.intermediate, cell.target)
        count[at] += 1
        if cell.seed == cells.NOSEED:
            seedless.add(at)
    seeds: dict[tuple[str, str], int] = {}
    for at, found in count.items():
        seeds[at[:2]] = max(found, seeds.get(at[:2], 0))
    names = {
        "model": [m for m in experiment.settings["models"] if any(at[0] == m for at in count)],
        "intermediate": [i for i in experiment.intermediates if any(at[1] == i for at in count)],
        "target": [t for t in experiment.settings["targets"] if any(at[2] == t for at in count)],
    }
    whole = frozenset(at for at, found in count.items() if found == seeds[at[:2]] or at in seedless)
    partly = frozenset(count) - whole
    return Scope(experiment, traits.of(experiment), names, whole, partly)


def check(key: str, selector: Selector, rows: Rows | None, within: Scope) -> None:
    """Refuse names, traits and values that the grid has not, and rows that have no gain.

    Args:
        rows: None where they are not known.

    Raises:
        UserError: the first of each thing.
    """
    problems = Problems()
    for thing, pick in selector.items():
        with problems.noted():
            if thing != EXAMPLE:
                within.traits.check(f"{key}: {thing}", thing, pick)
            if thing == "intermediate" and rows is not None:
                _check_rows(f"{key}: {thing}", pick.traits.get(NAME, Condition()).among, rows)
    problems.end()


def _check_rows(key: str, named: Iterable[str] | None, rows: Rows) -> None:
    """Refuse rows by name that have no gain."""
    for name in named or ():
        if name in rows.over:
            continue
        if rows.picked:
            raise UserError(f"{key}: `{name}` is not among the rows of `over`")
        if name == NONE or name in rows.over.values():
            raise UserError(f"{key}: `{name}` is what gains are over, so it has none itself")


def of(
    key: str, label: str, selectors: Sequence[Selector], rows: Rows, within: Scope
) -> list[AskedCell]:
    """Return the cells that all selectors mean.

    Args:
        label: of the class in messages: "class `x`".

    Raises:
        UserError: there are none; or some, with what their gain is over, are not in the grid.
    """
    known, experiment = within.traits, within.experiment

    def picked(thing: str, names: Iterable[str], row: str = "") -> list[str]:
        picks = [selector[thing] for selector in selectors if thing in selector]
        return traits.chosen(known, thing, picks, names, f"{key}: {label}: {thing}", row)

    models = picked("model", within.names["model"])
    intermediates = picked("intermediate", [*rows.over])
    targets = picked("target", within.names["target"])
    scored = list(dict.fromkeys(code for name in targets for code in experiment.languages[name]))
    by_row = any(
        trait == SEEN
        for selector in selectors
        if "language" in selector
        for trait, _ in selector["language"].conditions()
    )
    everywhere = set() if by_row else set(picked("language", scored))
    found, lacking = list[AskedCell](), list[tuple[str, str, str]]()
    for intermediate in intermediates:
        over = rows.over[intermediate]
        spoken = set(picked("language", scored, intermediate)) if by_row else everywhere
        for target in targets:
            languages = experiment.languages[target]
            whole = spoken.issuperset(languages)
            for model in () if spoken.isdisjoint(languages) else models:
                needed = [(model, row, target) for row in (intermediate, over) if row]
                lacking += [at for at in needed if at not in within.whole]
                every = within.cells(model, intermediate, over, target)
                found += every if whole else [cell for cell in every if cell.language in spoken]
    if not found:
        raise UserError(
            f"{key}: {label}: has nothing in it: {_empty(within, models, intermediates, targets)}"
            f"{_ranges(selectors, within)}"
        )
    if lacking:
        raise UserError(f"{key}: {label}: {_excluded(lacking, within)}; narrow the class")
    return found


def _empty(within: Scope, models: list[str], intermediates: list[str], targets: list[str]) -> str:
    """Say of what there is none in a class."""
    for noun, found in (("model", models), ("intermediate", intermediates), ("target", targets)):
        if not found:
            return f"no {noun} of the grid is such"
    return "no target is scored in such a language"


def _ranges(selectors: Sequence[Selector], within: Scope) -> str:
    """Say from where to where the numbers go of which a class wants some."""
    asked = {
        (thing, trait): None
        for selector in selectors
        for thing, pick in selector.items()
        if thing != EXAMPLE
        for trait, condition in pick.conditions()
        if condition.ranged
    }
    said = []
    for thing, trait in asked:
        given = [of.get(trait) for of in within.traits.values[thing].values()]
        every = [number(part) for value in given if value is not None for part in parts(value)]
        if found := sorted(x for x in every if x is not None):
            said.append(f"`{trait}` goes from {text(found[0])} to {text(found[-1])}")
    return f" ({', '.join(said)})" if said else ""


def _excluded(lacking: Sequence[tuple[str, str, str]], within: Scope) -> str:
    """Say which cells are not in the grid."""
    lacking = list(dict.fromkeys(lacking))
    first = lacking[0] if len(within.names["model"]) > 1 else lacking[0][1:]
    more = f" (and {len(lacking) - 1} more)" if len(lacking) > 1 else ""
    some = " in some of its seeds" if lacking[0] in within.partly else ""
    return f"{' / '.join(first)}{more} is excluded from the grid{some}"


def examples(
    key: str, selectors: Sequence[Selector], found: Iterable[AskedCell], within: Scope
) -> dict[str, Condition]:
    """Return stratum -> condition on the examples of cells.

    Raises:
        UserError: a target of theirs has no such stratum, or no example could be such.
    """
    merged: dict[str, Condition] = {}
    for selector in selectors:
        pick = selector.get(EXAMPLE, Pick())
        for stratum, condition in pick.traits.items():
            merged[stratum] = condition.also(merged.get(stratum, Condition()))
    targets = list(dict.fromkeys(cell.target for cell in found)) if merged else []
    for stratum, condition in merged.items():
        having = [name for name, strata in within.traits.strata.items() if stratum in strata]
        for target in targets:
            if target in having:
                continue
            every = [name for strata in within.traits.strata.values() for name in strata]
            hint = f"; narrow the class to targets that have: {', '.join(having)}" if having else ""
            raise UserError(
                f"{key}: {EXAMPLE}: the examples of target `{target}` have no stratum"
                f" `{brief(stratum)}`{hint or nearest(stratum, every)}"
            )
        if condition.among == ():
            raise UserError(f"{key}: {EXAMPLE}: {stratum}: has nothing in it: `where` wants others")
    return merged


def points(
    key: str,
    label: str,
    found: Sequence[AskedCell],
    along: tuple[str, str, str] | None,
    within: Scope,
) -> tuple[Point, ...]:
    """Return cells by the value that a thing of theirs has, in its order; without `along` all.

    Args:
        along: thing, trait, scale.

    Raises:
        UserError: values that are no numbers or have no logarithm, or fewer than `FEWEST`.
    """
    if along is None:
        return (Point(tuple(found)),)
    thing, trait, scale = along
    measured = (thing, trait) in MEASURED
    by_row = measured and trait != HEADROOM  # of a model's training, so a row of each
    several = by_row and len({cell.model for cell in found}) > 1

    def name_of(cell: AskedCell) -> str:
        return f"{cell.model} / {cell.intermediate}" if several else cell[FIELD[thing]]

    names = list(dict.fromkeys(map(name_of, found)))
    if measured:
        groups: dict[Any, list[str]] = {name: [name] for name in names}
    else:
        groups = {}
        for name in names:
            x = number_of(f"{key}: along", thing, name, trait, within)
            if scale == "log10" and x <= 0:
                raise UserError(
                    f"{key}: along: `{trait}` of {thing} `{name}` is {text(x)}, which has no"
                    " logarithm; leave it out by `where`, or take another scale"
                )
            groups.setdefault(x, []).append(name)
        groups = dict(sorted(groups.items()))
    if len(groups) < FEWEST:
        there = ", ".join(x if isinstance(x, str) else text(x) for x in groups)
        raise UserError(
            f"{key}: along: {label} has {len(groups)} different"
            f" value{'s' if len(groups) > 1 else ''} of `{thing}: {trait}` ({there}); a slope needs"
            f" {FEWEST}"
        )
    of_name = {name: x for x, having in groups.items() for name in having}
    at: dict[Any, list[AskedCell]] = {x: [] for x in groups}
    for cell in found:
        at[of_name[name_of(cell)]].append(cell)
    return tuple(
        Point(tuple(at[x]), None if measured else float(x), ", ".join(having))
        for x, having in groups.items()
    )


def number_of(key: str, thing: str, name: str, trait: str, within: Scope) -> float:
    """Return the value of a trait; UserError if it is none or no number."""
    try:
        value = within.traits.value(thing, name, trait)
        if value is None:
            raise traits.unknown(thing, name, trait)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        said = ", ".join(map(text, parts(value)))
        raise UserError(
            f"{key}: `{trait}` is not a number: of {thing} `{name}` it is `{brief(said)}`"
        )
    return value


def divided(
    key: str, found: Sequence[AskedCell], by: Sequence[tuple[str, str]], within: Scope
) -> dict[str, list[AskedCell]]:
    """Return class -> cells, of cells that are told apart by traits (thing, trait).

    Those without such a trait are in no class.

    Raises:
        UserError: a trait is not known of something; or nothing has any.
    """
    classes: dict[tuple[Any, ...], list[AskedCell]] = {}
    names: dict[tuple[Any, ...], str] = {}
    labels: list[dict[tuple[str, str], tuple[Any, str] | None]] = [{} for _ in by]
    for cell in found:
        place, said = [], []
        for (thing, trait), known in zip(by, labels, strict=True):
            at = (cell[FIELD[thing]], cell.intermediate if trait == SEEN else "")
            if at not in known:
                known[at] = label_of(f"{key}: by", thing, trait, *at, within)
            if (label := known[at]) is None:
                break
            place.append(label[0])
            said.append(label[1])
        else:
            if (key_of := tuple(place)) not in classes:
                classes[key_of], names[key_of] = [], " / ".join(said)
            classes[key_of].append(cell)
    if not classes:
        raise UserError(f"{key}: by: nothing in the question has such a trait")
    return {names[place]: classes[place] for place in sorted(classes)}


def label_of(
    key: str, thing: str, trait: str, name: str, row: str, within: Scope
) -> tuple[Any, str] | None:
    """Return the place of a value among others, and what its class is called; None for none."""
    try:
        value = within.traits.value(thing, name, trait, row)
    except UserError as error:
        raise UserError(f"{key}: {error}") from None
    if value is None:
        return None
    if trait == NAME:
        return within.traits.names(thing).index(name), name
    if isinstance(value, bool):
        return (-1, not value, ""), trait if value else f"not {trait}"
    said = (", " if trait == "family" else " + ").join(map(text, parts(value))) or f"no {trait}"
    x = number(said)
    return ((1, 0, said) if x is None else (0, x, said)), said


def check_overlap(key: str, classes: Sequence[AskedClass]) -> None:
    """Refuse classes that have cells in common, and examples too.

    Raises:
        UserError: two classes, and a cell that both have.
    """
    having = [{cell for point in found.points for cell in point.cells} for found in classes]
    for i, one in enumerate(classes):
        for j, two in enumerate(classes[:i]):
            apart = any(
                condition.disjoint(two.examples[stratum])
                for stratum, condition in one.examples.items()
                if stratum in two.examples
            )
            if apart or not (both := having[i] & having[j]):
                continue
            cell = min(both)
            more = f", and {len(both) - 1} more" if len(both) > 1 else ""
            raise UserError(
                f"{key}: classes `{two.name}` and `{one.name}` overlap: {cell.model} /"
                f" {cell.intermediate} / {cell.target} in {cell.language} is in both{more}"
            )
