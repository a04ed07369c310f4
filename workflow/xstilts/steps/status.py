"""Step: print the state of the grid: what is done, what failed and why, what is left.

    python -m xstilts.steps.status my.yaml

Reads the config, its lock file, and what lies in `results/`; changes nothing.
"""

import argparse
from collections import Counter

from xstilts.experiment.nodes import RULES
from xstilts.monitoring import cell_states, collapsed
from xstilts.monitoring.live import forecasts
from xstilts.monitoring.records import next_run
from xstilts.monitoring.status import align, at_work, matrix, overview, plan, reasons
from xstilts.monitoring.workspace import Workspace
from xstilts.running import lock, orphans
from xstilts.steps import arguments, process


def main(args: argparse.Namespace) -> None:
    """Print matrix, counts, reasons and the next run."""
    here = Workspace.of(args.config, args.name, args.lock, args.directory)
    lines, left_out = cell_states.there(here.grid_rows(), here.root)
    scores, refused = cell_states.collect(lines, here.root, here.records.pins.score)
    endings = cell_states.Endings(here.records)
    cells = cell_states.cells(lines, scores, refused, endings.trouble)
    marked = collapsed.trainings(here.nodes, here.root)
    of_marked = {c for c in collapsed.cells(here.nodes, marked) if c in cells and cells[c].have}
    said = align(matrix(cells, of_marked)), overview(cells.values(), of_marked)
    print("\n".join(said[0]), said[1], sep="\n\n")
    at_guessing = [line] if (line := collapsed.line(here.nodes, marked, here.root)) else []
    if lines := [*reasons(cells), *at_guessing, *left_out]:
        print("", *lines, sep="\n")
    begun = lock.taken(here.root / lock.RUN)
    forecast = forecasts.last(here.root / forecasts.file(here.name), begun)
    # The rule's own Snakemake has nothing else to do.
    other = None if args.from_rule else orphans.at_work(here.root)
    if line := at_work(other, forecast):
        print("\n" + line)
    run = next_run(here.nodes, here.records)
    counts = Counter(here.nodes[key].rule for key in run)
    print("\n" + plan({rule: counts[rule] for rule in RULES if counts[rule]}))


def parser() -> argparse.ArgumentParser:
    """Return the command line of the step."""
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_config(p)
    p.add_argument("--from-rule", action="store_true", help=argparse.SUPPRESS)
    return p


if __name__ == "__main__":
    process.run(main, parser())
