"""The style of all figures: fonts, colours that are safe for colour-blind readers, saving."""

import io
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display is needed

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from xstilts.analysis import colours
from xstilts.running.files import atomic

# Okabe and Ito 2008 (from memory, not verified); told apart in grey by their markers.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*"]
# Brown is a loss and blue a gain.
DIFFERENCES = LinearSegmentedColormap.from_list(
    "differences",
    [[c / 255 for c in end] for end in (colours.LOSS, colours.NEUTRAL, colours.GAIN)],
)
BASELINE = "#555555"
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 150,
    "pdf.fonttype": 42,  # fonts are embedded as TrueType; many publishers refuse Type 3
    "svg.fonttype": "none",  # text stays text
    "text.parse_math": False,  # a dollar in a name is no formula
    "svg.hashsalt": "xstilts",  # the same figure is the same bytes
}


def new_figure(width: float, height: float, constrained: bool = True) -> Figure:
    """Return an empty figure of a size in inches; the constrained layout takes time."""
    matplotlib.rcParams.update(SETTINGS)
    return Figure(figsize=(width, height), layout="constrained" if constrained else None)


def markers(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return name -> colour and marker; no two of the first 84 are the same in both."""
    return {
        name: {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        for i, name in enumerate(dict.fromkeys(names))
    }


def wrapped(name: str, letters: int) -> str:
    """Return a name on lines of at most so many letters, broken at hyphens where it has some."""
    return textwrap.fill(name, letters)


def message_figure(message: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = new_figure(5, 1)
    figure.text(0.5, 0.5, message, ha="center", va="center")
    return figure


def _round_places(figure: Figure) -> None:
    """Take the noise of the layout's solver from parts of a figure: names in SVG are made of it."""
    for part in figure.subfigs:
        part.bbox_relative.set_points(part.bbox_relative.get_points().round(6))
        for axes in part.axes:
            axes.set_position(Bbox(axes.get_position().get_points().round(6)))


def save(figure: Figure, path: Path, formats: Sequence[str] = ("pdf", "png", "svg")) -> None:
    """Write the figure in each format; `path` is without extension."""
    if figure.get_layout_engine():
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # once is enough for all
        _round_places(figure)
    undated = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}
    for extension in formats:
        buffer = io.BytesIO()
        figure.savefig(buffer, format=extension, metadata=undated.get(extension, {}))
        with atomic(path.with_name(f"{path.name}.{extension}")) as temporary:
            temporary.write_bytes(buffer.getvalue())
