"""Step: print the state of the grid: what is done, what failed and why, what is left."""

import argparse
from collections import Counter
from pathlib import Path

from xstilts.experiment import graph
from xstilts.monitoring import cell_states
from xstilts.monitoring.status import align, matrix, overview, plan, reasons
from xstilts.running import step


def main(args: argparse.Namespace) -> None:
    """Print matrix, counts, reasons and the next run."""
    path = Path(args.grid)
    root = path.resolve().parent.parent
    lines = cell_states.read_grid(path)
    nodes = graph.build(
        cell_states.read_config(path.parent / "config.yaml"), lines.to_dict("records")
    )
    results = cell_states.Results(root, nodes)
    found, refused = cell_states.collect(lines, root)
    cells = cell_states.cells(lines, found, refused, results.trouble)
    for cell, about in cells.items():
        results.made[results.keys[str(cell)]] = about.state == "done"
    print("\n".join(align(matrix(cells))), overview(cells.values()), sep="\n\n")
    if told := reasons(cells):
        print("", *told, sep="\n")
    run = cell_states.next_run(nodes, results.current)
    print("\n" + plan(Counter(nodes[key].rule for key in run)))


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--grid", required=True, help="grid.csv, with config.yaml beside it")
    return p


if __name__ == "__main__":
    step.run(main, parser())
