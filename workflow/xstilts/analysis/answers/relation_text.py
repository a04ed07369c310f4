"""The answer to a question of relations for readers. No sentence says what comes of what."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from xstilts.analysis import numbers
from xstilts.analysis.answers import findings
from xstilts.analysis.answers.files import COLLAPSED, CORRELATION, PARTIAL, WITHIN
from xstilts.analysis.estimates import SIGNIFICANCE_LEVEL
from xstilts.analysis.text_table import TableCell, TextTable

FULL = 4  # classes with their numbers; of more the names alone
KINDS = (CORRELATION, WITHIN, PARTIAL)
COLUMNS = ["layer", "correlation", "95%", "p", "p of any", "least", "points"]

Meta = Mapping[str, Any]
Row = Mapping[str, Any]


def strongest(table: pd.DataFrame) -> pd.DataFrame:
    """Return, of each class and kind that is tested, the row of the layer that says most; of layers
    that say as much the first of those that are most in one direction. `alike`: all of these,
    `opposite`: those that say as much the other way round."""
    rows = table[table["tested"].astype(bool)]
    value = rows["estimate"].round(9)  # what is alike but for rounding is a tie
    each = ["without", "class", "kind"]
    ties = value.groupby([*(rows[name] for name in each), value]).transform("size")
    order = rows.assign(size=value.abs(), ties=ties)
    order = order.sort_values(["size", "ties"], ascending=False, kind="stable")
    best = rows.loc[sorted(order.drop_duplicates(each).index)]
    layers = rows.groupby([*each, value])["layer"].agg(list).to_dict()
    keys = [*zip(*(best[name] for name in each), value[best.index], strict=True)]
    alike = [layers.get(key, [one]) for key, one in zip(keys, best["layer"], strict=True)]
    opposite = [layers.get((*key[:-1], -key[-1]), []) if key[-1] else [] for key in keys]
    return best.assign(alike=alike, opposite=opposite)


def sentence(meta: Meta, table: pd.DataFrame) -> str:
    """Return the answer, and what is otherwise without collapsed trainings.

    Args: see `sentence.sentence`.
    """
    best = strongest(table)
    main, again = (best[best["without"] == of] for of in ("", COLLAPSED))
    found = [_of_all(meta, table[table["without"] == ""], main)]
    if len(again) and _verdicts(main) != _verdicts(again):
        said = _of_all(meta, table[table["without"] == COLLAPSED], again)
        found.append(f"Without collapsed trainings, {said}")
    return " ".join(found)


def _verdicts(best: pd.DataFrame) -> dict[tuple[str, str], int]:
    return {(row["class"], row["kind"]): _sign(row) for row in best.to_dict("records")}


def _of_all(meta: Meta, table: pd.DataFrame, best: pd.DataFrame) -> str:
    classes = list(dict.fromkeys(best["class"]))
    if len(classes) <= FULL:
        return " ".join(_of(meta, table, best, name, len(classes) > 1) for name in classes)
    clauses = []
    for sign, said in ((1, "larger"), (-1, "smaller"), (0, "")):
        own = best[best["kind"] == CORRELATION].to_dict("records")
        names = [findings.inline(row["class"]) for row in own if _sign(row) == sign]
        if names:
            clause = (
                f"{_more(meta)} goes with a {said} {meta['value']}" if said else "none was found"
            )
            clauses.append(f"{clause} for {', '.join(names)}")
    return f"{'; '.join(clauses)}."


def _of(meta: Meta, table: pd.DataFrame, best: pd.DataFrame, name: str, named: bool) -> str:
    """Return what is said of a class: over all, within families, with traits taken out."""
    rows = {row["kind"]: row for row in best[best["class"] == name].to_dict("records")}
    layers = table.loc[table["class"] == name, "layer"].nunique()
    over, within = rows[CORRELATION], rows.get(WITHIN)
    points = f"{over['points']} {_points(meta)}"
    said = [f"over {'all ' if within else ''}{points}, {_said(meta, over, layers)}"]
    if within:
        said.append(f"within families, {_said(meta, within, layers)}")
    if PARTIAL in rows:
        given = " and ".join(map(findings.plain, meta["relation"]["given"]))
        said.append(f"with {given} taken out, {_said(meta, rows[PARTIAL], layers)}")
    start = f"for {findings.inline(name)}, " if named else ""
    texts = [f"{start}{said[0]}.", *(f"{text}." for text in said[1:]), _apart(rows)]
    return " ".join(f"{text[0].upper()}{text[1:]}" for text in texts if text)


def _apart(rows: Mapping[str, Row]) -> str:
    """Return what is said where what holds over all does not within families (Simpson 1951)."""
    if WITHIN not in rows or not (over := _sign(rows[CORRELATION])):
        return ""
    within = _sign(rows[WITHIN])
    if within == over:
        return ""
    if within == -over:
        return "So within families it is the other way round (Simpson's paradox)."
    return "So what is seen over all may be a difference between families."


def _said(meta: Meta, row: Row, layers: int) -> str:
    """Return the claim of one correlation, that of the layer which says most."""
    sign, layer = _sign(row), _layers(row["alike"])
    figures, ties = _figures(row), len(row["alike"]) > 1
    other = row["opposite"]
    opposite = (
        f"; {_layers(other)} say{'' if len(other) > 1 else 's'} as much the other way round"
        if other
        else ""
    )
    if row["barred"]:
        at = f" at {layer}" if layers > 1 else ""
        of = f"the correlation of the {meta['value']} with the {_thing(meta)}"
        return f"nothing is claimed of {of} {findings.WHY[row['barred']]}: {figures}{at}{opposite}"
    if sign:
        says = "say most alike" if ties else "says most"
        most = f"; of {layers} layers {layer} {says}{opposite}" if layers > 1 else ""
        size = "larger" if sign > 0 else "smaller"
        return f"{_more(meta)} goes with a {size} {meta['value']}: {figures}{most}"
    least = row["least"]
    seen = (
        f"one beyond {numbers.points(least, 2)} would have been told from chance"
        if least == least
        else "so few can show none"
    )
    if row["p holm"] < SIGNIFICANCE_LEVEL:
        seen = "more than chance, but not more than the noise of the points"
    at = f"{layer} alike" if ties else layer
    most = f" at any of {layers} layers; the strongest, at {at}," if layers > 1 else ":"
    joint = " is " if layers > 1 else " "
    of = f"no correlation of the {meta['value']} with the {_thing(meta)} was found"
    return f"{of}{most}{joint}{figures}{opposite}; {seen}"


def _figures(row: Row) -> str:
    interval = numbers.interval(row["low"], row["high"], 2)
    p = numbers.p_value(row["p holm"])
    by_chance = p if p.startswith("<") else f"= {p}"
    return f"{numbers.points(row['estimate'], 2)} (95%: {interval}; p {by_chance})"


def _thing(meta: Meta) -> str:
    measure = findings.measure(meta)
    return measure if meta["value"] == "score" else f"change in {measure}"


def _more(meta: Meta) -> str:
    return f"a larger {_thing(meta)}"


def _points(meta: Meta) -> str:
    both = meta["relation"]["within"] and meta["relation"]["across"] == "language"
    return "points" if both else f"{meta['relation']['across']}s"


def _layers(names: Sequence[str]) -> str:
    """Return `layer 3`, `the layer last`, `layers 3, 4 and 6`."""
    texts = [str(name) for name in names]
    joined = " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))
    return f"{'' if texts[0].isdigit() else 'the '}layer{'s' * (len(texts) > 1)} {joined}"


def _sign(row: Row) -> int:
    """Return 1 or -1 if a correlation is claimed, above or below zero; else 0."""
    if row["barred"] or not row["p holm"] < SIGNIFICANCE_LEVEL:
        return 0
    return int(row["low"] > 0) - int(row["high"] < 0)


def text_table(meta: Meta, table: pd.DataFrame) -> TextTable:
    """Return the table: a block for what is correlated, a row for a class and layer. Families are
    in it at the layer that says most; the CSV file has all."""
    if table.empty:
        return TextTable(["what", "class"], COLUMNS, [], meta.get("notes", []))
    blocks: dict[str, list[tuple[list[str], list[TableCell]]]] = {}
    for row in _shown(table):
        names = [_heading(meta, row), findings.plain(row["class"])]
        blocks.setdefault(names[0], []).append((names, _cells(row)))
    rows = [row for block in blocks.values() for row in block]
    notes = list(dict.fromkeys([*explained(meta, table), *meta.get("notes", [])]))
    return TextTable(["what", "class"], COLUMNS, rows, notes)


def _shown(table: pd.DataFrame) -> Iterator[Row]:
    best = strongest(table)
    over = best[best["kind"] == CORRELATION]
    most = {(row["without"], row["class"]): row["layer"] for row in over.to_dict("records")}
    for row in table.to_dict("records"):
        if row["tested"] or row["layer"] == most[row["without"], row["class"]]:
            yield row


def _heading(meta: Meta, row: Row) -> str:
    text = f"rank correlation of the {meta['value']} with the {_thing(meta)}"
    if row["kind"] == WITHIN:
        text = f"within families by {findings.plain(meta['relation']['within'])}"
    elif row["kind"] == PARTIAL:
        text = f"with {' and '.join(map(findings.plain, meta['relation']['given']))} taken out"
    elif row["family"]:
        text = f"family {findings.plain(row['family'])}"
    return f"{text}, without collapsed trainings" if row["without"] == COLLAPSED else text


def _cells(row: Row) -> list[TableCell]:
    return [
        TableCell(str(row["layer"])),
        TableCell(numbers.points(row["estimate"], 2), marked=bool(_sign(row))),
        TableCell(numbers.interval(row["low"], row["high"], 2)),
        TableCell(numbers.p_value(row["p"])),
        TableCell(numbers.p_value(row["p holm"])),
        TableCell(numbers.points(row["least"], 2)),
        TableCell(numbers.count(row["points"])),
    ]


def explained(meta: Meta, table: pd.DataFrame) -> list[str]:
    """Return what a reader has to know of the table."""
    of, over = meta["aligned"], " and ".join(dict.fromkeys(table["noise"]))
    tested = int((table["tested"].astype(bool) & (table["without"] == "")).sum())
    any_of = f"that any of the {tested} is" if tested > 1 else "the same"
    rows = [
        f"A point is a {meta['relation']['across']}; 95%: these points alone, over {over}, for each"
        " layer by itself.",
        f"p: that points which are not related show as much, by permutation; p of any: {any_of}."
        f" *: p of any is below {SIGNIFICANCE_LEVEL:g} and the interval leaves out zero. least: the"
        " smallest correlation that could be so.",
        "A correlation says what goes together, not what comes of what.",
    ]
    if of["better"] == "lower":
        rows.append(
            f"Of {findings.measure(meta)} lower values are those of better aligned languages."
        )
    return rows
