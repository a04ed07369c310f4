"""Heatmap: the difference to the row `none`, by intermediate and target."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from xstilts.analysis import numbers
from xstilts.analysis.colours import Scale
from xstilts.analysis.plots import style
from xstilts.analysis.tables import AVERAGE
from xstilts.experiment.config import NONE


def draw(main: pd.DataFrame, significant: set[tuple[str, str, str]]) -> Figure:
    """Draw a panel per model, all on one colour scale: that of the differences by target.

    Args:
        main: see `tables.main_table`; rows of a model without `none` have no difference.
        significant: (model, intermediate, target) whose difference gets an asterisk.
    """
    names = [c for c in main.columns[2:] if not c.endswith(" delta")]
    deltas = main[[f"{name} delta" for name in names]]
    shown = main[(main["intermediate"] != NONE) & deltas.notna().any(axis=1)]
    if shown.empty:
        return style.message_figure(
            "No difference to show: the row none, or what to compare, is missing."
        )
    targets = deltas.drop(columns=f"{AVERAGE} delta", errors="ignore")
    scale = Scale.of(targets.loc[shown.index].to_numpy().flat)
    beyond = float(np.nanmax(np.abs(deltas.loc[shown.index].to_numpy()))) > scale.limit
    models = list(dict.fromkeys(shown["model"]))
    label = 0.075 * max(map(len, shown["intermediate"]))  # inches of the longest
    figure = style.new_figure(
        1.8 + label + 0.62 * len(names), 1.1 + 0.27 * len(shown) + 0.35 * len(models)
    )
    heights = [int((shown["model"] == model).sum()) for model in models]
    panels: list[Any] = list(
        figure.subplots(len(models), 1, squeeze=False, sharex=True, height_ratios=heights).flat
    )
    for panel, model in zip(panels, models, strict=True):
        part = shown[shown["model"] == model]
        values = part[[f"{name} delta" for name in names]].to_numpy()
        image = panel.imshow(
            values, style.DIFFERENCES, vmin=-scale.limit, vmax=scale.limit, aspect="auto"
        )
        panel.set_yticks(range(len(part)), part["intermediate"])
        panel.set_title(model, loc="left")
        panel.tick_params(length=0)
        panel.spines[:].set_visible(False)
        for y, intermediate in enumerate(part["intermediate"]):
            for x, name in enumerate(names):
                mark = "*" if (model, intermediate, name) in significant else ""
                value = values[y, x]
                text = numbers.delta(value) + mark
                dark = value == value and scale.dark(value)
                colour, weight = ("white" if dark else "black"), ("bold" if mark else "normal")
                panel.text(
                    x, y, text, ha="center", va="center", color=colour, weight=weight, size=7
                )
        if AVERAGE in names and len(names) > 1:
            panel.axvline(names.index(AVERAGE) - 0.5, color="black", linewidth=0.8)
    panels[-1].set_xticks(range(len(names)), names, rotation=30, ha="right")
    bar = figure.colorbar(
        image,
        ax=panels,
        fraction=0.05,
        pad=0.02,
        aspect=30,
        extendfrac=0.03,
        extend="both" if beyond else "neither",
    )
    bar.set_label("difference to none, points")
    bar.outline.set_visible(False)
    if significant:
        figure.supxlabel("*: more than the noise of examples and seeds", size=7)
    return figure
