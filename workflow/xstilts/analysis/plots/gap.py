"""Transfer gap: how far the other languages are behind English, by target and intermediate."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis.plots import style
from xstilts.experiment.config import NONE

LEGEND_COLUMNS = 4


def draw(gaps: pd.DataFrame) -> Figure:
    """Draw a panel per model with a line per target: a bar for `none`, a mark per intermediate.

    Args:
        gaps: model, target, intermediate and `gap` in points; missing ones are left out.
    """
    gaps = gaps.dropna(subset="gap")
    if gaps.empty:
        return style.message_figure("No transfer gap: no target has English and another language.")
    models, targets = list(dict.fromkeys(gaps["model"])), list(dict.fromkeys(gaps["target"]))
    y_positions = {target: -y for y, target in enumerate(targets)}
    names = list(dict.fromkeys(gaps["intermediate"]))
    markers = style.markers(name for name in names if name != NONE)
    lines = -(-len(names) // LEGEND_COLUMNS)
    height = 1.0 + 0.36 * len(targets) + 0.2 * lines
    figure = style.new_figure(max(4.5, 1 + 3.0 * len(models)), height)
    panels: list[Any] = list(
        figure.subplots(1, len(models), squeeze=False, sharex=True, sharey=True).flat
    )
    for panel, model in zip(panels, models, strict=True):
        part = gaps[gaps["model"] == model]
        panel.axvline(0, color=style.BASELINE, linewidth=0.8)
        for i, name in enumerate(names):
            points = part[part["intermediate"] == name]
            y = points["target"].map(y_positions)
            if name == NONE:
                panel.scatter(points["gap"], y, 180, "black", marker="|", linewidths=2, label=name)
                continue
            # Shifted a little, so that equal gaps do not hide each other.
            y = y + 0.5 * ((i + 0.5) / len(names) - 0.5)
            panel.scatter(
                points["gap"], y, 26, alpha=0.9, **markers[name],
                linewidths=0.3, edgecolors="white", label=name,
            )  # fmt: skip
        panel.set_title(model, loc="left")
        panel.set_xlabel("English minus the mean of the others, points")
        panel.grid(axis="y", color="#DDDDDD", linewidth=0.6)
        panel.set_axisbelow(True)
    panels[0].set_yticks(list(y_positions.values()), list(y_positions))
    panels[0].set_ylim(0.6 - len(targets), 0.6)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=min(LEGEND_COLUMNS, len(names)),
        frameon=False,
        markerscale=0.7,
    )
    return figure
