"""What an answer may claim: the verdict on each thing that it tests, over all scales."""

import dataclasses
import enum
import unicodedata
from collections.abc import Mapping
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.answers.files import COLLAPSED, CORRELATION, ONE_SEED, SLOPE, VALUE
from xstilts.analysis.estimates import SIGNIFICANCE_LEVEL
from xstilts.experiment.questions import ALIGNMENT, LEVELS, MEASURE

UNITS = {"points": " points", "share": "% of the errors", "log-odds": " log-odds", MEASURE: ""}
IN = {
    "points": "points",
    "share": "share of the errors",
    "log-odds": "log-odds",
    MEASURE: "its unit",
}
LEAST = {"points": 1, "share": 1, "log-odds": 2, MEASURE: 3}  # decimals
WHY = {  # nothing is claimed, by the column `barred`
    ONE_SEED: "(from one seed alone)",
    COLLAPSED: "(all trainings of a side ended at guessing)",
}
_CHANGES = {"\u202a", "\u202b", "\u202c", "\u202d", "\u202e"}  # of the direction of other text
_RIGHT_TO_LEFT = {"R", "AL"}
ISOLATE, ISOLATED = "\u2068", "\u2069"


class Verdict(enum.Enum):
    """What is said of a difference or a slope; a claim needs all scales. Barred is what may not be
    claimed, whatever its interval."""

    ABOVE, BELOW, MIXED, OPEN = "above", "below", "mixed", "open"
    BARRED, ABSENT = "barred", "absent"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that is estimated, on each scale.

    Attributes:
        name: of the class.
        over: of the class that it is compared to; "" where it stands for itself.
        rows: scale -> its row of the table, in the order of the scales.
        verdict: see `Verdict`.
    """

    name: str
    over: str
    rows: Mapping[str, Mapping[str, Any]]
    verdict: Verdict

    @property
    def main(self) -> Mapping[str, Any]:
        """The row of the first scale."""
        return next(iter(self.rows.values()))


def of(table: pd.DataFrame, without: str = "", tested: bool = True) -> list[Finding]:
    """Return the findings of a table, in its order.

    Args:
        table: see `files.Answer`.
        without: which of the two answers, where there is one without collapsed trainings.
        tested: those that are tested; else all.
    """
    rows = table[table["without"] == without]
    rows = rows[rows["tested"]] if tested else rows
    by_scale: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows.to_dict("records"):
        key = row["class"], row["kind"], row["over"]
        by_scale.setdefault(key, {})[row["scale"]] = row
    return [Finding(key[0], key[2], found, _verdict(found)) for key, found in by_scale.items()]


def asked(meta: Mapping[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with `tested` true of what the question asks: no score is asked to be 0, and
    no spread."""
    scores = (table["kind"] == VALUE) & (meta["value"] in LEVELS)
    return table.assign(tested=table["tested"].astype(bool) & ~scores)


def claimed(table: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Return (class, over, without) of what is claimed to be above or below zero."""
    return {
        (finding.name, finding.over, without)
        for without in table["without"].unique()
        for finding in of(table, without)
        if finding.verdict in (Verdict.ABOVE, Verdict.BELOW)
    }


def sign(row: Mapping[str, Any]) -> int:
    """Return 1 or -1 if a row is told apart from zero, above or below it; else 0."""
    if not row["p holm"] < SIGNIFICANCE_LEVEL:
        return 0
    return int(row["low"] > 0) - int(row["high"] < 0)


def _verdict(rows: Mapping[str, Mapping[str, Any]]) -> Verdict:
    if any(pd.isna(row["estimate"]) for row in rows.values()):
        return Verdict.ABSENT
    if any(row["barred"] for row in rows.values()):
        return Verdict.BARRED
    signs = {sign(row) for row in rows.values()}
    if len(signs) > 1:
        return Verdict.MIXED
    if signs == {0} or not all(bool(row["agrees"]) for row in rows.values()):
        return Verdict.OPEN
    return Verdict.ABOVE if signs == {1} else Verdict.BELOW


def what(meta: Mapping[str, Any]) -> str:
    """Return what a question estimates of each class: a value, a slope, a correlation."""
    if not meta["along"]:
        return VALUE
    return CORRELATION if meta["scale"] == "rank" else SLOPE


def noun(meta: Mapping[str, Any]) -> str:
    """Return what a question is about: gain, score, spread, or the change in a measure."""
    if meta["value"] != ALIGNMENT:
        return str(meta["value"])
    return f"change in {measure(meta)}"


def measure(meta: Mapping[str, Any]) -> str:
    """Return a measure of alignment for a sentence: `cosine gap (tatoeba)`."""
    of = meta["aligned"]
    name = of["measure"].replace("_", " ").replace("spectral", "spectral distance")
    return f"{name} ({inline(of['set'])})"


def step(meta: Mapping[str, Any]) -> str:
    """Return what a slope is for: ten times the trait, or one of its units."""
    along = plain(meta["along"])
    return f"ten times the {along}" if meta["scale"] == "log10" else f"each unit of {along}"


def digits(meta: Mapping[str, Any], row: Mapping[str, Any]) -> int:
    """Return with how many decimals the numbers of a row are shown."""
    least = 2 if what(meta) == CORRELATION and row["kind"] != VALUE else LEAST[row["scale"]]
    return numbers.decimals(row["low"], row["high"], least)


def unit(meta: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    """Return what stands behind an estimate; a rank correlation and a score have no unit."""
    score = meta["value"] == "score" and row["kind"] == VALUE and row["scale"] == "points"
    return "" if score or what(meta) == CORRELATION else UNITS[row["scale"]]


def plain(name: str) -> str:
    """Return a name on one line, without characters that cannot be seen."""
    seen = " ".join(str(name).split())
    return "".join(c for c in seen if unicodedata.category(c) != "Cc" and c not in _CHANGES)


def inline(name: str) -> str:
    """Return a name for a sentence: one that is read from the right keeps its neighbours' order."""
    text = plain(name)
    if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT for c in text):
        return f"{ISOLATE}{text}{ISOLATED}"
    return text
