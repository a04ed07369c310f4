"""What all figures share: fonts, colours that a colour-blind reader can tell apart, and saving."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no display is needed

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from xstilts.running.files import atomic

# Okabe and Ito 2008 (from memory, not verified); told apart in grey by their markers.
COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000"]
MARKERS = ["o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*"]
# Orange is a loss and blue a gain. Both ends are dark in grey, so figures with it print the sign.
GAIN = LinearSegmentedColormap.from_list(
    "gain", ["#B35806", "#F1A340", "#F7F7F7", "#67A9CF", "#2166AC"]
)
BASELINE = "#555555"
SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.dpi": 150,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "xstilts",  # the same figure is the same bytes
}


def figure(width: float, height: float, arranged: bool = True) -> Figure:
    """Return an empty figure, in inches; `arranged` keeps what is drawn apart, and takes time."""
    matplotlib.rcParams.update(SETTINGS)
    return Figure(figsize=(width, height), layout="constrained" if arranged else None)


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return name -> colour and marker; no two of the first 84 are the same in both."""
    return {
        name: {"color": COLOURS[i % len(COLOURS)], "marker": MARKERS[i % len(MARKERS)]}
        for i, name in enumerate(dict.fromkeys(names))
    }


def empty(why: str) -> Figure:
    """Return a figure that says why there is none."""
    made = figure(5, 1)
    made.text(0.5, 0.5, why, ha="center", va="center")
    return made


def save(made: Figure, path: Path, kinds: Sequence[str] = ("png", "svg")) -> None:
    """Write the figure as PNG and SVG beside each other."""
    if made.get_layout_engine():
        made.draw_without_rendering()
        made.set_layout_engine("none")  # once is enough for both
    for kind in kinds:
        held = io.BytesIO()
        metadata = {"Date": None} if kind == "svg" else {}
        made.savefig(held, format=kind, metadata=metadata)
        with atomic(path.with_name(f"{path.name}.{kind}")) as temporary:
            temporary.write_bytes(held.getvalue())
