"""The state of the grid as text: a matrix of cells, why some are not done, the next run."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from xstilts.analysis.collapse import listed
from xstilts.experiment.cells import Cell
from xstilts.experiment.nodes import RULES
from xstilts.monitoring.cell_states import STATES, CellState
from xstilts.monitoring.estimate.text import duration


def matrix(cells: Mapping[Cell, CellState], collapsed: Collection[Cell] = ()) -> list[list[str]]:
    """Return the grid as a table of text: a row per (model, intermediate), a column per target.

    A field is the state of the cell, or how many seeds are in which state; a partial cell says how
    many of its languages are there; then for how many a training collapsed. Empty where the grid
    has no cell. The first row is the heading.
    """
    targets = list(dict.fromkeys(cell.target for cell in cells))
    marked = Counter((cell.model, cell.intermediate, cell.target) for cell in collapsed)
    rows: dict[tuple[str, str], dict[str, list[CellState]]] = {}
    for cell, state in cells.items():
        row = rows.setdefault((cell.model, cell.intermediate), {})
        row.setdefault(cell.target, []).append(state)
    return [
        ["model", "intermediate", *targets],
        *(
            [*row, *(_field(by_target.get(t, []), marked[*row, t]) for t in targets)]
            for row, by_target in rows.items()
        ),
    ]


def _field(seeds: list[CellState], collapsed: int) -> str:
    return _states(seeds) + (f", {collapsed} collapsed" if collapsed else "")


def _states(seeds: list[CellState]) -> str:
    if len(seeds) == 1 and seeds[0].state == "partial":
        return f"partial {seeds[0].have}/{seeds[0].asked}"
    counts = Counter(state.state for state in seeds)
    if len(counts) < 2:
        return next(iter(counts), "") + (f" x{len(seeds)}" if len(seeds) > 1 else "")
    return ", ".join(f"{counts[name]} {name}" for name in STATES if counts[name])


def align(rows: list[list[str]]) -> list[str]:
    """Return the rows of a table of text as lines, the columns one under another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def reasons(cells: Mapping[Cell, CellState]) -> list[str]:
    """Return a line per reason for which cells are not done: the cells, what was said, the log."""
    groups: dict[tuple[str, str, str], list[Cell]] = {}
    for cell, state in cells.items():
        if state.reason:
            groups.setdefault((state.state, state.reason, state.log), []).append(cell)
    lines = []
    for (name, reason, log), members in groups.items():
        more = f" and {len(members) - 1} more" if len(members) > 1 else ""
        where = f"\n    {log}" if log else ""
        lines.append(f"{name}: {members[0]}{more}\n    {reason}{where}")
    return lines


def overview(cells: Iterable[CellState], collapsed: Collection[Cell] = ()) -> str:
    """Return how many cells are in which state, and for which a training collapsed."""
    counts = Counter(state.state for state in cells)
    total = sum(counts.values())
    line = f"{total} cells: " + ", ".join(f"{counts[n]} {n}" for n in STATES if counts[n])
    names = [str(cell) for cell in sorted(collapsed)]
    return line + (f"; {len(names)} collapsed: {listed(names)}" if names else "")


def plan(counts: Mapping[str, int]) -> str:
    """Return what the next run would do."""
    if not counts:
        return "next run: no score is to be computed"
    return "next run: " + ", ".join(f"{counts[rule]} {rule}" for rule in RULES if counts.get(rule))


def at_work(snakemake: str | None, forecast: Mapping[str, str] | None) -> str:
    """Return what is said of a run that goes on; "" if there is none.

    Args:
        snakemake: its process.
        forecast: the last of its forecasts (`live/forecasts.py`), if it has made one.
    """
    if not snakemake:
        return ""
    line = f"Snakemake ({snakemake}) is at work on these results"
    if not forecast:
        return line
    clock = forecast["time"][11:16]
    return f"{line}: about {duration(float(forecast['left']))} left at {clock}"
