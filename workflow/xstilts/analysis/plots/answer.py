"""An answer: classes as dots with intervals, a slope as a line with its band, ranks as points."""

import dataclasses
import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis.answers import findings
from xstilts.analysis.answers.files import COLLAPSED, CORRELATION, DIFFERENCE, SLOPE, VALUE
from xstilts.analysis.answers.sentence import sentence
from xstilts.analysis.plots import along, relation, style
from xstilts.experiment.questions import MEASURE

# Inches. Three are a column of a page of two; a figure of several scales is as wide as both.
WIDTH, SCALE_WIDTH, ROW, LINE = 3.2, 1.75, 0.21, 0.115
LETTERS, LINES = 20, 3  # of the name of a class beside its dot
HEADINGS = {"points": "points", "share": "% of the errors", "log-odds": "log-odds", MEASURE: ""}
GREY = "#8A8A8A"  # what is not tested

Meta = Mapping[str, Any]


def draw(meta: Meta, table: pd.DataFrame, points: pd.DataFrame) -> Figure:
    """Draw an answer: a column of panels for a scale; one below the other what there is.

    That is, with `along`, the points and the slopes, or the points alone where the question is of
    ranks; then the classes, unless it is the slope of a single one; then the differences of the
    others to the first.

    Args: see `files.Answer`.
    """
    if meta["missing"] or table.empty:
        return style.message_figure(textwrap.fill(sentence(meta, table), 60))
    if meta.get("relation"):
        return relation.draw(meta, table, points)
    table = findings.asked(meta, table)
    scales = list(dict.fromkeys(table["scale"]))
    what = findings.what(meta)
    own, differences = table[table["kind"] == what], table[table["kind"] == DIFFERENCE]
    markers = style.markers(table["class"])
    parts: list[tuple[str, pd.DataFrame, float]] = []
    if what != VALUE:
        names = 0.16 * -(-len(markers) // 2) if len(markers) > 1 else 0
        parts.append(("points", points, 2.1 + names))
    if len(own) and (what == VALUE or len(markers) > 1):
        parts.append((what, own, _height(meta, own)))
    if len(differences):
        parts.append((DIFFERENCE, differences, _height(meta, differences)))
    shown = markers if what != VALUE else {}
    looks = _Looks(shown, findings.claimed(table), bool(table["tested"].any()))
    width = WIDTH if len(scales) == 1 else 1.0 + SCALE_WIDTH * len(scales)
    notes = textwrap.wrap("; ".join(_notes(meta, table, parts)), int(width / 0.056))
    heights = [height for _, _, height in parts] + [0.06 + LINE * len(notes)]
    figure = style.new_figure(width, sum(heights))
    below: Any = figure.subfigures(len(heights), 1, height_ratios=heights, squeeze=False)[:, 0]
    for part, (kind, rows, _) in zip(below, parts, strict=False):
        panels = part.subplots(1, len(scales), squeeze=False, sharey=kind != "points")[0]
        for panel, scale in zip(panels, scales, strict=True):
            of_scale = rows[rows["scale"] == scale]
            if kind == "points":
                unit = _unit(meta, VALUE, scale)
                panel.set_ylabel(", ".join(filter(None, [findings.noun(meta), unit])))
                along.draw(panel, meta, of_scale, own[own["scale"] == scale], markers)
            else:
                _dots(panel, meta, of_scale, looks)
                panel.set_xlabel(_unit(meta, kind, scale))
        if kind == "points":
            along.legend(part, markers)
        else:
            part.suptitle(_title(meta, rows), x=0.02, ha="left", size=8)
    below[-1].text(0.02, 0.98, "\n".join(notes), size=6.5, va="top", color=style.BASELINE)
    return figure


def _height(meta: Meta, rows: pd.DataFrame) -> float:
    names = rows["class"].unique()
    lines = max(_label(name).count("\n") + 1 for name in names)
    title = LINE * (_title(meta, rows).count("\n") + 1)
    return 0.5 + title + max(ROW, 0.04 + 0.125 * lines) * (len(names) + 0.3)


def _label(name: str) -> str:
    """Return the name of a class on a few lines; what is too long ends in an ellipsis."""
    return textwrap.fill(findings.plain(name), LETTERS, max_lines=LINES, placeholder=" …")


def _unit(meta: Meta, kind: str, scale: str) -> str:
    if kind == VALUE and meta["value"] == "score" and scale == "points":
        return "percent"
    if kind != VALUE and findings.what(meta) == CORRELATION:
        return "rank correlation" + ("" if scale == "points" else f" in {findings.IN[scale]}")
    return HEADINGS[scale]


def _title(meta: Meta, rows: pd.DataFrame) -> str:
    kind, what = rows["kind"].iloc[0], findings.what(meta)
    thing = {SLOPE: "slope of the ", CORRELATION: "rank correlation of the "}.get(what, "")
    text = f"{thing}{findings.noun(meta)}"
    if kind == DIFFERENCE:
        text = f"difference to {findings.plain(rows['over'].iloc[0])}" + (
            f" in the {thing.removesuffix(' of the ')}" if thing else ""
        )
    if what == SLOPE:
        text += f", for {findings.step(meta)}"
    return textwrap.fill(text, 46, max_lines=LINES, placeholder=" …")


@dataclasses.dataclass(frozen=True)
class _Looks:
    """How dots look: markers of classes; what is claimed is filled; whether anything is tested."""

    markers: Mapping[str, Mapping[str, Any]]
    claimed: Collection[tuple[str, str, str]]
    tested: bool


def _dots(panel, meta: Meta, rows: pd.DataFrame, looks: "_Looks") -> None:
    """Draw classes from the top, with intervals; beside them those without collapsed trainings."""
    names = list(dict.fromkeys(rows["class"]))
    for row in rows.to_dict("records"):
        again = row["without"] == COLLAPSED
        y = names.index(row["class"]) + (0.26 if again else 0.0)
        marker = looks.markers.get(row["class"], {"color": style.COLOURS[0], "marker": "o"})
        colour = GREY if looks.tested and not row["tested"] else marker["color"]
        claimed = (row["class"], row["over"], row["without"]) in looks.claimed
        fill = "white" if row["tested"] and not claimed else colour
        panel.hlines(y, row["low"], row["high"], colour, linewidth=0.8 if again else 1.3)
        size, shape = (9, "d") if again else (20, marker["marker"])
        panel.scatter(row["estimate"], y, size, fill, marker=shape, edgecolors=colour, zorder=3)
    zero = meta["value"] != "score" or rows["kind"].iloc[0] != VALUE
    if zero:
        panel.axvline(0, color=style.BASELINE, linewidth=0.8, zorder=1)
    panel.set_yticks(range(len(names)), [_label(name) for name in names])
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.tick_params(axis="y", length=0)
    panel.grid(axis="x", color="#E4E4E4", linewidth=0.5)
    panel.set_axisbelow(True)
    panel.spines["left"].set_visible(False)
    panel.locator_params(axis="x", nbins=4 if meta["scales"][1:] else 6)
    panel.xaxis.set_major_formatter(along.plain_number)
    panel.set_xlim(*_limits(rows, zero))


def _limits(rows: pd.DataFrame, zero: bool) -> tuple[float, float]:
    """Return the limits of an axis for estimates and intervals, with some room, and with zero."""
    found = rows[["estimate", "low", "high"]].to_numpy(dtype=float)
    values = [*found[np.isfinite(found)].tolist(), *([0.0] if zero else [])]
    low, high = min(values, default=0.0), max(values, default=0.0)
    room = 0.06 * (high - low) or 1.0
    return low - room, high + room


def _notes(meta: Meta, table: pd.DataFrame, parts: Sequence[tuple[str, Any, float]]) -> list[str]:
    """Return what is said below the figure."""
    kinds, over = {kind for kind, _, _ in parts}, " or ".join(dict.fromkeys(table["noise"]))
    found = [f"lines: 95% intervals over {over}"]
    if "points" in kinds and findings.what(meta) == SLOPE:
        found.append("band: the interval of the slope, turned about the mean of the points")
    if kinds - {"points"}:
        shown = pd.concat([rows for kind, rows, _ in parts if kind != "points"])
        every = " on every scale" if table["scale"].nunique() > 1 else ""
        if shown["tested"].any():
            found.append(f"filled: told apart from zero{every} (Holm)")
        if shown["tested"].any() and not shown["tested"].all():
            found.append("grey: not tested")
    if (table["without"] == COLLAPSED).any():
        found.append("diamond: without collapsed trainings")
    lacking = table.loc[table["estimate"].isna(), "class"].unique()
    if len(lacking):
        found.append(f"no estimate: {', '.join(map(findings.plain, lacking))}")
    return found
