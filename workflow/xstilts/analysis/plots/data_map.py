"""Data map: confidence against variability of the train rows of a task (Swayamdipta et al. 2020,
figure 1), with the share of rows along each measure."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from xstilts.analysis.plots import style

BINS = 20
MOST_LEVELS = 9
REGIONS = {  # what its authors call the parts of the map: place in the axes, alignment
    "easy to learn": (0.02, 0.98, "left", "top"),
    "ambiguous": (0.98, 0.5, "right", "center"),
    "hard to learn": (0.02, 0.02, "left", "bottom"),
}


def draw(points: pd.DataFrame, title: str) -> Figure:
    """Draw a mark per row, its colour and shape by how often the model was right of it.

    Args:
        points: `confidence`, `variability` and `correctness` of rows; missing ones are left out.
        title: of the figure.
    """
    points = points.dropna(subset=["confidence", "variability", "correctness"])
    if points.empty:
        return style.message_figure("No data map: nothing is recorded.")
    figure = style.new_figure(6.4, 3.8)
    grid = figure.add_gridspec(3, 2, width_ratios=[3, 1])
    panel: Any = figure.add_subplot(grid[:, 0])
    levels = np.unique(points["correctness"].round(2))
    if len(levels) > MOST_LEVELS:  # of spans and tags it is any number
        levels = np.linspace(0, 1, 6)
    nearest = np.abs(points["correctness"].to_numpy()[:, None] - levels).argmin(1)
    size = float(np.clip(3000 / len(points), 3, 18))
    for at, level in enumerate(levels):
        own = points[nearest == at]
        colour = [colormaps["cividis"](0.92 * float(level))]
        panel.scatter(
            own["variability"], own["confidence"], size, colour,
            marker=style.MARKERS[at], linewidths=0, alpha=0.75, label=f"{level:.2g}",
            rasterized=True,
        )  # fmt: skip
    for name, (x, y, across, up) in REGIONS.items():
        panel.text(
            x, y, name, ha=across, va=up, transform=panel.transAxes, style="italic",
            bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 1.5},
        )  # fmt: skip
    panel.set(xlabel="variability", ylabel="confidence", ylim=(-0.02, 1.02))
    panel.set_xlim(left=min(-0.005, -0.02 * points["variability"].max()))
    panel.set_title(f"{title}: {len(points):,} rows", loc="left")
    handles, labels = panel.get_legend_handles_labels()
    figure.legend(
        handles, labels, title="correctness", loc="outside lower center", ncols=len(labels),
        frameon=False, markerscale=18 / size if size < 18 else 1,
    )  # fmt: skip
    for at, name in enumerate(("confidence", "variability", "correctness")):
        side: Any = figure.add_subplot(grid[at, 1])
        share = np.full(len(points), 100 / len(points))
        ends = (0, 1) if name != "variability" else (0, 0.5)  # of numbers from 0 to 1
        side.hist(points[name], BINS, range=ends, weights=share, color="#888888")
        side.set_xlabel(name)
        side.set_ylabel("% of rows")
    return figure
