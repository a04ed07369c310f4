"""An answer in a sentence, which claims nothing that the interval does not."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.answers import findings, relation_text
from xstilts.analysis.answers.files import COLLAPSED, CORRELATION, SLOPE, VALUE
from xstilts.analysis.answers.findings import Finding, Verdict, inline
from xstilts.analysis.estimates import EXAMPLES, MIN_SEEDS, NOTHING, SIGNIFICANCE_LEVEL

FULL = 4  # of the findings of a verdict, with their numbers; of more the names alone
NAMED, CELLS = 12, 3  # of a list in a sentence
ALL = "all"  # the class of a question without classes
FEW = {3: "three"}.get(MIN_SEEDS, str(MIN_SEEDS))
NO_TRAINING_NOISE = f"With fewer than {FEW} seeds the noise of training is not in this."
NO_NOISE = f"With fewer than {FEW} seeds nothing is known of its noise, so nothing is claimed."
_LACKING = {EXAMPLES: NO_TRAINING_NOISE, NOTHING: NO_NOISE}

Meta = Mapping[str, Any]


def sentence(meta: Meta, table: pd.DataFrame) -> str:
    """Return the answer: what is claimed, with intervals; of the rest what would have been seen.

    Then, where it is so, that the noise of training is not in it, and what is claimed otherwise
    without collapsed trainings.

    Args:
        meta: what `<name>.json` holds, see `files.Answer`; of it `along`, `scale`, `scales`,
            `contrast`, `value`, `missing`, and `cells`, how many cells were asked for, if known.
        table: see `files.Answer`.
    """
    if meta["missing"] or table.empty:
        return _not_answered(meta)
    if meta.get("relation"):
        text = relation_text.sentence(meta, table)
        return " ".join([_capital(text), *_noise(table, "")])
    table = findings.asked(meta, table)
    found = findings.of(table)
    all_of_it = findings.of(table, tested=False)
    text = _said(meta, found) if found else _described(meta, all_of_it)
    return " ".join([_capital(text), *_noise(table, ""), *_without_collapsed(meta, table, found)])


def _without_collapsed(meta: Meta, table: pd.DataFrame, found: Sequence[Finding]) -> list[str]:
    """Return what is said of the findings whose verdict is another without collapsed trainings."""
    if not (table["without"] == COLLAPSED).any():
        return []
    others = {(f.name, f.over): f for f in findings.of(table, COLLAPSED)}
    differing = []
    for finding in found:
        gone = dataclasses.replace(finding, verdict=Verdict.ABSENT)
        other = others.get((finding.name, finding.over), gone)
        differing += [other] if other.verdict is not finding.verdict else []
    if not differing:
        return []
    noise = [] if _noise(table, "") else _noise(table, COLLAPSED)
    return [f"Without collapsed trainings, {_said(meta, differing)}", *noise]


def _not_answered(meta: Meta) -> str:
    missing = ["/".join(cell) if not isinstance(cell, str) else cell for cell in meta["missing"]]
    if not missing:
        return f"Not answered: {meta.get('reason') or 'no row of the grid is behind it'}."
    of = f" of {numbers.count(meta['cells'])}" if meta.get("cells") else ""
    one = len(missing) == 1 and not of
    are = "cell is" if one else "cells are" if len(missing) > 1 else "cells is"
    named = ", ".join([*missing[:CELLS], *(["..."] if len(missing) > CELLS else [])])
    return f"Not answered yet: {numbers.count(len(missing))}{of} {are} missing ({named})."


def _noise(table: pd.DataFrame, without: str) -> list[str]:
    noise = set(table.loc[table["without"] == without, "noise"])
    return [text for lacking, text in _LACKING.items() if lacking in noise]


def _capital(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}"


def _described(meta: Meta, found: Sequence[Finding]) -> str:
    """Return the values alone, of which nothing is claimed."""
    if len(found) == 1:
        return f"the {findings.noun(meta)}{_of(found[0])} is {_figures(meta, found[0])}."
    items = [f"{_figures(meta, f, first=True)} for {inline(f.name)}" for f in found[:NAMED]]
    return f"the {findings.noun(meta)} is {_list(items, len(found))}."


# What is said of findings with a verdict, by what is estimated: of one class, and of classes that
# are compared to a first. `{value}`: gain or score; `{step}`, `{along}`: of a slope.
_ALONE = {
    VALUE: {
        Verdict.ABOVE: "the {value} is above zero",
        Verdict.BELOW: "the {value} is below zero",
        Verdict.OPEN: "the {value} is not told apart from zero",
        Verdict.BARRED: "nothing is claimed of the {value}",
    },
    SLOPE: {
        Verdict.ABOVE: "the {value} grows",
        Verdict.BELOW: "the {value} falls",
        Verdict.OPEN: "no slope of the {value} was found",
        Verdict.BARRED: "nothing is claimed of the slope of the {value}",
    },
    CORRELATION: {
        Verdict.ABOVE: "the {value} rises with {along}",
        Verdict.BELOW: "the {value} falls with {along}",
        Verdict.OPEN: "no correlation of the {value} with {along} was found",
        Verdict.BARRED: "nothing is claimed of the correlation of the {value} with {along}",
    },
}
_COMPARED = {
    what: {
        Verdict.ABOVE: f"{of} is larger",
        Verdict.BELOW: f"{of} is smaller",
        Verdict.OPEN: f"no difference of {of} was found",
        Verdict.BARRED: f"nothing is claimed of the difference of {of}",
    }
    for what, of in (
        (VALUE, "the {value}"),
        (SLOPE, "the slope of the {value}"),
        (CORRELATION, "the correlation of the {value} with {along}"),
    )
}
_ORDER = [*Verdict]


def _said(meta: Meta, found: Sequence[Finding]) -> str:
    """Return the sentence of some findings, in the order of their verdicts."""
    what, compared = findings.what(meta), bool(found[0].over)
    phrases = (_COMPARED if compared else _ALONE)[what]
    words = {"value": findings.noun(meta), "along": findings.plain(meta["along"])}
    clauses = []
    for verdict in _ORDER:
        group = [finding for finding in found if finding.verdict is verdict]
        if not group:
            continue
        if verdict is Verdict.BARRED:
            for why in dict.fromkeys(finding.main["barred"] for finding in group):
                alike = [finding for finding in group if finding.main["barred"] == why]
                text = f"{phrases[verdict].format(**words)} {findings.WHY[why]}"
                clauses.append(text + _shown(meta, alike, len(found)))
        elif verdict is Verdict.ABSENT:
            clauses.append(f"there is no estimate{_for(group, len(found))}")
        elif verdict is Verdict.MIXED:
            said = {1: phrases[Verdict.ABOVE], -1: phrases[Verdict.BELOW]}
            said = {sign: text.format(**words) for sign, text in said.items()}
            clauses += [_mixed(meta, finding, said) for finding in group]
        else:
            scales = _on_scales(group[0])
            clauses.append(
                phrases[verdict].format(**words) + scales + _shown(meta, group, len(found))
            )
    start = [f"compared to {inline(found[0].over)}"] if compared else []
    start += ["by rank"] if what == CORRELATION else []
    start += [f"for {findings.step(meta)}"] if what == SLOPE and len(found) > 1 else []
    return ", ".join([*start, "; ".join(clauses)]) + "."


def _on_scales(finding: Finding) -> str:
    number = len(finding.rows)
    if number == 1:
        return ""
    if finding.verdict is Verdict.OPEN:
        return " on any scale"
    return " on both scales" if number == 2 else f" on all {number} scales"


def _shown(meta: Meta, group: Sequence[Finding], total: int) -> str:
    """Return the classes of a verdict with their numbers; of the open ones what could be seen."""
    seen = _detectable(meta, group) if group[0].verdict is Verdict.OPEN else ""
    if total == 1:
        return _alone(meta, group[0], f"; {seen}" if seen else "")
    if len(group) > FULL:
        return _for(group, total) + (f"; there {seen}" if seen else "")
    items = []
    for finding in group:
        of = f"; {_detectable(meta, [finding])}" if seen and len(group) == 1 else ""
        items.append(f"{inline(finding.name)} ({_figures(meta, finding, True, '; ')}{of})")
    return f" for {_list(items, len(items))}" + (
        f"; there {seen}" if seen and len(group) > 1 else ""
    )


def _alone(meta: Meta, finding: Finding, seen: str) -> str:
    """Return the rest of a sentence that has a single finding."""
    what = findings.what(meta)
    claimed = finding.verdict not in (Verdict.OPEN, Verdict.BARRED)
    joint = ":"
    if claimed and finding.over:
        joint = ": a difference of"
    elif claimed and what == CORRELATION:
        joint = ": a correlation of"
    elif finding.verdict is Verdict.ABOVE and what == SLOPE:
        joint = " by"
    step = f" for {findings.step(meta)}" if what == SLOPE else ""
    return f"{_of(finding)}{joint} {_figures(meta, finding)}{step}{seen}"


def _for(group: Sequence[Finding], total: int) -> str:
    if total == 1:
        return _of(group[0])
    return f" for {_list([inline(finding.name) for finding in group[:NAMED]], len(group))}"


def _of(finding: Finding) -> str:
    return "" if finding.name == ALL and not finding.over else f" for {inline(finding.name)}"


def _list(items: Sequence[str], total: int) -> str:
    """Return `a, b and c`; what is left out is counted."""
    if total > len(items):
        items = [*items, f"{numbers.count(total - len(items))} more"]
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else items[0]


def _figures(meta: Meta, finding: Finding, first: bool = False, join: str = ", ") -> str:
    """Return the estimate with its interval, on all scales or on the first."""
    texts = []
    for scale, row in finding.rows.items():
        digits = findings.digits(meta, row)
        number = numbers.delta if finding.over else numbers.points
        estimate = f"{number(row['estimate'], digits)}{findings.unit(meta, row)}"
        inner = _interval(row, digits)
        if findings.what(meta) == CORRELATION and len(finding.rows) > 1:
            estimate += f" in {findings.IN[scale]}"
        texts.append(f"{estimate}; {inner}" if join == "; " else f"{estimate} ({inner})")
    return texts[0] if first else ", ".join(texts)


def _interval(row: Mapping[str, Any], digits: int) -> str:
    """Return the interval; with p where that alone keeps what leaves out zero from a claim."""
    text = f"95%: {numbers.interval(row['low'], row['high'], digits)}"
    if (row["low"] > 0 or row["high"] < 0) and row["p holm"] >= SIGNIFICANCE_LEVEL:
        text += f"; p {numbers.p_value(row['p holm'])} by Holm"
    return text


def _detectable(meta: Meta, group: Sequence[Finding]) -> str:
    """Return the effect that would have been seen; "" where it is not known of all."""
    rows = [f.main for f in group]
    if not all(row["detectable"] > 0 for row in rows):
        return ""
    rows.sort(key=lambda row: row["detectable"])
    ends = [rows[0], rows[-1]]
    texts = [numbers.points(row["detectable"], findings.digits(meta, row)) for row in ends]
    unit = findings.unit(meta, rows[0])
    size = f"one of {texts[0]}{unit}" if texts[0] == texts[1] else f"{' to '.join(texts)}{unit}"
    return f"{size} would have been seen with 80% power"


def _mixed(meta: Meta, finding: Finding, said: Mapping[int, str]) -> str:
    """Return that scales disagree, and how."""
    signs: dict[int, list[str]] = {}
    for scale, row in finding.rows.items():
        signs.setdefault(findings.sign(row), []).append(scale)
    parts = [f"{said[s]} in {_figures_in(meta, finding, signs[s])}" for s in (1, -1) if s in signs]
    if 0 in signs:
        parts.append(f"not in {_figures_in(meta, finding, signs[0])}")
    return f"the scales disagree{_of(finding)}, so nothing is claimed: {', '.join(parts)}"


def _figures_in(meta: Meta, finding: Finding, scales: Sequence[str]) -> str:
    texts = []
    for scale in scales:
        row, digits = finding.rows[scale], findings.digits(meta, finding.rows[scale])
        number = numbers.delta if finding.over else numbers.points
        percent = "%" if scale == "share" and findings.unit(meta, row) else ""
        estimate = f"{number(row['estimate'], digits)}{percent}"
        texts.append(f"{findings.IN[scale]} ({estimate}; {_interval(row, digits)})")
    return _list(texts, len(texts))
