"""Learning curves: the score on the English dev set along each training."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis.plots import style
from xstilts.experiment.config import NONE

MAX_COLUMNS = 4


def draw(curves: pd.DataFrame) -> Figure:
    """Draw a panel per training of stage 1, and per tuning task with a line per intermediate.

    Every seed has a line; a ring is the checkpoint that was kept.

    Args:
        curves: see `cost.curves`.
    """
    curves = curves.dropna(subset="score")
    if curves.empty:
        return style.message_figure(
            "No learning curves: the records of the trainings are not there."
        )
    stage_1 = curves["kind"] == "intermediate"
    trained_on = curves["task"].where(~stage_1, curves["intermediate"])
    groups = list(curves.groupby([curves["model"], ~stage_1, trained_on], sort=False))
    groups.sort(key=lambda group: group[0][:2])
    markers = style.markers(name for name in curves["intermediate"] if name != NONE)
    markers[NONE] = {"color": "black", "marker": "|"}
    columns = min(MAX_COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    figure = style.new_figure(max(4.0, 2.3 * columns), 0.8 + 1.75 * rows)
    panels: list[Any] = list(figure.subplots(rows, columns, squeeze=False).flat)
    several = curves["model"].nunique() > 1
    for panel, ((model, tuned, name), part) in zip(panels, groups, strict=False):
        for (intermediate, _), line in part.groupby(["intermediate", "seed"], sort=False):
            marker = markers[intermediate]
            panel.plot(line["step"], line["score"], lw=1.1, ms=3.5, label=intermediate, **marker)
            best, colour = line[line["best"]], marker["color"]
            panel.plot(
                best["step"], best["score"], "o", ms=8, mfc="none", mec=colour, clip_on=False
            )
        stage = "tuning on" if tuned else "stage 1:"
        panel.set_title(f"{stage} {name}" + (f"\n{model}" if several else ""), loc="left")
        panel.margins(y=0.15)
        panel.set_xlim(left=0)
        panel.set_xlabel("step")
    for panel in panels[len(groups) :]:
        panel.set_visible(False)
    figure.supylabel("dev score, English", size=8)
    handles: dict[str, Any] = {}
    for panel in panels[: len(groups)]:
        panel_handles, labels = panel.get_legend_handles_labels()
        handles |= dict(zip(labels, panel_handles, strict=True))
    figure.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=min(6, len(handles)),
        frameon=False,
    )
    return figure
