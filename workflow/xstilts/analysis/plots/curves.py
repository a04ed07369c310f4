"""Learning curves: the score on the dev set along each training."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from xstilts.analysis.plots import style
from xstilts.experiment.config import NONE

MAX_COLUMNS = 4
LETTERS = 28  # of a title on a line
SMALLEST_SPAN = 5.0  # points on an axis: tenths of a point do not fill a panel
CHANCE: dict[str, Any] = {"color": style.BASELINE, "linestyle": (0, (4, 3)), "linewidth": 0.9}


def draw(curves: pd.DataFrame) -> Figure:
    """Draw a panel per training of stage 1, and per tuning task with a line per intermediate.

    Every seed has a line; a ring is the checkpoint that was kept, a dashed line the score of
    guessing.

    Args:
        curves: see `figure_data.curves`.
    """
    curves = curves.dropna(subset="score")
    if curves.empty:
        return style.message_figure(
            "No learning curves: the records of the trainings are not there."
        )
    stage_1 = curves["kind"] == "intermediate"
    trained_on = curves["task"].where(~stage_1, curves["intermediate"])
    groups = list(curves.groupby([curves["model"], ~stage_1, trained_on], sort=False))
    models = list(dict.fromkeys(curves["model"]))
    groups.sort(key=lambda group: (models.index(group[0][0]), group[0][1]))
    names = list(dict.fromkeys(curves["intermediate"]))
    markers = style.markers(name for name in names if name != NONE)
    if NONE in names:
        markers = {NONE: {"color": "black", "marker": "|"}, **markers}
    columns = min(MAX_COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    figure = style.new_figure(max(4.0, 2.3 * columns), 0.8 + 1.75 * rows)
    panels: list[Any] = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel, ((model, tuned, name), part) in zip(panels, groups, strict=False):
        for (intermediate, _), line in part.groupby(["intermediate", "seed"], sort=False):
            marker = markers[intermediate]
            panel.plot(line["step"], line["score"], lw=1.1, ms=3.5, **marker)
            best = line[line["best"]]
            panel.plot(best["step"], best["score"], **_ring(marker["color"]))
        stage = "tuning on" if tuned else "stage 1:"
        title = [f"{stage} {name}", *([model] if len(models) > 1 else [])]
        panel.set_title("\n".join(style.wrapped(line, LETTERS) for line in title), loc="left")
        _set_limits(panel, part)
        panel.set_xlabel("step")
    for panel in panels[len(groups) :]:
        panel.set_visible(False)
    figure.supylabel("dev score in the language of the training, percent", size=8)
    handles = {
        name: Line2D([], [], lw=1.1, ms=3.5, **marker) for name, marker in markers.items()
    } | {"kept": Line2D([], [], **_ring("black"))}
    if curves["chance"].notna().any():
        handles["chance"] = Line2D([], [], **CHANCE)
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(6, len(handles)),
        frameon=False,
    )
    return figure


def _ring(colour: str) -> dict[str, Any]:
    return dict(marker="o", ls="", ms=8, mfc="none", mec=colour, clip_on=False)


def _set_limits(panel, part: pd.DataFrame) -> None:
    """Fit the axes to the lines of a panel and to the chance level, which is drawn where known."""
    chance = part["chance"].iloc[0]
    values = [part["score"].min(), part["score"].max(), *([chance] if chance == chance else [])]
    low, high = min(values), max(values)
    room = max(0.12 * (high - low), (SMALLEST_SPAN - (high - low)) / 2)
    panel.set_ylim(low - room, high + room)
    panel.set_xlim(0, 1.06 * part["step"].max())
    if chance == chance:
        panel.axhline(chance, **CHANCE, zorder=0)
