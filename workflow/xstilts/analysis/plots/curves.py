"""Learning curves: the score on the English dev set along each training."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis.plots import style
from xstilts.experiment.config import NONE

ACROSS = 4


def draw(curves: pd.DataFrame) -> Figure:
    """Draw a panel per training of stage 1, and per tuning task with a line per intermediate.

    Every seed has a line; a ring is the state that was kept.

    Args:
        curves: see `cost.curves`.
    """
    curves = curves.dropna(subset="score")
    if curves.empty:
        return style.empty("No learning curves: the records of the trainings are not there.")
    stage_1 = curves["kind"] == "intermediate"
    what = curves["task"].where(~stage_1, curves["intermediate"])
    groups = list(curves.groupby([curves["model"], ~stage_1, what], sort=False))
    groups.sort(key=lambda group: group[0][:2])
    looks = style.looks(name for name in curves["intermediate"] if name != NONE)
    looks[NONE] = {"color": "black", "marker": "|"}
    across = min(ACROSS, len(groups))
    down = -(-len(groups) // across)
    made = style.figure(max(4.0, 2.3 * across), 0.8 + 1.75 * down)
    panels: list[Any] = list(made.subplots(down, across, squeeze=False).flat)
    several = curves["model"].nunique() > 1
    for panel, ((model, tuned, name), part) in zip(panels, groups, strict=False):
        for (intermediate, _), line in part.groupby(["intermediate", "seed"], sort=False):
            look = looks[intermediate]
            panel.plot(line["step"], line["score"], lw=1.1, ms=3.5, label=intermediate, **look)
            best = line[line["best"]]
            panel.plot(
                best["step"], best["score"], "o", ms=8, mfc="none", mec=look["color"], clip_on=False
            )
        stage = "tuning on" if tuned else "stage 1:"
        panel.set_title(f"{stage} {name}" + (f"\n{model}" if several else ""), loc="left")
        panel.margins(y=0.15)
        panel.set_xlim(left=0)
        panel.set_xlabel("step")
    for panel in panels[len(groups) :]:
        panel.set_visible(False)
    made.supylabel("dev score, English", size=8)
    handles: dict[str, Any] = {}
    for panel in panels[: len(groups)]:
        found, labels = panel.get_legend_handles_labels()
        handles |= dict(zip(labels, found, strict=True))
    made.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=min(6, len(handles)),
        frameon=False,
    )
    return made
